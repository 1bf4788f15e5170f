#include "respond/alerts/silences.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

Time At(int64_t seconds) { return Time{1'800'000'000LL * 1'000'000'000LL} + Duration::Seconds(seconds); }

Silence Make(const std::string& matchers, int64_t starts, int64_t ends) {
  Silence silence;
  silence.matchers = ParseMatchers(matchers).value();
  silence.starts_at = At(starts);
  silence.ends_at = At(ends);
  silence.created_by = "ada";
  silence.comment = "planned";
  return silence;
}

TEST(Silences, GoFromPendingToActiveToExpired) {
  Silences silences;
  EXPECT_EQ(silences.Set(Make("a=1", 10, 20), "s1", At(0)).value(), "s1");
  const signal::LabelSet set = {{"a", "1"}};
  const signal::LabelViews labels(set);
  EXPECT_FALSE(silences.Silenced(labels, At(9)));
  EXPECT_EQ(silences.Find("s1")->StateAt(At(9)), "pending");
  EXPECT_EQ(silences.Silencing(labels, At(10)), std::vector<std::string>{"s1"});
  EXPECT_FALSE(silences.Silenced(labels, At(20)));
  EXPECT_EQ(silences.Find("s1")->StateAt(At(20)), "expired");
  EXPECT_EQ(silences.Collect(At(21)), 0u);
  EXPECT_EQ(silences.Collect(At(20 + 120 * 3600)), 1u);
  EXPECT_EQ(silences.Find("s1"), nullptr);
}

TEST(Silences, AnUpdateKeepsTheIdOnlyWithTheSameMatchers) {
  Silences silences;
  ASSERT_TRUE(silences.Set(Make("a=1", 0, 100), "s1", At(0)).has_value());
  Silence longer = Make("a=1", 50, 500);
  longer.id = "s1";
  EXPECT_EQ(silences.Set(longer, "s2", At(50)).value(), "s1");
  EXPECT_EQ(silences.Find("s1")->starts_at, At(0));
  Silence wider = Make("a=~\"1|2\"", 60, 500);
  wider.id = "s1";
  EXPECT_EQ(silences.Set(wider, "s2", At(60)).value(), "s2");
  EXPECT_EQ(silences.Find("s1")->StateAt(At(60)), "expired");
  EXPECT_TRUE(silences.Silenced(std::vector<signal::LabelView>{{"a", "2"}}, At(60)));
  EXPECT_EQ(silences.Query({}).size(), 2u);
  EXPECT_TRUE(silences.Expire("s2", At(70)).ok());
  EXPECT_EQ(silences.Expire("s2", At(71)).code(), Code::kFailedPrecondition);
  EXPECT_EQ(silences.Expire("s9", At(71)).code(), Code::kNotFound);
}

TEST(Silences, RefusesWhatCannotBeMeant) {
  Silences silences({.max_silences = 1});
  const auto message = [&](Silence silence) {
    return silences.Set(std::move(silence), "n", At(0)).error().message();
  };
  EXPECT_EQ(message(Make("a=1", 5, 5)), "endsAt: must be after startsAt");
  EXPECT_EQ(message(Make("a=~.*", 0, 10)),
            "matchers: at least one must not match an empty value, or everything would be silenced");
  EXPECT_EQ(message(Make("{}", 0, 10)), "matchers: at least one is required");
  EXPECT_EQ(message(Make("a=1", -20, -10)), "endsAt: must be after startsAt");
  ASSERT_TRUE(silences.Set(Make("a=1", 0, 10), "one", At(0)).has_value());
  EXPECT_EQ(silences.Set(Make("a=2", 0, 10), "two", At(0)).error().code(), Code::kResourceExhausted);
}

TEST(Silences, IdsAreUuids) {
  EXPECT_EQ(MakeSilenceId(0x0123456789abcdefULL, 0x0123456789abcdefULL),
            "01234567-89ab-4def-8123-456789abcdef");
}

// Random creations, updates, expiries and snapshots; each check against trying every silence.
TEST(Silences, AgreeWithAPlainReference) {
  Rng rng(9);
  Silences silences({.max_silences = 10'000, .keep_expired = Duration::Seconds(100)});
  std::vector<std::string> ids;
  const std::vector<std::string> texts = {"a=1",      "a=1,b=2",    "b=~\"1|2\"",
                                          "a!=1,b=1", "c=~x.*,a=2", "b=3,c!~x.*"};
  const std::vector<std::string> values = {"", "1", "2", "3", "xy"};
  size_t quiet = 0;
  for (int64_t now = 0; now < 3000; ++now) {
    if (rng.Below(4) == 0) {
      Silence silence =
          Make(texts[rng.Below(texts.size())], now + static_cast<int64_t>(rng.Below(30)), now + 60);
      if (!ids.empty() && rng.Below(2) == 0) silence.id = ids[rng.Below(ids.size())];
      const auto id = silences.Set(std::move(silence), "s" + std::to_string(now), At(now));
      if (id.has_value()) ids.push_back(*id);
    }
    if (!ids.empty() && rng.Below(9) == 0) (void)silences.Expire(ids[rng.Below(ids.size())], At(now));
    if (rng.Below(40) == 0) silences.Collect(At(now));
    if (rng.Below(100) == 0)
      silences = Silences::Load(silences.Save(), {.keep_expired = Duration::Seconds(100)}).value();
    signal::LabelSet set = {
        {"a", values[rng.Below(5)]}, {"b", values[rng.Below(5)]}, {"c", values[rng.Below(5)]}};
    signal::NormalizeLabels(set);
    const signal::LabelViews labels(set);
    std::vector<std::string> expected;
    for (const Silence* silence : silences.Query({})) {
      const bool active = silence->starts_at <= At(now) && At(now) < silence->ends_at;
      if (active && MatchesAll(silence->matchers, labels)) expected.push_back(silence->id);
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(silences.Silencing(labels, At(now)), expected) << now;
    EXPECT_EQ(silences.Silenced(labels, At(now)), !expected.empty());
    quiet += expected.size();
  }
  EXPECT_GT(quiet, 1000u);
}

}  // namespace
}  // namespace tocsin::respond
