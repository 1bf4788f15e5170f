// Reads `alert_mappings`: how the JSON of other senders becomes alerts, by the name in the webhook's path
// (docs/formats/alerts.md). What is wrong is noted. Thread-safety: as YamlValue.
#pragma once

#include <map>
#include <string>

#include "ingest/alert_mapping.h"
#include "ports/yaml/yaml_value.h"

namespace tocsin::runtime::internal {

inline constexpr size_t kMaxAlertMappings = 256;

void ReadAlertMappings(const ports::YamlValue& yaml, std::map<std::string, ingest::AlertMapping>& out);

}  // namespace tocsin::runtime::internal
