// Schedule: who is on call, from layers of rotations and from overrides.
//
// A layer hands over from one participant to the next at a time of the wall clock: a 09:00 hand-over stays at
// 09:00 when the clocks change, so that shift is 23 or 25 hours long. Hours are counted on the wall clock
// too: every 12 hours from 09:00 is 09:00 and 21:00. A hand-over at a time the clocks skip happens when they
// have skipped it. Restrictions say when a layer counts at all. A later layer wins over an earlier one where
// it has somebody; a later override wins over an earlier one, and over every layer. No person: nobody.
// Value types. Thread-safety: pure functions. Errors: kInvalidArgument (CheckSchedule), kOutOfRange (Shifts).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "respond/oncall/time_zone.h"

namespace tocsin::respond {

// Times of day on some weekdays, from when it begins to when it ends. An end at or before the start is on the
// next day.
struct Restriction {
  uint8_t weekdays = 0x7f;       // bit 0 is Monday: the days on which it begins
  int from_minute = 0;           // 0 to 1439
  int to_minute = kMinutesADay;  // 0 to 1440
};

struct RotationLayer {
  std::string name;
  std::vector<std::string> participants;  // in order; the first begins at the start
  int every_hours = 7 * 24;               // length of a turn on the wall clock
  int64_t start_day = 0;                  // nobody before it
  int handover_minute = 9 * 60;           // of the day, local
  std::vector<Restriction> restrictions;  // none: always
  std::optional<TimeZone> zone;           // of the three above; else the schedule's: follow the sun
};

struct ScheduleOverride {
  std::string person;
  Time from;
  Time to;  // not included
};

struct Schedule {
  std::string name;
  TimeZone zone;
  std::vector<RotationLayer> layers;
  std::vector<ScheduleOverride> overrides;
};

struct Shift {
  std::string person;  // empty: nobody
  Time from;
  Time to;  // not included
  friend bool operator==(const Shift&, const Shift&) = default;
};

inline constexpr size_t kMaxLayers = 16;
inline constexpr size_t kMaxParticipants = 256;
inline constexpr size_t kMaxRestrictions = 16;
inline constexpr size_t kMaxOverrides = 4096;
inline constexpr int kMaxTurnHours = 366 * 24;
inline constexpr size_t kMaxHandovers = 20'000;  // in the range of one answer
inline constexpr Duration kMaxShiftRange = Duration::Hours(24 * 400);

// Within the bounds above, every number in its range, no name empty. Says where it is wrong:
// "layers[0].participants is empty".
Status CheckSchedule(const Schedule& schedule);
// Empty: nobody.
std::string OnCallAt(const Schedule& schedule, Time at);
// The range in shifts without gaps, neighbours with the same person joined. kOutOfRange beyond 400 days or
// 20,000 hand-overs.
Result<std::vector<Shift>> Shifts(const Schedule& schedule, Time from, Time to);
// Everybody who can be on call here, sorted, each once.
std::vector<std::string> MembersOf(const Schedule& schedule);

}  // namespace tocsin::respond
