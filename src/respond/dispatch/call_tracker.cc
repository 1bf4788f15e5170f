#include "respond/dispatch/call_tracker.h"

#include <nlohmann/json.hpp>

#include "kernel/id.h"
#include "respond/json_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr size_t kMaxName = 256;

uint64_t KeyOf(const std::string& trace, const std::string& span) { return StableHash(trace + span); }

// Whom a client span says it asks.
std::string PeerOf(const signal::Span& span) {
  const std::string& text = span.attributes_json;
  const bool database = text.find("\"db.system") != std::string::npos;
  if (!database && text.find("\"peer.service\"") == std::string::npos) return {};
  const json attributes = json::parse(text, nullptr, false);
  if (!attributes.is_object()) return {};
  std::string peer = JsonText(attributes, "peer.service");
  for (const char* name : {"server.address", "net.peer.name", "db.system.name", "db.system"}) {
    if (database && peer.empty()) peer = JsonText(attributes, name);
  }
  return peer;
}

}  // namespace

void CallTracker::Found(const std::string& caller, const std::string& callee) {
  if (caller == callee || caller.empty() || callee.empty()) return;
  if (caller.size() > kMaxName || callee.size() > kMaxName || known_.size() >= kMaxCalls) return;
  if (known_.insert(StableHash(caller + '\xff' + callee)).second) found_.emplace_back(caller, callee);
}

void CallTracker::ObserveOne(const signal::Span& span) {
  const uint64_t key = KeyOf(span.trace_id, span.span_id);
  if (service_of_.emplace(key, span.service).second) order_.push_back(key);
  if (order_.size() > kMaxSpans) {
    service_of_.erase(order_.front());
    order_.pop_front();
  }
  const auto [first, last] = waiting_.equal_range(key);
  for (auto it = first; it != last; ++it) Found(span.service, it->second);
  waiting_.erase(key);
  if (span.kind == "client" || span.kind == "producer") Found(span.service, PeerOf(span));
  if (span.parent_span_id.empty()) return;
  const uint64_t parent = KeyOf(span.trace_id, span.parent_span_id);
  if (const auto known = service_of_.find(parent); known != service_of_.end()) {
    Found(known->second, span.service);
    return;
  }
  waiting_.emplace(parent, span.service);
  waiting_order_.push_back(parent);
  if (waiting_order_.size() <= kMaxSpans) return;
  if (const auto oldest = waiting_.find(waiting_order_.front()); oldest != waiting_.end())
    waiting_.erase(oldest);
  waiting_order_.pop_front();
}

void CallTracker::Observe(const signal::Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const auto& span : batch.spans) ObserveOne(span);
}

std::vector<ServiceCall> CallTracker::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(found_, {});
}

}  // namespace tocsin::respond
