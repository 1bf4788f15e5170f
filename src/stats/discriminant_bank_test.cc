#include "stats/discriminant_bank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernel/rng.h"

namespace tocsin::stats {
namespace {

constexpr size_t kDim = 6;

std::vector<double> Draw(Rng& rng, double shift) {
  std::vector<double> x(kDim);
  for (double& v : x) v = (rng.Uniform() + rng.Uniform() + rng.Uniform() - 1.5) * 2.0;
  x[0] += shift;
  x[3] -= shift;
  return x;
}

DiscriminantOptions Options(double alpha) {
  DiscriminantOptions options;
  options.alpha = alpha;
  return options;
}

// Pairs until M >= 1/alpha, with the shift from `change` on.
double PairsToAlarm(Rng& rng, double alpha, double shift, int change, int limit) {
  DiscriminantBank bank(kDim, Options(alpha));
  for (int t = 0; t < limit; ++t) {
    const std::vector<double> live = Draw(rng, t >= change ? shift : 0.0);
    bank.AddPair(live, Draw(rng, 0.0));
    if (bank.log_e_value() >= -std::log(alpha)) return t + 1;
  }
  return limit;
}

TEST(DiscriminantBank, MeanRunLengthUnderNullIsAtLeastPromised) {
  Rng rng(11);
  double sum = 0.0;
  constexpr int kRuns = 150;
  for (int r = 0; r < kRuns; ++r) sum += PairsToAlarm(rng, 0.02, 0.0, 0, 3'000);
  EXPECT_GE(sum / kRuns, 0.85 / 0.02);
}

TEST(DiscriminantBank, FindsAShiftItHadToLearn) {
  Rng rng(12);
  int found = 0;
  double delay = 0.0;
  for (int r = 0; r < 20; ++r) {
    const double at = PairsToAlarm(rng, 0.001, 0.8, 100, 400);
    if (at > 100.0 && at < 400.0) {
      ++found;
      delay += at - 100.0;
    }
  }
  EXPECT_GE(found, 19);
  EXPECT_LE(delay / found, 90.0);
}

TEST(DiscriminantBank, LeadingStartAndWeightsPointAtTheChange) {
  Rng rng(13);
  DiscriminantBank bank(kDim, Options(0.001));
  for (int t = 0; t < 300; ++t) bank.AddPair(Draw(rng, t >= 150 ? 1.0 : 0.0), Draw(rng, 0.0));
  EXPECT_NEAR(static_cast<double>(bank.leading_start()), 150.0, 30.0);
  const std::vector<double> weights = bank.LeadingWeights();
  ASSERT_EQ(weights.size(), kDim);
  for (size_t i : {1U, 2U, 4U, 5U}) {
    EXPECT_GT(weights[0], std::fabs(weights[i]));
    EXPECT_LT(weights[3], -std::fabs(weights[i]));
  }
}

TEST(DiscriminantBank, BoundedNumberOfStartsStillFinds) {
  Rng rng(14);
  DiscriminantOptions options = Options(0.001);
  options.max_starts = 6;
  DiscriminantBank bank(kDim, options);
  for (int t = 0; t < 1'000; ++t) bank.AddPair(Draw(rng, 0.0), Draw(rng, 0.0));
  for (int t = 0; t < 150; ++t) bank.AddPair(Draw(rng, 1.0), Draw(rng, 0.0));
  EXPECT_GE(bank.log_e_value(), std::log(1'000.0));
}

TEST(DiscriminantBank, SwappingSidesEverywhereIsAsLikely) {
  // Antisymmetry: before it has learnt anything a pair moves nothing, in either direction.
  Rng rng(15);
  DiscriminantBank bank(kDim, Options(0.5));
  bank.AddPair(Draw(rng, 5.0), Draw(rng, 0.0));
  EXPECT_NEAR(bank.log_e_value(), std::log(10.0) - std::log1p(10.0 * 0.5), 1e-12);
}

TEST(DiscriminantBank, RestoredBankContinuesToTheDigit) {
  Rng rng(16);
  DiscriminantBank whole(kDim, Options(0.001));
  for (int t = 0; t < 77; ++t) whole.AddPair(Draw(rng, 0.3), Draw(rng, 0.0));
  StateWriter out;
  whole.Save(out);
  const std::string bytes = out.Take();
  DiscriminantBank other(kDim, Options(0.001));
  StateReader in(bytes);
  ASSERT_TRUE(other.Restore(in));
  EXPECT_EQ(whole.log_e_value(), other.log_e_value());
  for (int t = 0; t < 30; ++t) {
    const auto live = Draw(rng, 0.3);
    const auto reference = Draw(rng, 0.0);
    whole.AddPair(live, reference);
    other.AddPair(live, reference);
  }
  EXPECT_EQ(whole.log_e_value(), other.log_e_value());
  DiscriminantBank wrong(kDim + 1, Options(0.001));
  StateReader again(bytes);
  EXPECT_FALSE(wrong.Restore(again));
  StateReader cut(std::string_view(bytes).substr(0, bytes.size() / 2));
  EXPECT_FALSE(other.Restore(cut));
}

}  // namespace
}  // namespace tocsin::stats
