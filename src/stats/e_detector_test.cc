// What theory promises of e-detectors, asserted with fixed seeds.
#include "stats/e_detector.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernel/rng.h"

namespace tocsin::stats {
namespace {

double RunLength(Rng& rng, double alpha, Sided sided, double up_probability) {
  EDetector detector(sided);
  for (uint64_t t = 1; t <= 200'000; ++t) {
    detector.Add(rng.Uniform() < up_probability ? 1.0 : -1.0);
    if (detector.Alarm(alpha)) return static_cast<double>(t);
  }
  return 200'000.0;
}

double MeanRunLength(uint64_t seed, double alpha, Sided sided, double up_probability, int runs) {
  Rng rng(seed);
  double sum = 0.0;
  for (int r = 0; r < runs; ++r) sum += RunLength(rng, alpha, sided, up_probability);
  return sum / runs;
}

TEST(EDetector, MeanRunLengthUnderNullIsAtLeastPromised) {
  // Standard error is about 5 % with 400 runs: 0.85 of the promise leaves three of them.
  EXPECT_GE(MeanRunLength(1, 0.01, Sided::kUpper, 0.5, 400), 0.85 / 0.01);
  EXPECT_GE(MeanRunLength(2, 0.01, Sided::kTwo, 0.5, 400), 0.85 / 0.01);
}

TEST(EDetector, DetectsAShiftSoon) {
  EXPECT_LE(MeanRunLength(3, 0.001, Sided::kUpper, 0.75, 100), 80.0);
  EXPECT_LE(MeanRunLength(4, 0.001, Sided::kTwo, 0.25, 100), 90.0);
}

TEST(EDetector, OneSidedIsBlindToTheOtherSide) {
  EXPECT_GE(MeanRunLength(5, 0.01, Sided::kUpper, 0.2, 20), 100'000.0);
}

TEST(EDetector, ExcessOverTimeHasMeanAtMostZero) {
  Rng rng(6);
  double sum = 0.0;
  constexpr int kRuns = 20'000;
  constexpr int kSteps = 30;
  for (int r = 0; r < kRuns; ++r) {
    EDetector detector(Sided::kTwo);
    for (int t = 0; t < kSteps; ++t) detector.Add(rng.Uniform() * 2.0 - 1.0);
    sum += std::exp(detector.log_e_value());
  }
  EXPECT_NEAR(sum / kRuns, kSteps, 1.5);  // M_t - t is a martingale for a symmetric payoff
}

TEST(EDetector, NeverOverflowsAndForgetsNothing) {
  EDetector detector;
  for (int t = 0; t < 100'000; ++t) detector.Add(1.0);
  EXPECT_TRUE(std::isfinite(detector.log_e_value()));
  EXPECT_GT(detector.log_e_value(), 10'000.0);
  EXPECT_TRUE(detector.leans_up());
}

TEST(EDetector, NanIsNoBet) {
  EDetector a;
  EDetector b;
  a.Add(0.0);
  b.Add(std::nan(""));
  EXPECT_EQ(a.log_e_value(), b.log_e_value());
}

TEST(EDetector, StateGoesOnWithItsWealth) {
  Rng rng(7);
  EDetector whole(Sided::kTwo);
  EDetector first(Sided::kTwo);
  std::vector<double> payoffs;
  for (int t = 0; t < 50; ++t) payoffs.push_back(rng.Uniform() * 2.0 - 0.8);
  for (double p : payoffs) whole.Add(p);
  for (int t = 0; t < 20; ++t) first.Add(payoffs[static_cast<size_t>(t)]);
  EDetector second(Sided::kTwo);
  ASSERT_TRUE(second.RestoreState(first.log_wealth(), first.count()));
  for (int t = 20; t < 50; ++t) second.Add(payoffs[static_cast<size_t>(t)]);
  EXPECT_EQ(whole.log_e_value(), second.log_e_value());
  EDetector other(Sided::kUpper);
  EXPECT_FALSE(other.RestoreState(first.log_wealth(), 1));
}

TEST(EDetector, AverageOfDetectorsIsTheirMean) {
  const std::vector<double> logs = {std::log(2.0), std::log(6.0)};
  const std::vector<double> weights = {0.5, 0.5};
  EXPECT_NEAR(std::exp(LogAverage(logs, weights)), 4.0, 1e-12);
}

}  // namespace
}  // namespace tocsin::stats
