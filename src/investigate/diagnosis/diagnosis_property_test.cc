// Diagnose on generated databases: faults of random size, onset, window and noise are recognised, and random
// noise within its bounds is left alone. Fixed seeds; the shares are what a reader may rely on.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "investigate/diagnosis/diagnosis.h"
#include "kernel/rng.h"

namespace tocsin::investigate {
namespace {

constexpr size_t kRuns = 300;

class Generator {
 public:
  explicit Generator(uint64_t seed) : rng_(seed) {
    points_ = 12 + rng_.Below(40);
    onset_ = 1 + rng_.Below(points_ / 2);
    noise_ = Between(0.01, 0.12);
    e_.instances = {"db-1"}, e_.replicas = {"db-1-r"};
    e_.alert.state = "alerting", e_.alert.title = "Something is wrong on db-1";
    e_.seen = {"metrics", "events", "database load"};
    e_.loads.push_back({.resource = "db-1"});
    limit_ = 200 + static_cast<double>(rng_.Below(4000));
    e_.databases.push_back({.name = "db-1", .max_connections = limit_});
  }

  double Between(double low, double high) { return low + (high - low) * rng_.Uniform(); }

  // A level with noise, moving from the onset on towards `to` with the given steepness (1: at once).
  void Metric(const std::string& name, const std::string& unit, double level, double to, double steep,
              const std::string& resource = "db-1") {
    EvidenceSeries s{.name = name, .resource = resource, .unit = unit};
    double at = level;
    for (size_t i = 0; i < points_; ++i) {
      if (i >= onset_) at += (to - at) * steep;
      s.times.push_back(Time{1'700'000'000'000'000'000} + Duration::Minutes(static_cast<int64_t>(i)));
      const double noisy = at * (1 + noise_ * (2 * rng_.Uniform() - 1));
      s.values.push_back(unit == "Percent" ? std::min(noisy, 100.0) : std::min(noisy, cap_));
    }
    e_.series.push_back(std::move(s));
  }

  // Everything within its bounds; a fault then replaces what it touches.
  void Healthy() {
    const double cpu = Between(5, 65), used = limit_ * Between(0.05, 0.65);
    Metric("CPUUtilization", "Percent", cpu, cpu * Between(0.8, 1.25), 0.2);
    Metric("DatabaseConnections", "Count", used, used * Between(0.8, 1.2), 0.2);
    Metric("ReplicaLag", "Seconds", Between(0.1, 8), Between(0.1, 8), 0.3, "db-1-r");
    const double room = Between(2e10, 9e11);
    Metric("FreeStorageSpace", "Bytes", room, room * Between(0.9, 1), 0.1);
    Metric("WriteIOPS", "Count/Second", Between(100, 2000), Between(100, 2000), 0.3);
    Metric("TransactionLogsGeneration", "Bytes/Second", 4e6, Between(3e6, 6e6), 0.3);
    Metric("WriteLatency", "Seconds", Between(0.001, 0.006), Between(0.001, 0.008), 0.3);
    Metric("ReadLatency", "Seconds", Between(0.001, 0.006), Between(0.001, 0.008), 0.3);
    Metric("DiskQueueDepth", "Count", Between(0.05, 2), Between(0.05, 3), 0.3);
    Metric("FreeableMemory", "Bytes", 8e9, Between(6e9, 9e9), 0.2);
    Sql(1, "SELECT * FROM a WHERE id = $1", {{"CPU", 0.5}, {"IO:DataFileRead", 0.5}});
    Sql(Between(0.2, 1), "UPDATE a SET b = $1 WHERE id = $2", {{"IO:WALWrite", 0.6}, {"CPU", 0.4}});
  }

  void Replace(const std::string& name) {
    std::erase_if(e_.series, [&](const EvidenceSeries& s) { return s.name == name; });
  }

  void Sql(double load, const std::string& text, std::vector<NamedLoad> waits) {
    for (NamedLoad& w : waits) {
      w.load *= load;
      e_.loads.front().waits.push_back(w);
    }
    e_.loads.front().statements.push_back({text, load, 10, std::move(waits)});
  }

  Diagnosis Run() { return Diagnose(e_); }

