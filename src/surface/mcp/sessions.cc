#include "surface/mcp/sessions.h"

#include "act/access.h"

namespace tocsin::surface::mcp {

Result<std::string> Sessions::Begin(const std::string& caller, const std::string& version, Time now) {
  const std::lock_guard lock(mutex_);
  Expire(now);
  size_t own = 0;
  auto oldest = by_id_.end();
  for (auto it = by_id_.begin(); it != by_id_.end(); ++it) {
    if (it->second.caller != caller) continue;
    ++own;
    if (oldest == by_id_.end() || it->second.used < oldest->second.used) oldest = it;
  }
  if (own >= kMaxSessionsOfOne) by_id_.erase(oldest);
  if (by_id_.size() >= kMaxSessions)
    return Error(Code::kResourceExhausted, "too many MCP sessions are open: end one, or try again later");
  const std::string id = act::NewToken().substr(4);  // as random as a token, and not to be taken for one
  by_id_.emplace(id, One{caller, version, now});
  return id;
}

std::optional<std::string> Sessions::Use(const std::string& id, const std::string& caller, Time now) {
  const std::lock_guard lock(mutex_);
  const auto it = by_id_.find(id);
  if (it == by_id_.end() || it->second.caller != caller) return std::nullopt;
  if (now - it->second.used > kSessionIdle) {
    by_id_.erase(it);
    return std::nullopt;
  }
  it->second.used = now;
  return it->second.version;
}

bool Sessions::End(const std::string& id, const std::string& caller) {
  const std::lock_guard lock(mutex_);
  const auto it = by_id_.find(id);
  if (it == by_id_.end() || it->second.caller != caller) return false;
  by_id_.erase(it);
  return true;
}

size_t Sessions::size() const {
  const std::lock_guard lock(mutex_);
  return by_id_.size();
}

void Sessions::Expire(Time now) {
  std::erase_if(by_id_, [&](const auto& entry) { return now - entry.second.used > kSessionIdle; });
}

}  // namespace tocsin::surface::mcp
