// RankDetector: the promised run length under no change, and power for rare values.
#include "detect/internal/rank_detector.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernel/rng.h"
#include "stats/change_point.h"

namespace tocsin::detect {
namespace {

// Generations until the alarm, at most `limit`.
uint64_t RunLength(uint64_t seed, double rate_before, double rate_after, uint64_t change, double alpha,
                   uint64_t limit) {
  Rng rng(seed);
  RankDetector detector(1, 2);
  for (uint64_t t = 1; t <= limit; ++t) {
    const bool hit = rng.Uniform() < (t <= change ? rate_before : rate_after);
    detector.Add(0, hit ? 1 : 0, rng.Uniform());
    if (detector.log_e_value() >= -std::log(alpha)) return t;
  }
  return limit;
}

TEST(RankDetector, KeepsThePromisedRunLengthUnderNoChange) {
  // E[tau] >= 1/alpha = 200; runs are cut at 1000, which only lowers the mean.
  for (const double rate : {0.002, 0.1, 0.5}) {
    double total = 0;
    for (uint64_t seed = 0; seed < 200; ++seed)
      total += static_cast<double>(RunLength(seed, rate, rate, 0, 1.0 / 200, 1000));
    EXPECT_GE(total / 200, 200) << "rate " << rate;
  }
}

TEST(RankDetector, PaymentsAreFairForEveryBet) {
  // The mean of each bet's factor over uniform p is one: what the guarantee rests on.
  for (size_t bet = 0; bet < kBets; ++bet) {
    double sum = 0;
    constexpr int kSteps = 1'000'000;
    for (int i = 0; i < kSteps; ++i) sum += BetFactor(bet, (i + 0.5) / kSteps);
    EXPECT_NEAR(sum / kSteps, 1.0, 1e-6) << bet;
  }
}

TEST(RankDetector, FindsARareEventWithinAFewHits) {
  // At a share of alpha of one in 100,000: from never to 4 % after 3,000 values, to 10 % after 600.
  double few = 0, many = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    few += static_cast<double>(RunLength(seed, 0, 0.04, 3000, 1e-5, 6000)) - 3000;
    many += static_cast<double>(RunLength(seed, 0, 0.10, 600, 1e-5, 3000)) - 600;
  }
  EXPECT_LE(few / 50, 220);
  EXPECT_LE(many / 50, 150);
}

TEST(RankDetector, FindsAFallToo) {
  Rng rng(3);
  RankDetector detector(1, 64);
  for (int i = 0; i < 500; ++i) detector.Add(0, 30 + rng.Below(10), rng.Uniform());
  for (int i = 0; i < 150; ++i) detector.Add(0, 22 + rng.Below(10), rng.Uniform());
  EXPECT_GE(detector.log_e_value(-1), std::log(1e6));
  EXPECT_LT(detector.log_e_value(+1), std::log(1e4));
  EXPECT_FALSE(detector.leans_up());
}

TEST(RankDetector, ContinuesFromItsState) {
  Rng rng(5);
  RankDetector a(8, 64), b(8, 64);
  for (int i = 0; i < 300; ++i) a.Add(rng.Below(8), rng.Below(64), rng.Uniform());
  ByteWriter out;
  a.Save(out);
  const std::string bytes = out.Take();
  ByteReader in(bytes);
  ASSERT_TRUE(b.Restore(in));
  Rng twin(9), other(9);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(a.Add(twin.Below(8), twin.Below(64), twin.Uniform()),
              b.Add(other.Below(8), other.Below(64), other.Uniform()));
  }
  EXPECT_EQ(a.log_e_value(), b.log_e_value());
  RankDetector foreign(1, 2);
  ByteReader again(bytes);
  EXPECT_FALSE(foreign.Restore(again));
}

TEST(ChangePoint, FindsTheSplitAndCoversIt) {
  int covered = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Rng rng(seed);
    std::vector<double> values;
    for (int i = 0; i < 300; ++i) values.push_back(rng.Uniform() + (i >= 200 ? 0.35 : 0));
    const OnsetIndex onset = stats::ChangePoint(values, seed);
    ASSERT_TRUE(onset.known);
    if (onset.low <= 200 && 200 <= onset.high) ++covered;
  }
  EXPECT_GE(covered, 80);
}

}  // namespace
}  // namespace tocsin::detect
