#include "respond/oncall/schedule.h"

#include <gtest/gtest.h>

#include "respond/oncall/testing/random_schedule.h"

namespace tocsin::respond {
namespace {

Time At(std::string_view text) { return *ParseTime(text); }

Schedule Daily(std::string_view zone, std::string_view start, int hour) {
  Schedule out;
  out.name = "primary";
  out.zone = *TimeZone::Find(zone);
  RotationLayer layer;
  layer.participants = {"ada", "bob", "cyd"};
  layer.every_hours = 24;
  layer.start_day = *ParseDay(start);
  layer.handover_minute = hour * 60;
  out.layers.push_back(layer);
  return out;
}

TEST(Schedule, ADailyHandoverStaysAtItsLocalTimeWhenClocksChange) {
  const Schedule schedule = Daily("Europe/Berlin", "2026-03-27", 9);
  const auto shifts = *Shifts(schedule, At("2026-03-27T00:00:00Z"), At("2026-03-31T00:00:00Z"));
  const std::vector<Shift> expected = {
      {"", At("2026-03-27T00:00:00Z"), At("2026-03-27T08:00:00Z")},
      {"ada", At("2026-03-27T08:00:00Z"), At("2026-03-28T08:00:00Z")},
      {"bob", At("2026-03-28T08:00:00Z"), At("2026-03-29T07:00:00Z")},  // 23 hours
      {"cyd", At("2026-03-29T07:00:00Z"), At("2026-03-30T07:00:00Z")},
      {"ada", At("2026-03-30T07:00:00Z"), At("2026-03-31T00:00:00Z")},
  };
  EXPECT_EQ(shifts, expected);
}

TEST(Schedule, HandoversInTheHourThatIsSkippedOrComesTwice) {
  const Schedule skipped = Daily("Europe/Berlin", "2026-03-28", 2);
  EXPECT_EQ(OnCallAt(skipped, At("2026-03-29T00:59:59Z")), "ada");
  EXPECT_EQ(OnCallAt(skipped, At("2026-03-29T01:00:00Z")), "bob");
  const Schedule twice = Daily("Europe/Berlin", "2026-10-24", 2);
  EXPECT_EQ(OnCallAt(twice, At("2026-10-24T23:59:59Z")), "ada");
  EXPECT_EQ(OnCallAt(twice, At("2026-10-25T00:00:00Z")), "bob");
  EXPECT_EQ(OnCallAt(twice, At("2026-10-25T00:59:00Z")), "bob");
  EXPECT_EQ(OnCallAt(twice, At("2026-10-25T01:00:00Z")), "bob");  // 02:00 for the second time: no hand-over
}

TEST(Schedule, LaterLayersAndOverridesWin) {
  Schedule schedule = Daily("America/New_York", "2026-11-02", 9);  // a Monday
  RotationLayer nights;
  nights.participants = {"night"};
  nights.start_day = *ParseDay("2026-11-02");
  nights.handover_minute = 0;
  nights.restrictions = {{0x1f, 22 * 60, 6 * 60}};  // weeknights, over midnight
  schedule.layers.push_back(nights);
  schedule.overrides = {{"eve", At("2026-11-04T04:00:00Z"), At("2026-11-04T05:00:00Z")},
                        {"dan", At("2026-11-04T04:30:00Z"), At("2026-11-04T06:00:00Z")}};
  EXPECT_EQ(OnCallAt(schedule, At("2026-11-04T02:59:59Z")), "bob");    // Tuesday 21:59
  EXPECT_EQ(OnCallAt(schedule, At("2026-11-04T03:00:00Z")), "night");  // 22:00
  EXPECT_EQ(OnCallAt(schedule, At("2026-11-04T04:10:00Z")), "eve");
  EXPECT_EQ(OnCallAt(schedule, At("2026-11-04T04:30:00Z")), "dan");
  EXPECT_EQ(OnCallAt(schedule, At("2026-11-04T06:00:00Z")), "night");
  EXPECT_EQ(OnCallAt(schedule, At("2026-11-04T11:00:00Z")), "bob");    // 06:00
  EXPECT_EQ(OnCallAt(schedule, At("2026-11-07T10:59:00Z")), "night");  // Friday's night ends on Saturday
  EXPECT_EQ(OnCallAt(schedule, At("2026-11-08T04:00:00Z")), "cyd");    // Saturday 23:00: no night layer
  EXPECT_EQ(MembersOf(schedule), (std::vector<std::string>{"ada", "bob", "cyd", "dan", "eve", "night"}));
}

TEST(Schedule, WhatIsWrongIsSaid) {
  Schedule schedule = Daily("UTC", "2026-01-01", 9);
  EXPECT_TRUE(CheckSchedule(schedule).ok());
  schedule.layers[0].every_hours = 0;
  EXPECT_EQ(CheckSchedule(schedule).message(), "layers[0].every is not from 1 hour to 366 days");
  schedule = Daily("UTC", "2026-01-01", 9);
  schedule.layers[0].restrictions = {{0, 0, 60}};
  EXPECT_EQ(CheckSchedule(schedule).message(), "layers[0].restrictions[0].days is empty");
  schedule = Daily("UTC", "2026-01-01", 9);
  schedule.overrides = {{"ada", At("2026-01-02T00:00:00Z"), At("2026-01-02T00:00:00Z")}};
  EXPECT_EQ(CheckSchedule(schedule).message(), "overrides[0] ends before it begins");
  EXPECT_EQ(Shifts(schedule, Time{1}, Time{1} + Duration::Hours(24 * 401)).error().code(), Code::kOutOfRange);
}

// The definition, read aloud: count the hand-overs from the start.
std::string Naive(const Schedule& schedule, Time at) {
  std::string found;
  for (const auto& layer : schedule.layers) {
    const TimeZone zone = layer.zone.value_or(schedule.zone);
    int64_t begun = 0;
    const auto handover = [&](int64_t k) {
      return zone.ToInstant(
          WallTime::At(layer.start_day, layer.handover_minute + k * layer.every_hours * 60));
    };
    while (handover(begun) <= at) ++begun;
    bool counts = layer.restrictions.empty();
    for (const auto& r : layer.restrictions) {
      for (int64_t day = layer.start_day - 3; day < layer.start_day + 100; ++day) {
        if (((r.weekdays >> WallTime{day, 0}.weekday()) & 1) == 0) continue;
        const int64_t end_day = r.to_minute <= r.from_minute ? day + 1 : day;
        counts = counts || (zone.ToInstant(WallTime::At(day, r.from_minute)) <= at &&
                            at < zone.ToInstant(WallTime::At(end_day, r.to_minute)));
      }
    }
    if (counts && begun > 0) {
      found = layer.participants[static_cast<size_t>(begun - 1) % layer.participants.size()];
    }
  }
  for (const auto& item : schedule.overrides) {
    if (item.from <= at && at < item.to) found = item.person;
  }
  return found;
}

TEST(Schedule, ShiftsPartitionTheRangeAndAgreeWithEveryInstant) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const Time from = testing::RandomStart(rng);
    const Schedule schedule = testing::RandomSchedule(rng, "s", from);
    ASSERT_TRUE(CheckSchedule(schedule).ok());
    const Time to = from + Duration::Minutes(testing::Pick(rng, 1, 8 * kMinutesADay));
    const auto shifts = *Shifts(schedule, from, to);
    ASSERT_FALSE(shifts.empty());
    ASSERT_EQ(shifts.front().from, from);
    ASSERT_EQ(shifts.back().to, to);
    for (size_t i = 0; i < shifts.size(); ++i) {
      ASSERT_LT(shifts[i].from, shifts[i].to);
      ASSERT_EQ(OnCallAt(schedule, shifts[i].from), shifts[i].person);
      ASSERT_EQ(OnCallAt(schedule, shifts[i].to - Duration::Nanos(1)), shifts[i].person);
      if (i == 0) continue;
      ASSERT_EQ(shifts[i].from, shifts[i - 1].to);
      ASSERT_NE(shifts[i].person, shifts[i - 1].person);
    }
    for (int i = 0; i < 30; ++i) {
      const Time at =
          from + Duration::Nanos(static_cast<int64_t>(rng.Below(static_cast<uint64_t>((to - from).ns))));
      const std::string person = OnCallAt(schedule, at);
      ASSERT_EQ(person, Naive(schedule, at)) << FormatTime(at);
      const auto shift =
          std::ranges::find_if(shifts, [&](const Shift& s) { return s.from <= at && at < s.to; });
      ASSERT_EQ(person, shift->person) << FormatTime(at);
    }
  }
}

}  // namespace
}  // namespace tocsin::respond
