// Properties of the ranking on simulated service graphs, over fixed seeds.
#include "investigate/root_cause/root_cause_ranking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "investigate/root_cause/flow_evidence.h"
#include "investigate/root_cause/testing/synthetic_graph.h"
#include "kernel/rng.h"

namespace tocsin::investigate {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint64_t kSeeds = 12;

RootCauseRanking Rank(const RootCauseInput& input) {
  auto ranking = RankRootCauses(input);
  EXPECT_TRUE(ranking.has_value()) << (ranking.has_value() ? "" : ranking.error().ToString());
  return ranking.has_value() ? *ranking : RootCauseRanking{};
}

SyntheticOptions With(SyntheticFault::Kind kind, const char* service, uint64_t seed) {
  SyntheticOptions options;
  options.seed = seed;
  options.fault = {.kind = kind, .service = service, .onset_ns = 80 * kSecond};
  return options;
}

struct Found {
  size_t first = 0, declared = 0, onset_near = 0;
};

Found Over(SyntheticFault::Kind kind, const char* service) {
  Found found;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const RootCauseInput input = SyntheticGraph(With(kind, service, seed));
    const RootCauseRanking ranking = Rank(input);
    if (ranking.causes.front().service == service) ++found.first;
    if (ranking.fault) ++found.declared;
    const int64_t truth = input.start_ns + 80 * kSecond;
    if (std::abs(ranking.onset_ns - truth) <= 20 * kSecond && ranking.onset_low_ns <= truth + 10 * kSecond &&
        ranking.onset_high_ns >= truth - 10 * kSecond) {
      ++found.onset_near;
    }
  }
  return found;
}

using Kind = SyntheticFault::Kind;

struct Place {
  Kind kind;
  const char* service;
};

class FaultAnywhere : public testing::TestWithParam<Place> {};

TEST_P(FaultAnywhere, IsRankedFirstDeclaredAndDated) {
  const Found found = Over(GetParam().kind, GetParam().service);
  EXPECT_GE(found.first, kSeeds - 1);
  EXPECT_GE(found.declared, kSeeds - 1);
  EXPECT_GE(found.onset_near, kSeeds - 2);
}

INSTANTIATE_TEST_SUITE_P(LeafMiddleEntry, FaultAnywhere,
                         testing::Values(Place{Kind::kEarlyEnd, "d"}, Place{Kind::kEarlyEnd, "c"},
                                         Place{Kind::kSlow, "d"}, Place{Kind::kSlow, "a"},
                                         Place{Kind::kSlow, "entry"}, Place{Kind::kSlowNetwork, "b"},
                                         Place{Kind::kCpu, "c"}));

TEST(RootCauseRanking, AHealthyWindowIsSeldomCalledFaulty) {
  size_t declared = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SyntheticOptions options;
    options.seed = seed;
    if (Rank(SyntheticGraph(options)).fault) ++declared;
  }
  EXPECT_LE(declared, 4U);
}

TEST(RootCauseRanking, ASurgeEverywhereIsTrafficAtTheEntryAndNobodysFault) {
  size_t traffic = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SyntheticOptions options;
    options.seed = seed;
    options.surge = 3.0;
    const RootCauseRanking ranking = Rank(SyntheticGraph(options));
    if (ranking.causes[0].service == "entry" && ranking.causes[0].surface == "traffic") ++traffic;
    for (const RankedCause& cause : ranking.causes) {
      if (cause.service == "entry" || cause.score <= 0.0) continue;
      EXPECT_EQ(cause.against.back().kind, EvidenceKind::kExplainedBySurge) << cause.service;
    }
  }
  EXPECT_GE(traffic, kSeeds - 1);
}

TEST(RootCauseRanking, LateLogClocksChangeNothing) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SyntheticOptions options;
    options.seed = seed;
    options.log_clock_ns = 2'000'000;  // about as long as a step takes
    EXPECT_FALSE(Rank(SyntheticGraph(options)).fault) << seed;
    options.fault = {.kind = Kind::kEarlyEnd, .service = "c", .onset_ns = 80 * kSecond};
    EXPECT_EQ(Rank(SyntheticGraph(options)).causes.front().service, "c") << seed;
  }
}

TEST(RootCauseRanking, ACallerIsExplainedByWhatItCalls) {
  RootCauseInput input;
  input.bucket_ns = 60 * kSecond;
  input.buckets = 5;
  Rng rng(3);
  for (const char* service : {"caller", "callee"}) {
    MetricSeries s{
        .service = service, .name = "latency", .kind = SeriesKind::kLatency, .reference = {}, .window = {}};
    for (int i = 0; i < 400; ++i) s.reference.push_back(1.0 + 0.1 * rng.Uniform());
    for (int i = 0; i < 5; ++i)
      s.window.push_back({.at_ns = (i + 1) * 60 * kSecond, .value = i < 2 ? 1.05 : 3.0});
    input.series.push_back(std::move(s));
  }
  input.edges = {{.caller = "caller", .callee = "callee"}};
  input.symptom = "caller";
  const RootCauseRanking ranking = Rank(input);
  ASSERT_EQ(ranking.causes.size(), 2U);
  EXPECT_EQ(ranking.causes[0].service, "callee");
  EXPECT_TRUE(ranking.fault);
  ASSERT_FALSE(ranking.causes[1].against.empty());
  EXPECT_EQ(ranking.causes[1].against[0].kind, EvidenceKind::kExplainedByCallee);
  EXPECT_EQ(ranking.causes[1].against[0].peer, "callee");
  EXPECT_EQ(ranking.onset_ns, 120 * kSecond);
}

