// SignedSwitch: what the kill switch says of a scope, for the user's own agents and features to ask before
// they act: a JSON document and the same as a JWT signed with Ed25519 (RFC 7519, RFC 8037), which any JWT
// library verifies, its expiry included (docs/formats/switch.md). Whoever gets no fresh answer stops: fail
// closed.
//
//   now ──┬── slot of `seconds` ──┬──        one signature a slot and scope, a new one when its state changes
//         signed ────────── expires           3 × seconds later, at least 15 s
//
// Thread-safety: all methods. Ownership: refers to the clock. Errors: kInvalidArgument (no Ed25519 key),
// kInternal (OpenSSL).
#pragma once

#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "act/kill/kill_switch.h"
#include "kernel/status.h"
#include "ports/clock.h"

namespace tocsin::act {

// The 32 raw bytes of a private key: from PEM (openssl genpkey -algorithm ed25519) or 64 hex digits. The
// error never quotes it.
Result<std::string> ParseSwitchKey(std::string_view text);
// Base64url without padding (RFC 7515).
std::string Base64Url(std::string_view bytes);

class SignedSwitch {
 public:
  struct Document {
    std::string body;  // JSON on one line
    std::string etag;  // with its quotes
    int max_age_s = 0;
  };

  // `key`: 32 bytes. `seconds`: how long an answer may be cached, 1 … 3600.
  static Result<std::unique_ptr<SignedSwitch>> Make(const std::string& key, int seconds,
                                                    const ports::Clock& clock);

  // `engaged`: KillSwitch::Engaged. What covers the scope: itself, all, and agents for an agent.
  Result<Document> Answer(const KillScope& scope, const std::vector<KillState>& engaged);
  // The public key as a JSON Web Key Set (RFC 7517), kid = its thumbprint (RFC 7638).
  const nlohmann::json& keys() const { return keys_; }
  int seconds() const { return seconds_; }

 private:
  struct Signed {
    int64_t slot = 0;
    std::string state;  // what was signed, without times
    Document document;
  };
  SignedSwitch(std::string key, int seconds, const ports::Clock& clock)
      : key_(std::move(key)), seconds_(seconds), clock_(clock) {}
  Result<std::string> Token(const nlohmann::json& payload) const;

  const std::string key_;
  const int seconds_;
  const ports::Clock& clock_;
  nlohmann::json keys_;
  std::string kid_;
  std::mutex mutex_;
  std::map<KillScope, Signed> signed_;  // at most kMostScopes, then begun anew
  int64_t serial_ = 0;
};

}  // namespace tocsin::act
