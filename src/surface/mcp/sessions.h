// Sessions of the generations that have a handshake: an id of 256 random bits, bound to who began it.
//
// Bounds: kMaxSessions in all; kMaxSessionsOfOne of one caller, whose oldest gives way; an hour without use
// ends one. Thread-safety: all methods. Errors of Begin: kResourceExhausted.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::surface::mcp {

inline constexpr size_t kMaxSessions = 512;
inline constexpr size_t kMaxSessionsOfOne = 32;
inline constexpr Duration kSessionIdle = Duration::Hours(1);

class Sessions {
 public:
  // `caller`: "" for whoever needs no token. Returns the id.
  Result<std::string> Begin(const std::string& caller, const std::string& version, Time now);
  // The protocol version agreed upon; nothing when there is no such session of this caller.
  std::optional<std::string> Use(const std::string& id, const std::string& caller, Time now);
  // True when there was one of this caller.
  bool End(const std::string& id, const std::string& caller);
  size_t size() const;

 private:
  struct One {
    std::string caller, version;
    Time used;
  };
  void Expire(Time now);  // mutex_ is held

  mutable std::mutex mutex_;
  std::map<std::string, One> by_id_;
};

}  // namespace tocsin::surface::mcp
