// Random schedules for property tests and simulations: several zones, short and long turns, hand-overs in the
// hours that clocks skip or repeat, restrictions over midnight, overrides that overlap. Header only.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "kernel/rng.h"
#include "respond/oncall/schedule.h"

namespace tocsin::respond::testing {

inline constexpr std::array kZones = {"Europe/Berlin",  "America/New_York", "Australia/Lord_Howe",
                                      "Asia/Kathmandu", "Pacific/Apia",     "America/Santiago"};

inline int Pick(Rng& rng, int low, int high) {
  return low + static_cast<int>(rng.Below(static_cast<uint64_t>(high - low + 1)));
}

inline std::string RandomPerson(Rng& rng) { return std::string(1, static_cast<char>('a' + Pick(rng, 0, 9))); }

inline Restriction RandomRestriction(Rng& rng) {
  Restriction out;
  out.weekdays = static_cast<uint8_t>(Pick(rng, 1, 127));
  out.from_minute = Pick(rng, 0, 95) * 15;
  out.to_minute = Pick(rng, 0, 96) * 15;
  return out;
}

inline RotationLayer RandomLayer(Rng& rng, int64_t near_day) {
  static constexpr std::array kTurns = {1, 5, 8, 12, 24, 24, 48, 168, 336};
  RotationLayer out;
  for (int i = Pick(rng, 1, 4); i > 0; --i) out.participants.push_back(RandomPerson(rng));
  out.every_hours = kTurns[rng.Below(kTurns.size())];
  out.start_day = near_day + Pick(rng, -60, 3);
  out.handover_minute = rng.Below(2) == 0 ? Pick(rng, 0, 12) * 15 : Pick(rng, 0, kMinutesADay - 1);
  if (rng.Below(4) == 0) out.zone = *TimeZone::Find(kZones[rng.Below(kZones.size())]);
  if (rng.Below(2) == 0) {
    for (int i = Pick(rng, 1, 3); i > 0; --i) out.restrictions.push_back(RandomRestriction(rng));
  }
  return out;
}

// Around the instant.
inline Schedule RandomSchedule(Rng& rng, const std::string& name, Time near) {
  Schedule out;
  out.name = name;
  out.zone = *TimeZone::Find(kZones[rng.Below(kZones.size())]);
  const int64_t day = out.zone.ToWall(near).day;
  for (int i = Pick(rng, 0, 3); i > 0; --i) out.layers.push_back(RandomLayer(rng, day));
  for (int i = Pick(rng, 0, 3); i > 0; --i) {
    const Time from = near + Duration::Minutes(Pick(rng, -3000, 9000));
    out.overrides.push_back({RandomPerson(rng), from, from + Duration::Minutes(Pick(rng, 1, 3000))});
  }
  return out;
}

// Shortly before the clocks change somewhere, or any day.
inline Time RandomStart(Rng& rng) {
  static constexpr std::array kDays = {"2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31",
                                       "2026-04-04", "2026-10-03", "2026-09-05", "2026-07-01"};
  return Time{*ParseDay(kDays[rng.Below(kDays.size())]) * Duration::Hours(24).ns} +
         Duration::Minutes(Pick(rng, -1000, 1000));
}

}  // namespace tocsin::respond::testing
