// The hash that an approval binds to: SHA-256 over the action, its exact parameters, targets, reach, and the
// inverse, in one canonical text. Another value anywhere is another hash. Pure; thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "act/plan/plan.h"

namespace tocsin::act {

struct HashedCall {
  std::string run, step, action;
  nlohmann::json with;  // resolved
  std::vector<Target> targets;
  Reach reach;
  std::optional<CallTemplate> inverse;  // as far as it is resolved
};
std::string CallHash(const HashedCall& call);  // 64 hex digits
// Hex SHA-256 of bytes.
std::string Sha256Hex(std::string_view bytes);

}  // namespace tocsin::act