TEST(RootCauseRanking, WhatTheSymptomCannotReachIsNoCandidate) {
  RootCauseInput input;
  input.bucket_ns = kSecond;
  input.buckets = 4;
  for (const char* service : {"web", "db", "elsewhere"}) {
    MetricSeries s{
        .service = service, .name = "errors", .kind = SeriesKind::kErrors, .reference = {}, .window = {}};
    s.reference.assign(100, 0.0);
    for (int i = 0; i < 4; ++i) s.window.push_back({.at_ns = (i + 1) * kSecond, .value = i < 2 ? 0.0 : 9.0});
    input.series.push_back(std::move(s));
  }
  input.edges = {{.caller = "web", .callee = "db"}, {.caller = "elsewhere", .callee = "db"}};
  input.symptom = "web";
  const RootCauseRanking ranking = Rank(input);
  ASSERT_EQ(ranking.causes.size(), 2U);
  EXPECT_EQ(ranking.causes[0].service, "db");
}

TEST(RootCauseRanking, BetterIsNoFault) {
  RootCauseInput input;
  input.bucket_ns = kSecond;
  input.buckets = 4;
  MetricSeries s{
      .service = "web", .name = "latency", .kind = SeriesKind::kLatency, .reference = {}, .window = {}};
  for (int i = 0; i < 100; ++i) s.reference.push_back(10.0 + i % 3);
  for (int i = 0; i < 4; ++i) s.window.push_back({.at_ns = (i + 1) * kSecond, .value = i < 2 ? 11.0 : 0.1});
  input.series.push_back(s);
  EXPECT_FALSE(Rank(input).fault);
}

TEST(RootCauseRanking, AChangeBeforeTheOnsetCountsAndNamesTheSurface) {
  RootCauseInput input = SyntheticGraph(With(Kind::kSlow, "c", 5));
  const double without = Rank(input).causes.front().score;
  const int64_t onset = input.start_ns + 80 * kSecond;
  input.changes = {{.at_ns = onset - 60 * kSecond, .service = "c", .kind = "prompt", .summary = "v7"},
                   {.at_ns = onset + 60 * kSecond, .service = "d", .kind = "deploy", .summary = "later"}};
  const RankedCause first = Rank(input).causes.front();
  EXPECT_EQ(first.service, "c");
  EXPECT_EQ(first.surface, "prompt");
  EXPECT_GT(first.score, without);
  EXPECT_TRUE(std::any_of(first.supports.begin(), first.supports.end(),
                          [](const EvidenceFact& f) { return f.kind == EvidenceKind::kChangedBefore; }));
}

TEST(RootCauseRanking, RefusesWhatDoesNotFit) {
  RootCauseInput input;
  EXPECT_EQ(RankRootCauses(input).error().code(), Code::kInvalidArgument);
  input.bucket_ns = kSecond;
  input.buckets = 1000;
  EXPECT_EQ(RankRootCauses(input).error().code(), Code::kOutOfRange);
  input.buckets = 2;
  EXPECT_TRUE(RankRootCauses(input)->causes.empty());
  input.flows.push_back({.service = "a", .context = {}, .from = "x", .traces = {}, .outcomes = {}});
  input.flows.back().traces.buckets.resize(3);
  EXPECT_EQ(RankRootCauses(input).error().code(), Code::kInvalidArgument);
}

TEST(RootCauseRanking, MissingAndInfiniteValuesAreNoEvidence) {
  RootCauseInput input;
  input.bucket_ns = kSecond;
  input.buckets = 3;
  MetricSeries s{.service = "a", .name = "m", .kind = SeriesKind::kResource, .reference = {}, .window = {}};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  s.reference.assign(30, nan);
  s.window = {{.at_ns = kSecond, .value = nan}, {.at_ns = 2 * kSecond, .value = 5.0}};
  input.series.push_back(s);
  s.reference.assign(30, 1.0);
  s.window[1].value = std::numeric_limits<double>::infinity();
  input.series.push_back(s);
  const RootCauseRanking ranking = Rank(input);
  EXPECT_FALSE(ranking.fault);
  EXPECT_TRUE(std::isfinite(ranking.causes.front().score));
}

TEST(ShareChange, NewBehaviourOutweighsAShiftedMix) {
  EXPECT_GT(ShareChangeNats(0, 100, 20, 20), 10.0);
  EXPECT_LT(ShareChangeNats(50, 100, 14, 20), 0.0);
  EXPECT_GT(ShareChangeNats(0, 100, 20, 20), ShareChangeNats(50, 100, 20, 20));
}

}  // namespace
}  // namespace tocsin::investigate
