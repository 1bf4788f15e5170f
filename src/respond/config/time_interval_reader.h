// Reads `time_intervals` (and `mute_time_intervals`, their former name) as Alertmanager has them. What is
// wrong is noted. Thread-safety: as YamlValue.
#pragma once

#include <vector>

#include "ports/yaml/yaml_value.h"
#include "respond/alerts/mute_times.h"

namespace tocsin::respond {

inline constexpr size_t kMaxTimeIntervals = 1000;  // by name, and conditions under one name

// Adds to `out`, the names of those that are wrong too, so that a route may name them.
void ReadTimeIntervals(const ports::YamlValue& yaml, std::vector<NamedInterval>& out);

// The conditions alone, under no name.
void ReadIntervals(const ports::YamlValue& yaml, std::vector<TimeInterval>& out);

}  // namespace tocsin::respond