  Rng rng_;
  Evidence e_;
  size_t points_ = 0, onset_ = 0;
  double noise_ = 0, limit_ = 0, cap_ = 1e300;
};

// The share of runs in which `fault` ends in the mode.
double Share(const std::string& mode, const std::function<void(Generator&)>& fault) {
  size_t right = 0;
  for (uint64_t seed = 1; seed <= kRuns; ++seed) {
    Generator g(seed);
    g.Healthy();
    fault(g);
    right += g.Run().mode == mode;
  }
  return static_cast<double>(right) / kRuns;
}

TEST(Generated, NoiseWithinItsBoundsIsLeftAlone) {
  EXPECT_GE(Share("healthy", [](Generator&) {}), 0.99);
}

TEST(Generated, OneShortPeakIsNoSaturation) {
  EXPECT_GE(Share("healthy", [](Generator& g) { g.e_.series.front().values[g.points_ / 2] = 99; }), 0.99);
}

TEST(Generated, SaturatedCpuIsSeen) {
  EXPECT_GE(Share("cpu_saturation",
                  [](Generator& g) {
                    g.Replace("CPUUtilization");
                    g.Metric("CPUUtilization", "Percent", g.Between(10, 60), 104, g.Between(0.4, 1));
                    g.Sql(g.Between(5, 20), "SELECT count(*) FROM big",
                          {{"CPU", 0.9}, {"IO:DataFileRead", 0.1}});
                  }),
            0.95);
}

TEST(Generated, ExhaustedConnectionsAreSeen) {
  EXPECT_GE(Share("connection_exhaustion",
                  [](Generator& g) {
                    g.Replace("DatabaseConnections");
                    g.cap_ = g.limit_;
                    g.Metric("DatabaseConnections", "Count", g.limit_ * g.Between(0.2, 0.6), g.limit_ * 1.1,
                             g.Between(0.3, 1));
                    g.Sql(g.Between(5, 20), "BEGIN; SELECT 1", {{"Client:ClientRead", 1}});
                  }),
            0.95);
}

TEST(Generated, LagByWalIsSeen) {
  EXPECT_GE(Share("replication_lag",
                  [](Generator& g) {
                    for (const char* name : {"ReplicaLag", "WriteIOPS", "TransactionLogsGeneration"})
                      g.Replace(name);
                    g.Metric("ReplicaLag", "Seconds", g.Between(0.5, 10), g.Between(200, 3000),
                             g.Between(0.2, 1), "db-1-r");
                    g.Metric("WriteIOPS", "Count/Second", 500, g.Between(4000, 20000), 0.8);
                    g.Metric("TransactionLogsGeneration", "Bytes/Second", 4e6, g.Between(4e7, 3e8), 0.8);
                    g.Sql(g.Between(4, 12), "DELETE FROM t WHERE day < $1",
                          {{"IO:WALWrite", 0.8}, {"CPU", 0.2}});
                  }),
            0.95);
}

TEST(Generated, FullStorageIsSeen) {
  EXPECT_GE(Share("storage_exhaustion",
                  [](Generator& g) {
                    g.Replace("FreeStorageSpace");
                    g.Metric("FreeStorageSpace", "Bytes", g.Between(1e10, 3e11), 1e6, g.Between(0.4, 0.9));
                    g.Sql(g.Between(4, 12), "INSERT INTO t VALUES ($1)",
                          {{"IO:DataFileExtend", 0.7}, {"CPU", 0.3}});
                  }),
            0.95);
}

TEST(Generated, AFaultThatEndedIsNotReported) {
  EXPECT_GE(Share("healthy",
                  [](Generator& g) {
                    g.Replace("ReplicaLag");
                    const size_t begin = g.onset_;
                    g.onset_ = 0;
                    g.Metric("ReplicaLag", "Seconds", 2, 2, 0.5, "db-1-r");
                    const size_t end = std::min(begin + 4, g.points_ - 5);
                    for (size_t i = std::min(begin, end); i < end; ++i) g.e_.series.back().values[i] = 400;
                  }),
            0.97);
}

}  // namespace
}  // namespace tocsin::investigate
