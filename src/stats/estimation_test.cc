// Quantiles, decomposition, contrast, onset, regression, classifier, clusters, sampling.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernel/rng.h"
#include "stats/contrast.h"
#include "stats/decomposition.h"
#include "stats/online_kmeans.h"
#include "stats/online_logistic.h"
#include "stats/onset.h"
#include "stats/quantile_sketch.h"
#include "stats/recursive_regression.h"
#include "stats/reservoir.h"

namespace tocsin::stats {
namespace {

TEST(QuantileSketch, IsAccurateAndMergeable) {
  Rng rng(31);
  QuantileSketch whole;
  QuantileSketch left;
  QuantileSketch right;
  std::vector<double> values;
  for (int i = 0; i < 50'000; ++i) {
    const double v = -std::log1p(-rng.Uniform());
    values.push_back(v);
    whole.Add(v);
    (i % 3 == 0 ? left : right).Add(v);
  }
  left.Merge(right);
  std::sort(values.begin(), values.end());
  for (double q : {0.001, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999}) {
    const auto rank = [&](double v) {
      return static_cast<double>(std::lower_bound(values.begin(), values.end(), v) - values.begin()) /
             50'000.0;
    };
    const double allowed = 0.02 * std::sqrt(q * (1.0 - q)) + 2e-4;
    EXPECT_NEAR(rank(whole.Quantile(q)), q, allowed) << q;
    EXPECT_NEAR(rank(left.Quantile(q)), q, 2.0 * allowed) << q;
    EXPECT_NEAR(whole.Cdf(whole.Quantile(q)), q, 1e-3) << q;
  }
  EXPECT_LE(whole.centroids(), 200U);
  EXPECT_EQ(whole.Quantile(0.0), values.front());
  EXPECT_EQ(whole.Quantile(1.0), values.back());
}

TEST(QuantileSketch, EdgeCases) {
  QuantileSketch empty;
  EXPECT_TRUE(std::isnan(empty.Quantile(0.5)));
  QuantileSketch one;
  one.Add(std::nan(""));
  one.Add(4.0);
  EXPECT_EQ(one.Quantile(0.3), 4.0);
  QuantileSketch same;
  for (int i = 0; i < 10'000; ++i) same.Add(7.0);
  EXPECT_EQ(same.Quantile(0.5), 7.0);
  StateWriter out;
  same.Save(out);
  const std::string bytes = out.Take();
  StateReader in(bytes);
  QuantileSketch back;
  ASSERT_TRUE(back.Restore(in));
  EXPECT_EQ(back.Quantile(0.9), 7.0);
}

Stratum Cell(const std::string& name, int n0, double m0, int n1, double m1) {
  Stratum s;
  s.name = name;
  for (int i = 0; i < n0; ++i) s.reference.Add(m0 + (i % 2 == 0 ? 0.1 : -0.1));
  for (int i = 0; i < n1; ++i) s.live.Add(m1 + (i % 2 == 0 ? 0.1 : -0.1));
  return s;
}

TEST(Decompose, PureMixHasNoWithinEffect) {
  const std::vector<Stratum> strata = {Cell("a", 500, 1.0, 200, 1.0), Cell("b", 500, 3.0, 800, 3.0)};
  const Decomposition d = Decompose(strata);
  EXPECT_NEAR(d.mix.value, 0.6, 1e-9);
  EXPECT_NEAR(d.within.value, 0.0, 1e-9);
  EXPECT_TRUE(d.mix.excludes_zero());
  EXPECT_FALSE(d.within.excludes_zero());
  EXPECT_NEAR(d.live_mean_post_stratified, d.reference_mean, 1e-9);
}

TEST(Decompose, PureBehaviourHasNoMixEffect) {
  const std::vector<Stratum> strata = {Cell("a", 500, 1.0, 500, 1.5), Cell("b", 500, 3.0, 500, 3.5)};
  const Decomposition d = Decompose(strata);
  EXPECT_NEAR(d.mix.value, 0.0, 1e-9);
  EXPECT_NEAR(d.within.value, 0.5, 1e-9);
  EXPECT_TRUE(d.within.excludes_zero());
}

TEST(Decompose, PartsAddUpAndNewStrataAreMix) {
  const std::vector<Stratum> strata = {Cell("a", 300, 1.0, 100, 1.2), Cell("b", 100, 3.0, 150, 2.8),
                                       Cell("new", 0, 0.0, 50, 9.0)};
  const Decomposition d = Decompose(strata);
  EXPECT_NEAR(d.mix.value + d.within.value, d.total.value, 1e-9);
  EXPECT_NEAR(d.unmatched_share, 50.0 / 300.0, 1e-12);
  EXPECT_TRUE(std::isnan(Decompose({}).total.value));
}

TEST(Contrast, RanksTheAttributeThatSeparates) {
  Rng rng(32);
  std::vector<ContrastRecord> records;
  for (int i = 0; i < 400; ++i) {
    const bool canary = i % 4 == 0;
    ContrastRecord r;
    r.shifted = rng.Uniform() < (canary ? 0.9 : 0.3);
    r.attributes = {{"host", "h" + std::to_string(rng.Below(5))},
                    {"prompt_hash", canary ? "new" : "old"},
                    {"region", "eu"}};
    records.push_back(r);
  }
  const auto ranked = RankAttributes(records);
  ASSERT_EQ(ranked.size(), 3U);
  EXPECT_EQ(ranked[0].attribute, "prompt_hash");
  EXPECT_GT(ranked[0].log_e_value, std::log(1e6));
  EXPECT_EQ(ranked[0].values[0].value, "new");
  EXPECT_GT(ranked[0].spread, 0.4);
  EXPECT_EQ(ranked[2].attribute, "region");
  EXPECT_FALSE(ranked[2].varied);
  EXPECT_LT(ranked[1].log_e_value, std::log(20.0));
}

TEST(Contrast, EValueHasMeanAtMostOneWithoutSeparation) {
  Rng rng(33);
  double sum = 0.0;
  constexpr int kRuns = 3'000;
  for (int r = 0; r < kRuns; ++r) {
    std::vector<ContrastRecord> records(40);
    for (auto& record : records) {
      record.shifted = rng.Uniform() < 0.4;
      record.attributes = {{"a", rng.Uniform() < 0.5 ? "x" : "y"}};
    }
    sum += std::exp(RankAttributes(records)[0].log_e_value);
  }
  EXPECT_LE(sum / kRuns, 1.1);
}

TEST(Onset, IsNearTheChangeAndItsIntervalCovers) {
  Rng rng(34);
  int covered = 0;
  double error = 0.0;
  for (int r = 0; r < 40; ++r) {
    std::vector<double> payoffs;
    for (int t = 0; t < 300; ++t) payoffs.push_back(rng.Uniform() < (t < 180 ? 0.5 : 0.8) ? 0.7 : -0.7);
    Rng own(static_cast<uint64_t>(r));
    const OnsetEstimate e = EstimateOnset(payoffs, 100, own);
    error += std::fabs(static_cast<double>(e.index) - 180.0) / 40.0;
    covered += (e.low <= 182 && e.high >= 178) ? 1 : 0;
    EXPECT_LE(e.low, e.index);
    EXPECT_GE(e.high, e.index);
  }
  EXPECT_LE(error, 12.0);
  EXPECT_GE(covered, 30);
  Rng own(1);
  EXPECT_EQ(EstimateOnset({}, 10, own).index, 0U);
}

TEST(RecursiveRegression, RecoversALinearMap) {
  Rng rng(35);
  RecursiveRegression regression(3, 2, 100.0);
  for (int i = 0; i < 500; ++i) {
    const std::vector<double> x = {rng.Uniform(), rng.Uniform(), 1.0};
    const std::vector<double> y = {2.0 * x[0] - x[1] + 0.5, 3.0 * x[1] + 0.1 * (rng.Uniform() - 0.5)};
    regression.Add(x, y);
  }
  std::vector<double> y(2);
  regression.Predict(std::vector<double>{0.5, 0.5, 1.0}, y);
  EXPECT_NEAR(y[0], 1.0, 0.01);
  EXPECT_NEAR(y[1], 1.5, 0.02);
}

TEST(OnlineLogistic, LearnsNamesAndRestores) {
  Rng rng(36);
  OnlineLogistic learner;
  int right = 0;
  for (int t = 0; t < 400; ++t) {
    const auto noise = [&] { return static_cast<uint16_t>(1'000 + rng.Below(500)); };
    const std::vector<SparseEntry> live = {{7, rng.Uniform() < 0.8 ? 0.7F : 0.0F}, {noise(), 0.7F}};
    const std::vector<SparseEntry> reference = {{7, rng.Uniform() < 0.2 ? 0.7F : 0.0F}, {noise(), 0.7F}};
    const double margin = learner.Score(live) - learner.Score(reference);
    if (t >= 200) right += margin > 0.0 ? 1 : 0;
    learner.Update(live, reference, margin);
  }
  EXPECT_GT(right, 130);
  EXPECT_EQ(learner.LargestWeights(1)[0].bucket, 7);
  EXPECT_GT(learner.weight(7), 0.0F);
  StateWriter out;
  learner.Save(out);
  const std::string bytes = out.Take();
  StateReader in(bytes);
  OnlineLogistic back;
  ASSERT_TRUE(back.Restore(in));
  const std::vector<SparseEntry> probe = {{7, 0.5F}, {1'100, 0.5F}};
  EXPECT_EQ(back.Score(probe), learner.Score(probe));
}

TEST(OnlineKMeans, SeparatesClouds) {
  Rng rng(37);
  OnlineKMeans clusters(2, 2);
  const auto point = [&](bool far) {
    return std::vector<float>{static_cast<float>(rng.Uniform() + (far ? 10.0 : 0.0)),
                              static_cast<float>(rng.Uniform())};
  };
  clusters.Add(point(false));
  clusters.Add(point(true));
  for (int i = 0; i < 200; ++i) clusters.Add(point(i % 2 == 0));
  EXPECT_EQ(clusters.clusters(), 2U);
  EXPECT_NE(clusters.Assign(point(false)), clusters.Assign(point(true)));
}

TEST(Reservoir, IsUniform) {
  Rng rng(38);
  std::vector<int> hits(100, 0);
  for (int r = 0; r < 4'000; ++r) {
    Reservoir<int> sample(10);
    for (int i = 0; i < 100; ++i) sample.Add(i, rng);
    for (int i : sample.items()) ++hits[static_cast<size_t>(i)];
  }
  for (int h : hits) EXPECT_NEAR(h, 400, 85);  // 4.5 standard deviations
}

}  // namespace
}  // namespace tocsin::stats
