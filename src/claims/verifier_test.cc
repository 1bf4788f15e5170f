#include "claims/verifier.h"

#include <gtest/gtest.h>

#include <cmath>

#include "claims/claim_json.h"
#include "kernel/rng.h"
#include "stats/count_interval.h"

namespace tocsin::claims {
namespace {

constexpr Time kStart{1'790'000'000LL * 1'000'000'000LL};
Time At(double minutes) { return kStart + Duration{static_cast<int64_t>(minutes * 60e9)}; }
Window Between(double from, double to) { return {At(from), At(to)}; }

class VerifierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store::DuckDbOptions options;
    options.path = ":memory:";
    auto opened = store::OpenDuckDb(options);
    ASSERT_TRUE(opened);
    telemetry_ = *std::move(opened);
  }

  // Steady requests of one service, `per_minute` of them, failing at the rate given.
  template <class Fails>
  void Requests(const std::string& service, double from, double to, double per_minute, Fails&& fails) {
    for (double at = from; at < to; at += 1 / per_minute) {
      signal::Span s;
      s.trace_id = "t" + std::to_string(batch_.spans.size());
      s.span_id = "s" + std::to_string(batch_.spans.size());
      s.service = service;
      s.start = At(at);
      s.duration = Duration::Millis(10);
      s.status = fails(at) ? "error" : "ok";
      batch_.spans.push_back(std::move(s));
    }
  }

  Verdict Check(const Claim& claim, Time as_of = At(1000)) {
    if (!batch_.empty()) {
      const store::JournalEntry entry{++position_, std::make_shared<signal::Batch>(std::move(batch_))};
      batch_ = {};
      EXPECT_TRUE(telemetry_->Apply({&entry, 1}).ok());
    }
    return Verifier({*telemetry_, store::DuckDbDialect()}, {as_of}).Check(claim);
  }

  static MetricLevel Errors(const Window& window, Bounds expect) {
    return {{"spans", "error", "share", "a", {}}, window, expect};
  }

  std::unique_ptr<store::TelemetryStore> telemetry_;
  signal::Batch batch_;
  uint64_t position_ = 0;
};

TEST_F(VerifierTest, NothingStoredVerifiesNothing) {
  const auto v = Check(Errors(Between(0, 10), {0, 1}));
  EXPECT_EQ(v.kind, Verdict::Kind::kUnverifiable);
  EXPECT_EQ(v.why, "no telemetry is stored");
}

TEST_F(VerifierTest, AWindowThatIsNotOverOrNotStoredIsUnverifiable) {
  Requests("a", 0, 60, 60, [](double) { return false; });
  EXPECT_TRUE(Check(Errors(Between(10, 20), {0, 0.5})).verified());
  EXPECT_NE(Check(Errors(Between(10, 20), {0, 0.5}), At(19)).why.find("not over"), std::string::npos);
  EXPECT_NE(Check(Errors(Between(-60, 20), {0, 0.5})).why.find("begins before"), std::string::npos);
  EXPECT_NE(Check(Errors(Between(30, 120), {0, 0.5})).why.find("ends after"), std::string::npos);
}

TEST_F(VerifierTest, AHoleIsSeenAndBurstsAreNone) {
  Requests("a", 0, 30, 60, [](double) { return false; });
  Requests("a", 38, 60, 60, [](double) { return false; });
  EXPECT_TRUE(Check(Errors(Between(2, 28), {0, 0.5})).verified());
  const auto v = Check(Errors(Between(20, 55), {0, 0.5}));
  EXPECT_EQ(v.kind, Verdict::Kind::kUnverifiable);
  EXPECT_NE(v.why.find("missing"), std::string::npos) << v.why;
}

TEST_F(VerifierTest, RecordsInBurstsHaveNoHoles) {
  for (double burst = 0; burst < 60; burst += 2)
    Requests("a", burst, burst + 0.2, 300, [](double) { return false; });
  EXPECT_TRUE(Check(Errors(Between(5, 55), {0, 0.5})).verified());
}

