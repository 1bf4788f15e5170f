#include "respond/oncall/time_zone.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

Time At(std::string_view text) { return *ParseTime(text); }
WallTime Wall(std::string_view day, int hour, int minute) {
  return WallTime::At(*ParseDay(day), hour * 60 + minute);
}
TimeZone Zone(std::string_view name) { return *TimeZone::Find(name); }

TEST(TimeZone, OffsetsFollowDaylightSaving) {
  EXPECT_EQ(Zone("Europe/Berlin").OffsetAt(At("2026-01-15T12:00:00Z")), Duration::Hours(1));
  EXPECT_EQ(Zone("Europe/Berlin").OffsetAt(At("2026-07-15T12:00:00Z")), Duration::Hours(2));
  EXPECT_EQ(Zone("America/New_York").OffsetAt(At("2026-01-15T12:00:00Z")), Duration::Hours(-5));
  EXPECT_EQ(Zone("Asia/Kathmandu").OffsetAt(At("2026-01-15T12:00:00Z")), Duration::Minutes(345));
  EXPECT_EQ(Zone("Australia/Lord_Howe").OffsetAt(At("2026-01-15T12:00:00Z")), Duration::Hours(11));
  EXPECT_EQ(Zone("Australia/Lord_Howe").OffsetAt(At("2026-07-15T12:00:00Z")), Duration::Minutes(630));
  EXPECT_EQ(TimeZone().OffsetAt(At("2026-07-15T12:00:00Z")), Duration{});
}

TEST(TimeZone, ASkippedTimeIsTheFirstInstantAfterTheGap) {
  const TimeZone berlin = Zone("Europe/Berlin");
  const Time change = At("2026-03-29T01:00:00Z");
  EXPECT_EQ(berlin.ToInstant(Wall("2026-03-29", 1, 59)), At("2026-03-29T00:59:00Z"));
  EXPECT_EQ(berlin.ToInstant(Wall("2026-03-29", 2, 0)), change);
  EXPECT_EQ(berlin.ToInstant(Wall("2026-03-29", 2, 30)), change);
  EXPECT_EQ(berlin.ToInstant(Wall("2026-03-29", 2, 59)), change);
  EXPECT_EQ(berlin.ToInstant(Wall("2026-03-29", 3, 0)), change);
  // Half an hour only, and a whole day.
  EXPECT_EQ(Zone("Australia/Lord_Howe").ToInstant(Wall("2026-10-04", 2, 15)), At("2026-10-03T15:30:00Z"));
  EXPECT_EQ(Zone("Pacific/Apia").ToInstant(Wall("2011-12-30", 12, 0)), At("2011-12-30T10:00:00Z"));
}

TEST(TimeZone, ATimeThatHappensTwiceIsTheFirst) {
  EXPECT_EQ(Zone("Europe/Berlin").ToInstant(Wall("2026-10-25", 2, 30)), At("2026-10-25T00:30:00Z"));
  EXPECT_EQ(Zone("Europe/Berlin").ToInstant(Wall("2026-10-25", 3, 0)), At("2026-10-25T02:00:00Z"));
  EXPECT_EQ(Zone("America/New_York").ToInstant(Wall("2026-11-01", 1, 30)), At("2026-11-01T05:30:00Z"));
  EXPECT_EQ(Zone("Australia/Lord_Howe").ToInstant(Wall("2026-04-05", 1, 45)), At("2026-04-04T14:45:00Z"));
}

TEST(TimeZone, UnknownZonesAreNamed) {
  for (const char* name :
       {"Europe/Berln", "", "IST", "GMT+3", "Etc/Unknown", "../../etc/passwd", "Europe/\xff"}) {
    const auto zone = TimeZone::Find(name);
    ASSERT_FALSE(zone.has_value()) << name;
    EXPECT_EQ(zone.error().code(), Code::kInvalidArgument);
    EXPECT_EQ(zone.error().message(), std::string("unknown time zone '") + name + "'");
  }
}

TEST(TimeZone, WallAndInstantAgreeEverywhere) {
  Rng rng(7);
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
                           "Pacific/Apia", "Africa/Casablanca", "America/St_Johns", "UTC"}) {
    const TimeZone zone = Zone(name);
    Time last{};
    WallTime wall = Wall("2010-01-01", 0, 0);
    for (int i = 0; i < 4000; ++i) {
      wall = WallTime::At(wall.day,
                          wall.of_day / Duration::Minutes(1).ns + static_cast<int64_t>(rng.Below(3000)));
      const Time at = zone.ToInstant(wall);
      ASSERT_GE(at, last) << name << " " << FormatDay(wall.day);
      ASSERT_GE(zone.ToWall(at), wall) << name << " " << FormatDay(wall.day);
      ASSERT_LT(zone.ToWall(at - Duration::Nanos(1)), wall) << name << " " << FormatDay(wall.day);
      last = at;
    }
  }
}

TEST(TimeZone, DaysAreRead) {
  EXPECT_EQ(FormatDay(*ParseDay("2028-02-29")), "2028-02-29");
  EXPECT_EQ(Wall("2026-11-23", 0, 0).weekday(), 0);
  for (const char* text :
       {"2026-02-29", "2026-2-1", "2026-13-01", "1969-01-01", "x", "2026-01-0 ", "-026-01-01"}) {
    EXPECT_FALSE(ParseDay(text).has_value()) << text;
  }
  EXPECT_EQ(Zone("Europe/Berlin").Format(At("2026-03-30T07:00:00Z")), "Mon 30 Mar 09:00");
}

TEST(TimeZone, ManyThreadsAskAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (const char* name : {"Asia/Tokyo", "America/Sao_Paulo", "Europe/Lisbon", "Pacific/Auckland"}) {
        const TimeZone zone = Zone(name);
        for (int day = 20'000; day < 20'400; ++day) {
          const WallTime wall = WallTime::At(day, 12 * 60);
          EXPECT_EQ(zone.ToWall(zone.ToInstant(wall)), wall);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace tocsin::respond
