// TimeZone: local wall-clock time of an IANA zone, to an instant and back, with daylight saving.
//
// Every wall-clock time has exactly one instant: one that the clocks skip means the first instant after the
// gap; one that happens twice means the first of the two. So ToInstant never decreases as the wall clock
// advances. Names are "UTC" or "Area/City"; "CET" or "IST" name more than one place and are refused.
// Source: ICU, which brings its own copy of the IANA tables. Units: nanoseconds, to ICU in milliseconds.
// Ownership: a value, shares an immutable table. Thread-safety: all of it, from any threads.
// Errors: kInvalidArgument naming the zone.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::respond {

inline constexpr int kMinutesADay = 24 * 60;

// What a clock on the wall shows, with its calendar. Ordered as the calendar is.
struct WallTime {
  int64_t day = 0;                                  // days since 1970-01-01
  int64_t of_day = 0;                               // nanoseconds since midnight, below 24 h
  static WallTime At(int64_t day, int64_t minute);  // minute may be outside one day: it carries over
  int weekday() const;                              // 0 is Monday
  auto operator<=>(const WallTime&) const = default;
};

// "2026-03-29". kInvalidArgument otherwise; years 1970 to 2200.
Result<int64_t> ParseDay(std::string_view text);
std::string FormatDay(int64_t day);

class TimeZone {
 public:
  TimeZone();  // UTC
  static Result<TimeZone> Find(std::string_view name);

  const std::string& name() const;
  // local = UTC + offset
  Duration OffsetAt(Time at) const;
  WallTime ToWall(Time at) const;
  Time ToInstant(const WallTime& wall) const;
  // "Mon 30 Mar 09:00"
  std::string Format(Time at) const;

 private:
  struct Table;
  explicit TimeZone(std::shared_ptr<const Table> table) : table_(std::move(table)) {}
  static Result<std::shared_ptr<const Table>> Load(const std::string& name);
  std::shared_ptr<const Table> table_;
};

}  // namespace tocsin::respond
