#include "respond/alerts/alert_table.h"

#include <gtest/gtest.h>

#include <map>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

constexpr Time kStart{1'800'000'000LL * 1'000'000'000LL};
Time At(int64_t seconds) { return kStart + Duration::Seconds(seconds); }

signal::Alert MakeAlert(signal::LabelSet labels, int64_t starts, int64_t ends, int64_t updated) {
  signal::Alert alert;
  alert.labels = std::move(labels);
  signal::NormalizeLabels(alert.labels);
  alert.fingerprint = signal::FingerprintOf(alert.labels);
  alert.starts_at = At(starts);
  alert.ends_at = At(ends);
  alert.updated_at = At(updated);
  return alert;
}

using Change = AlertTable::Change;

TEST(AlertTable, NewsOfOneAlertIsMerged) {
  AlertTable table;
  EXPECT_EQ(table.Merge(MakeAlert({{"a", "1"}}, 0, 300, 0), At(0))->change, Change::kNew);
  // A restarted sender says it started later: the earlier start stays, the end moves on.
  const auto again = table.Merge(MakeAlert({{"a", "1"}}, 60, 360, 60), At(60));
  EXPECT_EQ(again->change, Change::kUpdated);
  EXPECT_EQ(again->starts_at, At(0));
  EXPECT_EQ(again->ends_at, At(360));
  const auto over = table.Merge(MakeAlert({{"a", "1"}}, 0, 100, 100), At(100));
  EXPECT_EQ(over->change, Change::kResolved);
  EXPECT_EQ(over->ends_at, At(100));
  const auto back = table.Merge(MakeAlert({{"a", "1"}}, 200, 500, 200), At(200));
  EXPECT_EQ(back->change, Change::kFiredAgain);
  EXPECT_EQ(back->starts_at, At(200));
  EXPECT_EQ(table.size(), 1u);
}

TEST(AlertTable, AnAssumedEndDoesNotCutAStatedOneShort) {
  AlertTable table;
  (void)table.Merge(MakeAlert({{"a", "1"}}, 0, 3600, 0), At(0));
  signal::Alert assumed = MakeAlert({{"a", "1"}}, 10, 310, 10);
  assumed.assumed_end = true;
  EXPECT_EQ(table.Merge(assumed, At(10))->ends_at, At(3600));
  AlertTable other;
  assumed.ends_at = At(3600);
  (void)other.Merge(assumed, At(10));
  EXPECT_EQ(other.Merge(MakeAlert({{"a", "1"}}, 20, 320, 20), At(20))->ends_at, At(320));
}

TEST(AlertTable, AnAlertKnownByAKeyMayChangeItsLabels) {
  AlertTable table;
  signal::Alert alert = MakeAlert({{"dedup_key", "k"}, {"severity", "warning"}}, 0, 300, 0);
  (void)table.Merge(alert, At(0));
  alert.labels = {{"dedup_key", "k"}, {"severity", "critical"}};
  alert.updated_at = At(1);
  (void)table.Merge(alert, At(1));
  size_t warnings = 0, criticals = 0;
  table.ForEach(ParseMatchers("severity=warning").value(), [&](const auto&) { return ++warnings > 0; });
  table.ForEach(ParseMatchers("severity=critical").value(), [&](const auto&) { return ++criticals > 0; });
  EXPECT_EQ(warnings, 0u);
  EXPECT_EQ(criticals, 1u);
  EXPECT_EQ(table.Resolve(alert.fingerprint, At(5))->ends_at, At(5));
  EXPECT_EQ(table.Resolve(alert.fingerprint, At(6)).error().code(), Code::kNotFound);
}

TEST(AlertTable, TheBoundHoldsAndResolvedOnesGiveWay) {
  AlertTable table({.max_alerts = 2, .keep_resolved = Duration::Hours(1)});
  (void)table.Merge(MakeAlert({{"a", "1"}}, 0, 10, 0), At(0));
  (void)table.Merge(MakeAlert({{"a", "2"}}, 0, 1000, 0), At(0));
  EXPECT_EQ(table.Merge(MakeAlert({{"a", "3"}}, 5, 1000, 5), At(5)).error().code(), Code::kResourceExhausted);
  EXPECT_TRUE(table.Merge(MakeAlert({{"a", "2"}}, 5, 1000, 5), At(5)).has_value());
  EXPECT_TRUE(table.Merge(MakeAlert({{"a", "3"}}, 20, 1000, 20), At(20)).has_value());
  EXPECT_EQ(table.size(), 2u);
}

