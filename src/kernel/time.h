// Instants and durations: 64-bit nanoseconds since the Unix epoch, as OTLP and the stores carry them.
// Value types; no clock here (ports/clock.h reads one), so that a simulation decides what time it is.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "kernel/status.h"

namespace tocsin {

struct Duration {
  int64_t ns = 0;
  static constexpr Duration Nanos(int64_t n) { return {n}; }
  static constexpr Duration Millis(int64_t n) { return {n * 1'000'000}; }
  static constexpr Duration Seconds(int64_t n) { return {n * 1'000'000'000}; }
  static constexpr Duration Minutes(int64_t n) { return Seconds(n * 60); }
  static constexpr Duration Hours(int64_t n) { return Minutes(n * 60); }
  constexpr double seconds() const { return static_cast<double>(ns) * 1e-9; }
  auto operator<=>(const Duration&) const = default;
};

struct Time {
  int64_t ns = 0;  // since 1970-01-01T00:00:00Z; 0 means "not known"
  constexpr bool known() const { return ns != 0; }
  auto operator<=>(const Time&) const = default;
};

constexpr Time operator+(Time t, Duration d) { return {t.ns + d.ns}; }
constexpr Time operator-(Time t, Duration d) { return {t.ns - d.ns}; }
constexpr Duration operator-(Time a, Time b) { return {a.ns - b.ns}; }

// "2026-11-24T02:10:05Z", with a fraction of 3, 6 or 9 digits when there is one.
std::string FormatTime(Time t);
// "02:10:05 UTC on 24 Nov": for people. Seconds are left out when they are zero.
std::string FormatTimeForPeople(Time t);
// RFC 3339 with any offset and fraction. kInvalidArgument otherwise.
Result<Time> ParseTime(std::string_view text);
// "1 h 05 min", "42 s", "350 ms": two leading units at most.
std::string FormatDuration(Duration d);
// "90s", "15m", "1h30m", "7d", "250ms", "2w", "1y" (365 days). kInvalidArgument otherwise.
Result<Duration> ParseDuration(std::string_view text);

}  // namespace tocsin
