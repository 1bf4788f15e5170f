// MuteTimes: named times of the week and year at which a route is quiet (or speaks only then).
//
// A time interval is a list of conditions that must all hold: times of day, weekdays, days of the month,
// months, years; an empty condition always holds; of several ranges one is enough. A named interval holds
// while any of its intervals does. Ranges include both ends, except a time of day, which ends before its end.
// Wall-clock time comes from a function of the instant, so that daylight saving is somebody else's table.
// Maintenance windows that recur are mute times bound to matchers; single ones are silences that start later.
// Source: Alertmanager's time_interval format. Errors: kInvalidArgument with the text that is wrong.
// Value types. Thread-safety: const methods from any threads.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "respond/alerts/matcher.h"
#include "respond/utc_offset.h"

namespace tocsin::respond {

struct IntRange {
  int first = 0;
  int last = 0;
  friend bool operator==(const IntRange&, const IntRange&) = default;
};

struct TimeInterval {
  std::vector<IntRange> times;          // minutes of the day, [first, last)
  std::vector<IntRange> weekdays;       // 0 = Sunday … 6
  std::vector<IntRange> days_of_month;  // 1 … 31, or -1 (the last) … -31
  std::vector<IntRange> months;         // 1 … 12
  std::vector<IntRange> years;
  std::string location;  // "" = UTC, else an IANA zone name
  UtcOffset offset;      // of `location`; whoever reads the configuration sets it

  bool Contains(Time now) const;
};

// "09:00" and "17:00"; "24:00" ends a day.
Result<IntRange> ParseTimesOfDay(std::string_view start, std::string_view end);
// "monday:friday", "saturday"
Result<IntRange> ParseWeekdays(std::string_view text);
// "1:5", "-3:-1", "15"
Result<IntRange> ParseDaysOfMonth(std::string_view text);
// "january:march", "5", "11:12"
Result<IntRange> ParseMonths(std::string_view text);
// "2026:2028", "2026"
Result<IntRange> ParseYears(std::string_view text);

struct NamedInterval {
  std::string name;
  std::vector<TimeInterval> intervals;
  bool Contains(Time now) const;
};

class MuteTimes {
 public:
  MuteTimes() = default;
  // kInvalidArgument when a name is empty or given twice.
  static Result<MuteTimes> Make(std::vector<NamedInterval> named);

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // True when a route with these lists is quiet now: inside one of `mute`, or outside all of a non-empty
  // `active`. Unknown names are never inside.
  bool Muted(const std::vector<std::string>& mute, const std::vector<std::string>& active, Time now) const;

 private:
  const NamedInterval* Find(std::string_view name) const;
  std::vector<NamedInterval> named_;  // by name
};

struct MaintenanceWindow {
  std::string name;
  Matchers matchers;  // none: everything
  std::vector<TimeInterval> intervals;
  bool Mutes(signal::Labels labels, Time now) const;
};

}  // namespace tocsin::respond
