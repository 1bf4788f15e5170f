// What a cell of an answer holds, whatever the engine made of it: a count may come as BIGINT or DOUBLE, and
// NULL is 0 and "". Pure; thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>

#include "store/telemetry_store.h"

namespace tocsin::store {

inline bool IsNull(const SqlValue& value) { return std::holds_alternative<std::monostate>(value); }

inline double Number(const SqlValue& value) {
  if (const auto* i = std::get_if<int64_t>(&value)) return static_cast<double>(*i);
  if (const auto* d = std::get_if<double>(&value)) return *d;
  if (const auto* b = std::get_if<bool>(&value)) return *b ? 1 : 0;
  return 0;
}

// Times are whole nanoseconds, which a double does not hold: exact when the cell is.
inline int64_t Whole(const SqlValue& value) {
  if (const auto* i = std::get_if<int64_t>(&value)) return *i;
  const double number = Number(value);
  return number == number ? static_cast<int64_t>(std::clamp(number, -9e18, 9e18)) : 0;
}

inline std::string Text(const SqlValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? std::string() : *text;
}

}  // namespace tocsin::store
