// JSON as it is kept with incidents and events: written on one line whatever bytes it holds, and read without
// trust in its shape. Pure; thread-safe.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tocsin::respond {

// Invalid UTF-8 becomes U+FFFD.
std::string DumpJson(const nlohmann::json& json);
// "" when `object` is none, or has no text there.
std::string JsonText(const nlohmann::json& object, const char* key);
// An empty list when `object` is none, or has no list there. The object must outlive the reference.
const nlohmann::json& JsonList(const nlohmann::json& object, const char* key);
const nlohmann::json& JsonList(nlohmann::json&& object, const char* key) = delete;

}  // namespace tocsin::respond
