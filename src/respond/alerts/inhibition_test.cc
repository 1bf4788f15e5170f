#include "respond/alerts/inhibition.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

Time At(int64_t seconds) { return Time{1'800'000'000LL * 1'000'000'000LL} + Duration::Seconds(seconds); }

InhibitRule Rule(const std::string& source, const std::string& target, std::vector<std::string> equal) {
  return {ParseMatchers(source).value(), ParseMatchers(target).value(), std::move(equal)};
}

TEST(Inhibition, ASourceQuietsItsTargetsWhileItFires) {
  Inhibitor inhibitor({Rule("severity=critical", "severity=warning", {"cluster"})});
  const signal::LabelSet source = {{"cluster", "a"}, {"severity", "critical"}};
  const signal::LabelSet same = {{"cluster", "a"}, {"severity", "warning"}};
  const signal::LabelSet other = {{"cluster", "b"}, {"severity", "warning"}};
  const signal::LabelViews s(source), t(same), o(other);
  inhibitor.Update(7, s, At(100));
  EXPECT_EQ(inhibitor.InhibitedBy(t, At(0)), 7u);
  EXPECT_EQ(inhibitor.InhibitedBy(o, At(0)), std::nullopt);
  EXPECT_EQ(inhibitor.InhibitedBy(s, At(0)), std::nullopt);
  EXPECT_EQ(inhibitor.InhibitedBy(t, At(100)), std::nullopt);
  inhibitor.Update(7, s, At(200));
  EXPECT_EQ(inhibitor.InhibitedBy(t, At(100)), 7u);
  inhibitor.Remove(7);
  EXPECT_EQ(inhibitor.InhibitedBy(t, At(0)), std::nullopt);
  EXPECT_EQ(inhibitor.sources(), 0u);
}

TEST(Inhibition, AlertsOnBothSidesDoNotQuietEachOther) {
  Inhibitor inhibitor({Rule("a=1", "b=1", {})});
  const signal::LabelSet both = {{"a", "1"}, {"b", "1"}};
  const signal::LabelSet target = {{"b", "1"}};
  const signal::LabelViews b(both), t(target);
  inhibitor.Update(1, b, At(10));
  inhibitor.Update(2, b, At(10));
  EXPECT_EQ(inhibitor.InhibitedBy(b, At(0)), std::nullopt);
  EXPECT_TRUE(inhibitor.InhibitedBy(t, At(0)).has_value());
}

struct Known {
  signal::LabelSet labels;
  Time ends_at;
};

// The definition, read aloud: every rule against every pair.
std::vector<bool> ByRule(const std::vector<InhibitRule>& rules, const std::map<uint64_t, Known>& all,
                         signal::Labels labels, Time now) {
  std::vector<bool> out;
  for (const InhibitRule& rule : rules) {
    bool quiet = false;
    for (const auto& [fp, source] : all) {
      const signal::LabelViews views(source.labels);
      if (source.ends_at <= now || !MatchesAll(rule.target_matchers, labels)) continue;
      if (!MatchesAll(rule.source_matchers, views)) continue;
      if (MatchesAll(rule.source_matchers, labels) && MatchesAll(rule.target_matchers, views)) continue;
      bool equal = true;
      for (const auto& name : rule.equal) {
        equal = equal && signal::LabelValue(labels, name) == signal::LabelValue(views, name);
      }
      quiet = quiet || equal;
    }
    out.push_back(quiet);
  }
  return out;
}

TEST(Inhibition, AgreesWithAPlainReference) {
  Rng rng(5);
  const std::vector<InhibitRule> rules = {
      Rule("s=x", "t=~y|z", {"c"}), Rule("s=~\"x|y\"", "s=~\"y|z\"", {"c", "d"}), Rule("t!=y", "s=z", {})};
  const auto value = [&] { return std::vector<std::string>{"", "x", "y", "z"}[rng.Below(4)]; };
  Inhibitor inhibitor(rules);
  std::map<uint64_t, Known> all;
  size_t quiet_count = 0;
  for (int64_t now = 0; now < 2000; ++now) {
    const uint64_t fp = rng.Below(12);
    if (rng.Below(3) == 0) {
      inhibitor.Remove(fp);
      all.erase(fp);
    } else {
      signal::LabelSet labels = {{"c", value()}, {"d", value()}, {"s", value()}, {"t", value()}};
      signal::NormalizeLabels(labels);
      const Time ends_at = At(now + static_cast<int64_t>(rng.Below(20)));
      inhibitor.Update(fp, signal::LabelViews(labels), ends_at);
      all[fp] = {labels, ends_at};
    }
    for (const auto& [id, known] : all) {
      const signal::LabelViews labels(known.labels);
      const auto expected = ByRule(rules, all, labels, At(now));
      const bool quiet = std::find(expected.begin(), expected.end(), true) != expected.end();
      const auto got = inhibitor.InhibitedBy(labels, At(now));
      ASSERT_EQ(got.has_value(), quiet) << now;
      EXPECT_EQ(inhibitor.AllInhibitors(labels, At(now)).empty(), !quiet);
      if (got) {
        ++quiet_count;
        EXPECT_NE(*got, id);
        EXPECT_GT(all.at(*got).ends_at, At(now));
      }
    }
  }
  EXPECT_GT(quiet_count, 100u);
}

// Half of 100,000 alerts may inhibit the other half: linear, not quadratic.
TEST(Inhibition, AHundredThousandAlertsAreDecidedWithinASecond) {
  Inhibitor inhibitor({Rule("severity=critical", "severity=warning", {"cluster"})});
  std::vector<signal::LabelSet> all;
  for (size_t i = 0; i < 100'000; ++i) {
    all.push_back({{"alertname", "A" + std::to_string(i)},
                   {"cluster", "c" + std::to_string(i / 2 % 10)},
                   {"severity", i % 2 == 0 ? "critical" : "warning"}});
  }
  const auto start = std::chrono::steady_clock::now();
  for (size_t i = 0; i < all.size(); ++i) inhibitor.Update(i, signal::LabelViews(all[i]), At(100));
  size_t quiet = 0;
  for (const auto& labels : all)
    quiet += inhibitor.InhibitedBy(signal::LabelViews(labels), At(0)).has_value();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_EQ(quiet, 50'000u);
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 10.0);  // about 0.2 on one core; the room is for sanitizers and busy machines
}

}  // namespace
}  // namespace tocsin::respond