// A full table used to be searched for room for each alert of a flood.
TEST(AlertTable, AFloodIntoAFullTableIsRefusedQuickly) {
  AlertTable table({.max_alerts = 50'000});
  for (int i = 0; i < 50'000; ++i)
    (void)table.Merge(MakeAlert({{"a", std::to_string(i)}}, 0, 1000, 0), At(0));
  size_t refused = 0;
  for (int i = 50'000; i < 150'000; ++i) {
    refused += table.Merge(MakeAlert({{"a", std::to_string(i)}}, 0, 1000, 1), At(1)).has_value() ? 0u : 1u;
  }
  EXPECT_EQ(refused, 100'000u);  // a search each would take minutes, and this test its time-out
}

// Random merges, resolutions, collections and queries against a map that does the same slowly; then a
// snapshot.
TEST(AlertTable, AgreesWithAPlainReference) {
  Rng rng(3);
  AlertTable table({.max_alerts = 100'000, .keep_resolved = Duration::Seconds(50)});
  std::map<uint64_t, signal::Alert> reference;
  for (int64_t now = 1; now < 3000; ++now) {
    signal::LabelSet labels = {{"alertname", "A" + std::to_string(rng.Below(5))},
                               {"service", "s" + std::to_string(rng.Below(8))},
                               {"instance", "i" + std::to_string(rng.Below(20))}};
    signal::Alert alert = MakeAlert(labels, now, now + 1 + static_cast<int64_t>(rng.Below(100)), now);
    alert.annotations = {{"summary", "n" + std::to_string(rng.Below(1000))}};
    const auto merged = table.Merge(alert, At(now));
    ASSERT_TRUE(merged.has_value());
    alert.starts_at = merged->starts_at;
    alert.ends_at = merged->ends_at;
    reference[alert.fingerprint] = alert;
    if (rng.Below(50) == 0) {
      const auto gone = table.Collect(At(now));
      std::vector<uint64_t> expected;
      for (const auto& [fp, known] : reference) {
        if (At(now) - known.ends_at >= Duration::Seconds(50)) expected.push_back(fp);
      }
      EXPECT_EQ(gone, expected);
      for (const uint64_t fp : expected) reference.erase(fp);
    }
    if (now % 10 != 0) continue;
    const auto matchers =
        ParseMatchers("service=s" + std::to_string(rng.Below(8)) + ",alertname!=A1,instance=~\"i[0-9]\"")
            .value();
    std::vector<uint64_t> got, expected;
    table.ForEach(matchers, [&](const AlertTable::View& view) {
      got.push_back(view.fingerprint);
      return true;
    });
    std::sort(got.begin(), got.end());
    for (const auto& [fp, known] : reference) {
      if (MatchesAll(matchers, signal::LabelViews(known.labels))) expected.push_back(fp);
    }
    ASSERT_EQ(got, expected) << now;
  }
  const std::string bytes = table.Save();
  const auto loaded = AlertTable::Load(bytes, {});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().ToString();
  EXPECT_EQ(loaded->size(), reference.size());
  for (const auto& [fp, known] : reference) {
    const auto alert = loaded->Get(fp);
    ASSERT_TRUE(alert.has_value());
    EXPECT_EQ(alert->labels, known.labels);
    EXPECT_EQ(alert->annotations, known.annotations);
    EXPECT_EQ(alert->ends_at, known.ends_at);
  }
  for (size_t cut = 0; cut < bytes.size(); cut += 97) {
    EXPECT_EQ(AlertTable::Load(std::string_view(bytes).substr(0, cut), {}).error().code(), Code::kDataLoss);
  }
}

}  // namespace
}  // namespace tocsin::respond
