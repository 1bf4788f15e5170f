#include "respond/notify/preferences.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

Time At(const std::string& text) { return *ParseTime(text); }
Duration Utc(Time) { return {}; }
// Berlin in October 2026: the clocks go back an hour at 01:00 UTC on the 25th.
Duration Berlin(Time at) { return Duration::Hours(at < *ParseTime("2026-10-25T01:00:00Z") ? 2 : 1); }

Preferences Ada() {
  Preferences ada;
  ada.person = "ada";
  ada.channels = {{"high", {"phone", "slack"}}, {"low", {"mail"}}};
  ada.quiet = {QuietHours{}};
  return ada;
}

TEST(Preferences, UrgencyChoosesTheListAndAnyListIsBetterThanNone) {
  EXPECT_EQ(UrgencyOf("sev1"), "high");
  EXPECT_EQ(UrgencyOf("sev3"), "low");
  EXPECT_EQ(UrgencyOf("unheard of"), "high");
  const Time noon = At("2026-11-24T12:00:00Z");
  EXPECT_EQ(PlanChannels(Ada(), "high", false, noon, Utc).destinations,
            (std::vector<std::string>{"phone", "slack"}));
  EXPECT_EQ(PlanChannels(Ada(), "low", false, noon, Utc).destinations, (std::vector<std::string>{"mail"}));
  Preferences only_low = Ada();
  only_low.channels.erase("high");
  EXPECT_EQ(PlanChannels(only_low, "high", false, noon, Utc).destinations,
            (std::vector<std::string>{"mail"}));
  const auto nothing =
      PlanChannels(Preferences{.person = "bob", .channels = {}, .quiet = {}, .quiet_channels = {}}, "high",
                   true, noon, Utc);
  EXPECT_TRUE(nothing.destinations.empty());
  EXPECT_EQ(nothing.reason, "bob has no channel to be told by");
}

TEST(Preferences, QuietHoursPutOffWhatIsNotUrgentAndNeverTheLastStep) {
  const Time night = At("2026-11-24T02:30:20Z");
  const auto low = PlanChannels(Ada(), "low", false, night, Utc);
  EXPECT_EQ(FormatTime(low.not_before), "2026-11-24T07:00:00Z");
  EXPECT_EQ(low.reason, "quiet hours until 07:00, then mail");
  EXPECT_EQ(PlanChannels(Ada(), "high", false, night, Utc).not_before, night);
  EXPECT_EQ(PlanChannels(Ada(), "low", true, night, Utc).not_before, night);
  Preferences strict = Ada();
  strict.quiet[0].urgencies = {"low", "high"};
  EXPECT_EQ(FormatTime(PlanChannels(strict, "high", false, night, Utc).not_before), "2026-11-24T07:00:00Z");
  EXPECT_EQ(PlanChannels(strict, "high", true, night, Utc).not_before, night);
  strict.quiet_channels = {"ada-mail"};
  const auto other = PlanChannels(strict, "high", false, night, Utc);
  EXPECT_EQ(other.destinations, (std::vector<std::string>{"ada-mail"}));
  EXPECT_EQ(other.not_before, night);
  EXPECT_EQ(PlanChannels(strict, "high", true, night, Utc).destinations[0], "phone");
}

TEST(Preferences, QuietHoursAreLocalAlsoWhenTheClocksChange) {
  // 22:30 in Berlin on the 24th; the night is an hour longer, so 07:00 there is 06:00 UTC, not 05:00.
  const auto plan = PlanChannels(Ada(), "low", false, At("2026-10-24T20:30:00Z"), Berlin);
  EXPECT_EQ(FormatTime(plan.not_before), "2026-10-25T06:00:00Z");
  EXPECT_EQ(PlanChannels(Ada(), "low", false, At("2026-10-24T19:59:00Z"), Berlin).reason, "mail");
}

TEST(Preferences, DaysAreThoseOnWhichTheHoursBegin) {
  Preferences ada = Ada();
  ada.quiet[0].days = 1U << 4U;  // the night from Friday to Saturday only
  EXPECT_GT(PlanChannels(ada, "low", false, At("2026-11-28T03:00:00Z"), Utc).not_before,
            At("2026-11-28T03:00:00Z"));  // Saturday before dawn
  EXPECT_EQ(PlanChannels(ada, "low", false, At("2026-11-27T03:00:00Z"), Utc).not_before,
            At("2026-11-27T03:00:00Z"));  // Friday before dawn
  ada.quiet[0] = {.from_minute = 0, .to_minute = 0};
  const auto for_ever = PlanChannels(ada, "low", false, At("2026-11-27T03:00:00Z"), Utc);
  EXPECT_EQ(for_ever.not_before, At("2026-11-27T03:00:00Z"));
  EXPECT_NE(for_ever.reason.find("never end"), std::string::npos);
}

TEST(Preferences, NoPlanPutsOffTheLastStepOrIntoThePast) {
  Rng rng(11);
  for (int i = 0; i < 400; ++i) {
    Preferences random = Ada();
    random.quiet.clear();
    for (uint64_t n = rng.Below(3); n > 0; --n) {
      QuietHours quiet;
      quiet.from_minute = static_cast<int>(rng.Below(1440));
      quiet.to_minute = static_cast<int>(rng.Below(1440));
      quiet.days = static_cast<uint8_t>(rng.Below(128));
      quiet.urgencies = {"low", "high"};
      random.quiet.push_back(quiet);
    }
    const Time now = At("2026-10-20T00:00:00Z") + Duration::Seconds(static_cast<int64_t>(rng.Below(864'000)));
    EXPECT_EQ(PlanChannels(random, "low", true, now, Berlin).not_before, now);
    const auto plan = PlanChannels(random, "low", false, now, Berlin);
    EXPECT_GE(plan.not_before, now);
    if (plan.not_before > now) {  // then it is not quiet any more, and it was a moment before
      EXPECT_EQ(PlanChannels(random, "low", false, plan.not_before, Berlin).not_before, plan.not_before);
      const Time before = plan.not_before - Duration::Seconds(1);
      if (before >= now) {
        EXPECT_GT(PlanChannels(random, "low", false, before, Berlin).not_before, before);
      }
    }
  }
}

TEST(Preferences, MistakesAreNamed) {
  const auto known = [](const std::string& name) { return name != "pigeon"; };
  EXPECT_TRUE(CheckPreferences(Ada(), known).ok());
  Preferences bad = Ada();
  bad.channels["low"] = {"pigeon"};
  EXPECT_EQ(CheckPreferences(bad, known).message(), "ada: channels.low: there is no destination 'pigeon'");
  bad = Ada();
  bad.quiet[0].to_minute = 1440;
  EXPECT_EQ(CheckPreferences(bad, known).message(), "ada: quiet[0]: a time must be 00:00 … 23:59");
  bad = Ada();
  bad.channels = {{"urgent", {"mail"}}};
  EXPECT_EQ(CheckPreferences(bad, known).code(), Code::kInvalidArgument);
  bad.channels.clear();
  EXPECT_EQ(CheckPreferences(bad, known).message(), "ada: channels: name at least one destination");
}

}  // namespace
}  // namespace tocsin::respond