// Traces come by chance and each brings four spans at once: half a minute without any is no hole.
TEST_F(VerifierTest, RecordsInClustersByChanceHaveNoHoles) {
  Rng rng(21);
  for (double at = 0; at < 400; at += -std::log(1 - rng.Uniform()) * 4 / 60)
    Requests("a", at, at + 0.001, 3999, [](double) { return false; });
  int holes = 0;
  for (int i = 0; i < 38; ++i)
    holes += Check(Errors(Between(10 * i + 1, 10 * i + 11), {0, 0.5})).verified() ? 0 : 1;
  EXPECT_EQ(holes, 0);
}

TEST_F(VerifierTest, ATableThatDriedUpSaysNothingAboutWhatIsNotThere) {
  Requests("a", 0, 60, 60, [](double) { return false; });
  for (int i = 0; i < 3000; ++i) {
    signal::LogRecord log;
    log.time = At(i / 100.0);
    log.service = "a";
    log.body = "line";
    batch_.logs.push_back(log);
  }
  const Exists none{"logs", "a", {{"body", "contains", "oom"}}, Between(32, 58), false};
  EXPECT_EQ(Check(none).kind, Verdict::Kind::kUnverifiable);
}

TEST_F(VerifierTest, TooFewRecordsDecideNoShare) {
  Requests("a", 0, 60, 0.1, [](double) { return true; });
  Requests("b", 0, 60, 60, [](double) { return false; });
  const auto v = Check(Errors(Between(5, 55), {0.5, 1}));
  EXPECT_EQ(v.kind, Verdict::Kind::kUnverifiable) << v.why;
}

TEST_F(VerifierTest, ChangesNeedBothTheSizeAndMoreThanChance) {
  Rng rng(5);
  Requests("a", 0, 120, 30, [&](double at) { return rng.Uniform() < (at < 60 ? 0.02 : 0.2); });
  Requests("calm", 0, 120, 30, [&](double) { return rng.Uniform() < 0.02; });
  MetricChange change{{"spans", "error", "share", "a", {}},
                      Between(62, 118),
                      Between(2, 58),
                      "up",
                      Bounds{3},
                      std::nullopt,
                      {}};
  EXPECT_TRUE(Check(change).verified());
  change.factor = Bounds{40};
  EXPECT_EQ(Check(change).kind, Verdict::Kind::kRefuted);
  change.direction = "down";
  EXPECT_EQ(Check(change).kind, Verdict::Kind::kRefuted);
  MetricChange calm = change;
  calm.measure.service = "calm";
  calm.direction = "up";
  calm.factor.reset();
  EXPECT_FALSE(Check(calm).verified());
}

TEST_F(VerifierTest, CountersAreReadAsWhatWasAddedAcrossRestarts) {
  double total = 0;
  for (int i = 0; i < 240; ++i) {
    total = i == 100 ? 5 : total + 5;  // restarted at 100
    signal::MetricPoint p;
    p.name = "requests";
    p.kind = "sum";
    p.temporality = "cumulative";
    p.monotonic = true;
    p.service = "a";
    p.time = At(i / 4.0);
    p.value = total;
    batch_.metrics.push_back(p);
  }
  const MetricLevel level{{"metrics", "requests", "per_minute", "a", {}}, Between(10, 50), {19, 21}};
  const auto v = Check(level);
  EXPECT_TRUE(v.verified()) << v.why;
}

TEST_F(VerifierTest, HistogramsAreReadAsTheirMean) {
  double count = 0, sum = 0;
  for (int i = 0; i < 240; ++i) {
    count += 10;
    sum += i < 120 ? 100 : 300;
    signal::MetricPoint p;
    p.name = "latency";
    p.kind = "histogram";
    p.temporality = "cumulative";
    p.service = "a";
    p.time = At(i / 4.0);
    p.count = static_cast<int64_t>(count);
    p.sum = sum;
    batch_.metrics.push_back(p);
  }
  EXPECT_TRUE(
      Check(MetricLevel{{"metrics", "latency", "mean", "a", {}}, Between(2, 28), {9.9, 10.1}}).verified());
  EXPECT_TRUE(
      Check(MetricLevel{{"metrics", "latency", "mean", "a", {}}, Between(32, 58), {29.9, 30.1}}).verified());
}

