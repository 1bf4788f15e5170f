#include "respond/alerts/mute_times.h"

#include <gtest/gtest.h>

namespace tocsin::respond {
namespace {

Time Utc(const std::string& text) { return ParseTime(text).value(); }

TEST(MuteTimes, AllConditionsOfAnIntervalMustHold) {
  TimeInterval hours;
  hours.times = {ParseTimesOfDay("09:00", "17:00").value()};
  hours.weekdays = {ParseWeekdays("Monday:friday").value()};
  EXPECT_TRUE(hours.Contains(Utc("2026-11-24T09:00:00Z")));  // a Tuesday
  EXPECT_TRUE(hours.Contains(Utc("2026-11-24T16:59:59Z")));
  EXPECT_FALSE(hours.Contains(Utc("2026-11-24T17:00:00Z")));
  EXPECT_FALSE(hours.Contains(Utc("2026-11-22T12:00:00Z")));  // a Sunday
  hours.offset = [](Time) { return Duration::Hours(-5); };
  EXPECT_FALSE(hours.Contains(Utc("2026-11-24T13:59:00Z")));
  EXPECT_TRUE(hours.Contains(Utc("2026-11-24T14:00:00Z")));
}

TEST(MuteTimes, DaysMayBeCountedFromTheEnd) {
  TimeInterval last;
  last.days_of_month = {ParseDaysOfMonth("-3:-1").value()};
  EXPECT_TRUE(last.Contains(Utc("2026-02-26T00:00:00Z")));
  EXPECT_FALSE(last.Contains(Utc("2026-02-25T23:59:59Z")));
  EXPECT_TRUE(last.Contains(Utc("2028-02-29T12:00:00Z")));
  EXPECT_FALSE(last.Contains(Utc("2028-02-26T12:00:00Z")));
  last.days_of_month = {ParseDaysOfMonth("31").value()};
  EXPECT_FALSE(last.Contains(Utc("2026-11-30T12:00:00Z")));
  last.days_of_month = {ParseDaysOfMonth("25:-1").value()};
  EXPECT_TRUE(last.Contains(Utc("2026-11-30T12:00:00Z")));
  last.months = {ParseMonths("december:december").value(), ParseMonths("1:3").value()};
  EXPECT_FALSE(last.Contains(Utc("2026-11-30T12:00:00Z")));
  EXPECT_TRUE(last.Contains(Utc("2026-12-30T12:00:00Z")));
  last.years = {ParseYears("2027").value()};
  EXPECT_FALSE(last.Contains(Utc("2026-12-30T12:00:00Z")));
}

TEST(MuteTimes, RangesThatCannotBeAreRefused) {
  for (const auto& [start, end] :
       {std::pair{"9:00", "17:00"}, {"09:00", "24:01"}, {"10:00", "09:00"}, {"aa:bb", "17:00"}}) {
    EXPECT_FALSE(ParseTimesOfDay(start, end).has_value()) << start << end;
  }
  EXPECT_TRUE(ParseTimesOfDay("00:00", "24:00").has_value());
  for (const char* text : {"0", "32", "-32:-1", "-1:1", "5:1", "", "x", "1:2:3"}) {
    EXPECT_FALSE(ParseDaysOfMonth(text).has_value()) << text;
  }
  EXPECT_EQ(ParseWeekdays("mon").error().message(), "'mon': expected weekdays such as monday:friday");
  EXPECT_FALSE(ParseWeekdays("saturday:sunday").has_value());
  EXPECT_FALSE(ParseMonths("13").has_value());
  EXPECT_FALSE(ParseYears("2027:2026").has_value());
}

TEST(MuteTimes, RoutesAreQuietInsideMuteAndOutsideActiveTimes) {
  TimeInterval morning, evening;
  morning.times = {ParseTimesOfDay("06:00", "12:00").value()};
  evening.times = {ParseTimesOfDay("18:00", "24:00").value()};
  const auto times = MuteTimes::Make({{"morning", {morning}}, {"evening", {evening}}}).value();
  const Time eight = Utc("2026-11-24T08:00:00Z");
  EXPECT_TRUE(times.Muted({"morning"}, {}, eight));
  EXPECT_FALSE(times.Muted({"evening"}, {}, eight));
  EXPECT_TRUE(times.Muted({}, {"evening"}, eight));
  EXPECT_FALSE(times.Muted({}, {"evening", "morning"}, eight));
  EXPECT_FALSE(times.Muted({"unknown"}, {}, eight));
  EXPECT_FALSE(MuteTimes::Make({{"a", {}}, {"a", {}}}).has_value());
  const MaintenanceWindow window{"patching", ParseMatchers("service=db").value(), {morning}};
  EXPECT_TRUE(window.Mutes(std::vector<signal::LabelView>{{"service", "db"}}, eight));
  EXPECT_FALSE(window.Mutes(std::vector<signal::LabelView>{{"service", "web"}}, eight));
}

}  // namespace
}  // namespace tocsin::respond
