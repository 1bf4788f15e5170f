// Reads `route`, `inhibit_rules`, `time_intervals` and `mute_time_intervals` at the root of the
// configuration, in Alertmanager's spelling, the deprecated keys (match, match_re, source_match …) too. What
// is not given stays as it is in `rules`; a `route` that is given has Alertmanager's defaults for its times.
// What is wrong is noted. Source: docs/formats/configuration.md. Thread-safety: as YamlValue.
#pragma once

#include <set>
#include <string>

#include "ports/yaml/yaml_section.h"
#include "respond/alerts/alert_desk.h"

namespace tocsin::respond {

inline constexpr size_t kMaxInhibitRules = 10'000;

// `receivers`: those a route may name.
void ReadAlertRules(ports::YamlSection& root, const std::set<std::string>& receivers, AlertRules& rules);

}  // namespace tocsin::respond