// Wandering series have fewer independent points than they have points.
TEST_F(VerifierTest, AWanderingGaugeIsNoChange) {
  int verified = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Rng rng(seed + 900);
    double level = 0;
    for (int i = 0; i < 480; ++i) {
      level = 0.9 * level + (rng.Uniform() - 0.5);
      signal::MetricPoint p;
      p.name = "g" + std::to_string(seed);
      p.kind = "gauge";
      p.service = "a";
      p.time = At(i / 4.0);
      p.value = level;
      batch_.metrics.push_back(p);
    }
    for (const char* direction : {"up", "down"}) {
      const MetricChange change{{"metrics", "g" + std::to_string(seed), "mean", "a", {}},
                                Between(62, 118),
                                Between(2, 58),
                                direction,
                                std::nullopt,
                                std::nullopt,
                                {}};
      verified += Check(change).verified() ? 1 : 0;
    }
  }
  EXPECT_LE(verified, 4);  // at 95 % two of forty are expected by chance
}

TEST_F(VerifierTest, SegmentsAreComparedWithoutAnotherTime) {
  Rng rng(9);
  Requests("a", 0, 60, 60, [&](double) { return rng.Uniform() < 0.02; });
  for (size_t i = 0; i < batch_.spans.size(); ++i) {
    batch_.spans[i].attributes_json = i % 2 == 0 ? R"({"region":"eu"})" : R"({"region":"us"})";
    if (i % 2 == 0 && rng.Uniform() < 0.3) batch_.spans[i].status = "error";
  }
  const std::vector<Condition> eu{{"attributes.region", "is", "eu"}}, us{{"attributes.region", "is", "us"}};
  MetricChange claim{{"spans", "error", "share", "a", eu},
                     Between(2, 58),
                     Between(2, 58),
                     "up",
                     Bounds{3},
                     std::nullopt,
                     us};
  EXPECT_TRUE(Check(claim).verified());
  std::swap(claim.measure.where, claim.against);
  EXPECT_EQ(Check(claim).kind, Verdict::Kind::kRefuted);
}

TEST_F(VerifierTest, ValuesAreParametersWhateverTheySay) {
  Requests("a", 0, 60, 60, [](double) { return false; });
  const RecordCount claim{"spans",
                          "a' OR '1'='1",
                          {{"attributes.x') OR 1=1 --", "is", "'; DROP TABLE spans; --"}},
                          Between(2, 58),
                          {0, 0}};
  const auto v = Check(claim);
  EXPECT_TRUE(v.verified()) << v.why;
  EXPECT_TRUE(Check(Errors(Between(10, 20), {0, 0.5})).verified());
}

TEST_F(VerifierTest, TheSameClaimGivesTheSameVerdict) {
  Rng rng(3);
  Requests("a", 0, 120, 30, [&](double at) { return rng.Uniform() < (at < 60 ? 0.02 : 0.2); });
  const Onset onset{{"spans", "error", "share", "a", {}}, Between(20, 100), At(60), Duration::Minutes(6)};
  const auto first = Check(onset), second = Check(onset);
  EXPECT_TRUE(first.verified()) << first.why;
  EXPECT_EQ(WriteVerdict(first).dump(), WriteVerdict(second).dump());
}

// Byar's interval covers a Poisson mean at least about as often as it says.
TEST(CountInterval, CoversThePoissonMean) {
  Rng rng(11);
  for (const double mean : {1.0, 4.0, 20.0, 200.0}) {
    int covered = 0;
    for (int run = 0; run < 2000; ++run) {
      double count = -1, product = 1;
      const double floor = std::exp(-std::min(mean, 500.0));
      while (product > floor) {
        product *= 1 - rng.Uniform();
        ++count;
      }
      const auto i = stats::CountInterval(count);
      covered += i.low <= mean && mean <= i.high ? 1 : 0;
    }
    EXPECT_GE(covered, 1880) << mean;
  }
}

}  // namespace
}  // namespace tocsin::claims
