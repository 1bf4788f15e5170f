#include "kernel/time.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"

namespace tocsin {
namespace {

TEST(TimeTest, ParsesOffsetsAndFractions) {
  EXPECT_EQ(ParseTime("1970-01-01T00:00:01Z")->ns, 1'000'000'000);
  EXPECT_EQ(ParseTime("2026-11-24T03:10:05.25+01:00"), ParseTime("2026-11-24T02:10:05.250Z"));
  EXPECT_EQ(FormatTime(*ParseTime("2026-11-24T02:10:05.25Z")), "2026-11-24T02:10:05.250Z");
}

TEST(TimeTest, RefusesNonsenseWithTheText) {
  for (const char* bad : {"", "now", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-24T02:10:05",
                          "2026-11-24T25:00:00Z", "2026-11-24T02:10:05Zjunk", "9999-01-01T00:00:00Z"}) {
    EXPECT_FALSE(ParseTime(bad).has_value()) << bad;
  }
}

TEST(TimeTest, EveryInstantSurvivesARoundTrip) {
  Rng rng(1);
  for (int i = 0; i < 10'000; ++i) {
    const Time t{static_cast<int64_t>(rng.Below(4'000'000'000ULL * 1'000'000'000ULL))};
    ASSERT_EQ(ParseTime(FormatTime(t)).value(), t);
  }
}

TEST(TimeTest, DurationsReadAndWrite) {
  EXPECT_EQ(*ParseDuration("1h30m"), Duration::Minutes(90));
  EXPECT_EQ(*ParseDuration("250ms"), Duration::Millis(250));
  EXPECT_EQ(*ParseDuration("1y2w"), Duration::Hours(24 * 379));
  EXPECT_FALSE(ParseDuration("26000d26000d26000d26000d26000d26000d").has_value());  // no overflow
  for (const char* bad : {"", "5", "5 m", "m", "-5m", "5q"})
    EXPECT_FALSE(ParseDuration(bad).has_value()) << bad;
  EXPECT_EQ(FormatDuration(Duration::Seconds(65 * 60 + 4)), "1 h 05 min");
  EXPECT_EQ(FormatDuration(Duration::Millis(350)), "350 ms");
  EXPECT_EQ(FormatDuration(Duration::Seconds(130)), "2 min 10 s");
}

}  // namespace
}  // namespace tocsin
