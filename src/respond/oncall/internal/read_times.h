// Reads times of the wall clock, days and zones of a configuration. Thread-safety and errors: as YamlValue.
#pragma once

#include <cstdint>

#include "ports/yaml/yaml_value.h"
#include "respond/oncall/time_zone.h"

namespace tocsin::respond::internal {

Result<TimeZone> ReadZone(const ports::YamlValue& yaml);
Result<int> ReadMinuteOfDay(const ports::YamlValue& yaml);   // "09:00"; "24:00" is 1440
Result<int64_t> ReadDay(const ports::YamlValue& yaml);       // 2026-12-25
Result<uint8_t> ReadWeekdays(const ports::YamlValue& yaml);  // [mon, sat] or [mon-fri]; bit 0 is Monday

}  // namespace tocsin::respond::internal
