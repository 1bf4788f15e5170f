// YAML read as JSON, for formats that have both. Plain scalars become numbers, true, false and null as in the
// core schema of YAML 1.2; quoted ones stay texts. Bounds and errors: as YamlValue; keys that come twice are
// an error. Thread-safe.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "kernel/status.h"

namespace tocsin::ports {

Result<nlohmann::json> ParseYamlAsJson(std::string_view text, const std::string& file);

class YamlValue;
// The same for a part of a document. Keys that come twice are noted at the document.
Result<nlohmann::json> YamlAsJson(const YamlValue& value);

}  // namespace tocsin::ports
