// Coverage of the intervals, e-BH, and the small special functions behind them.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernel/rng.h"
#include "stats/betting_cs.h"
#include "stats/clopper_pearson.h"
#include "stats/e_bh.h"
#include "stats/special_functions.h"

namespace tocsin::stats {
namespace {

TEST(SpecialFunctions, KnownValues) {
  EXPECT_NEAR(IncompleteBeta(2.0, 3.0, 0.4), 0.5248, 1e-12);
  EXPECT_NEAR(IncompleteBeta(0.5, 0.5, 0.5), 0.5, 1e-12);
  EXPECT_NEAR(InverseIncompleteBeta(2.0, 3.0, 0.5248), 0.4, 1e-9);
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-9);
  EXPECT_NEAR(NormalCdf(1.959963984540054), 0.975, 1e-12);
}

TEST(ClopperPearson, KnownValues) {
  const Interval none = ClopperPearson(0, 30);
  EXPECT_EQ(none.low, 0.0);
  EXPECT_NEAR(none.high, 1.0 - std::pow(0.025, 1.0 / 30.0), 1e-10);
  const Interval some = ClopperPearson(5, 20);
  EXPECT_NEAR(some.low, 0.08657, 1e-4);
  EXPECT_NEAR(some.high, 0.49105, 1e-4);
  EXPECT_EQ(ClopperPearson(20, 20).high, 1.0);
  EXPECT_EQ(ClopperPearson(0, 0).high, 1.0);
}

TEST(ClopperPearson, CoversEveryRateAtItsLevel) {
  for (double p : {0.01, 0.1, 0.37, 0.5, 0.93}) {
    constexpr int kN = 40;
    double covered = 0.0;
    for (int k = 0; k <= kN; ++k) {  // exact: sums the binomial
      const Interval i = ClopperPearson(static_cast<uint64_t>(k), kN, 0.9);
      if (p < i.low || p > i.high) continue;
      covered += std::exp(std::lgamma(kN + 1.0) - std::lgamma(k + 1.0) - std::lgamma(kN - k + 1.0) +
                          k * std::log(p) + (kN - k) * std::log1p(-p));
    }
    EXPECT_GE(covered, 0.9) << p;
  }
}

TEST(BettingConfidenceSequence, CoversAtAllTimesAtOnce) {
  Rng rng(21);
  int missed = 0;
  constexpr int kRuns = 400;
  for (int r = 0; r < kRuns; ++r) {
    BettingConfidenceSequence cs(0.1, 0.0, 1.0, 200);
    for (int t = 0; t < 300; ++t) cs.Add(rng.Uniform() < 0.3 ? 1.0 : 0.0);
    const Interval i = cs.interval();  // the running intersection: a miss at any time is a miss here
    missed += (i.low > 0.3 || i.high < 0.3) ? 1 : 0;
  }
  EXPECT_LE(missed, kRuns * 0.1 + 3.0 * std::sqrt(kRuns * 0.09));
}

TEST(BettingConfidenceSequence, NarrowsWithDataAndLittleVariance) {
  Rng rng(22);
  BettingConfidenceSequence wide(0.05, -1.0, 3.0);
  BettingConfidenceSequence narrow(0.05, -1.0, 3.0);
  for (int t = 0; t < 1'000; ++t) {
    wide.Add(rng.Uniform() < 0.5 ? -1.0 : 3.0);
    narrow.Add(1.0 + 0.1 * (rng.Uniform() - 0.5));
  }
  EXPECT_LT(wide.interval().high - wide.interval().low, 0.8);
  EXPECT_LT(narrow.interval().high - narrow.interval().low, 0.15);
  EXPECT_LE(narrow.interval().low, 1.0);
  EXPECT_GE(narrow.interval().high, 1.0);
}

TEST(BettingConfidenceSequence, RestoresAndIgnoresNan) {
  BettingConfidenceSequence a;
  for (int t = 0; t < 50; ++t) a.Add(t % 3 == 0 ? 1.0 : 0.0);
  a.Add(std::nan(""));
  EXPECT_EQ(a.count(), 50U);
  StateWriter out;
  a.Save(out);
  const std::string bytes = out.Take();
  StateReader in(bytes);
  BettingConfidenceSequence b;
  ASSERT_TRUE(b.Restore(in));
  a.Add(1.0);
  b.Add(1.0);
  EXPECT_EQ(a.interval().low, b.interval().low);
  EXPECT_EQ(a.interval().high, b.interval().high);
}

TEST(EBenjaminiHochberg, RejectsByTheRule) {
  const auto log_of = [](std::vector<double> e) {
    for (double& x : e) x = std::log(x);
    return e;
  };
  EXPECT_TRUE(EBenjaminiHochberg({}, 0.1).empty());
  EXPECT_TRUE(EBenjaminiHochberg(log_of({1, 2, 3, 4}), 0.1).empty());
  // K = 4, fdr 0.1: one needs 40, two need 20 each.
  EXPECT_EQ(EBenjaminiHochberg(log_of({25, 1, 21, 3}), 0.1), (std::vector<size_t>{0, 2}));
  EXPECT_EQ(EBenjaminiHochberg(log_of({1, 41, 2, 3}), 0.1), (std::vector<size_t>{1}));
  std::vector<double> with_nan = log_of({1, 41, 2, 3});
  with_nan[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(EBenjaminiHochberg(with_nan, 0.1), (std::vector<size_t>{1}));
}

TEST(EBenjaminiHochberg, ControlsFalseDiscoveries) {
  Rng rng(23);
  double false_share = 0.0;
  constexpr int kRuns = 2'000;
  for (int r = 0; r < kRuns; ++r) {
    std::vector<double> logs;
    for (int k = 0; k < 20; ++k) {
      const bool real = k < 4;
      // A two-point e-value of mean about one under the null: 200 with probability 1/200.
      logs.push_back(real ? std::log(200.0) : (rng.Uniform() < 0.005 ? std::log(200.0) : -5.0));
    }
    const auto rejected = EBenjaminiHochberg(logs, 0.1);
    double wrong = 0.0;
    for (size_t i : rejected) wrong += i >= 4 ? 1.0 : 0.0;
    if (!rejected.empty()) false_share += wrong / static_cast<double>(rejected.size());
  }
  EXPECT_LE(false_share / kRuns, 0.1);
}

}  // namespace
}  // namespace tocsin::stats
