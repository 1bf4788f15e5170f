// JSON from outside, bounded in depth so that no later recursion over it can overflow. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tocsin::ports::internal {

// Discarded when the text is no JSON, or nested deeper than max_depth.
nlohmann::json ParseBoundedJson(std::string_view text, int max_depth = 64);

// The member when it is a text, else "".
std::string TextOf(const nlohmann::json& object, const char* member);
// The member when it is a whole number that is not negative, else 0.
int64_t CountOf(const nlohmann::json& object, const char* member);
// The member, or null when `object` is no object or lacks it.
const nlohmann::json& MemberOf(const nlohmann::json& object, const char* member);

}  // namespace tocsin::ports::internal
