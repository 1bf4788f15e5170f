#include "respond/alerts/correlation.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

Time At(double seconds) {
  return Time{1'800'000'000LL * 1'000'000'000LL} + Duration::Millis(static_cast<int64_t>(seconds * 1000));
}

Correlator::Placed Place(Correlator& correlator, uint64_t fp, const std::string& service, double at) {
  signal::LabelSet labels = {{"alertname", "A" + std::to_string(fp % 7)}, {"service", service}};
  signal::NormalizeLabels(labels);
  return correlator.Place(fp, signal::LabelViews(labels), At(at), At(at));
}

// 39 services in front of one database, some only through others, as a storm: 10,000 alerts within 10 s.
void Storm(bool database_alerts_late, size_t most_clusters) {
  ServiceGraph graph;
  for (int i = 0; i < 39; ++i) {
    const std::string service = "service-" + std::to_string(i);
    graph.AddCall("frontend", service);
    graph.AddCall(service, i < 20 ? "postgres" : "service-" + std::to_string(i - 20));
    graph.AddCall(service, "cache-" + std::to_string(i % 5));
  }
  Correlator correlator({}, std::move(graph));
  Rng rng(17);
  std::set<uint64_t> given;
  for (uint64_t fp = 1; fp <= 10'000; ++fp) {
    const double at = static_cast<double>(fp) / 1000;
    const bool database = fp % 25 == 0 && (!database_alerts_late || at > 5);
    Place(correlator, fp, database ? "postgres" : "service-" + std::to_string(rng.Below(39)), at);
    given.insert(fp);
  }
  EXPECT_LE(correlator.open_clusters(), most_clusters);
  std::set<uint64_t> found;
  std::set<uint64_t> clusters;
  for (const uint64_t fp : given) clusters.insert(correlator.ClusterOf(fp));
  EXPECT_FALSE(clusters.contains(0));
  for (const uint64_t cluster : clusters) {
    const auto view = correlator.Find(cluster);
    ASSERT_TRUE(view.has_value());
    found.insert(view->fingerprints.begin(), view->fingerprints.end());
    const auto sources = correlator.Sources(cluster);
    ASSERT_FALSE(sources.empty());
    EXPECT_EQ(sources[0].service, "postgres");
    EXPECT_EQ(sources[0].reasons.at(0), "39 of 39 other failing services call it, itself or through others");
  }
  EXPECT_EQ(found, given);
}

TEST(Correlation, AStormFromOneDatabaseIsOneClusterThatNamesIt) { Storm(false, 2); }
TEST(Correlation, TheDatabaseIsNamedEvenWhenItComplainsLast) { Storm(true, 2); }

TEST(Correlation, ASilentCalleeIsNamedWhenMostOfItsCallersFail) {
  ServiceGraph graph;
  for (const char* caller : {"a", "b", "c", "d"}) graph.AddCall(caller, "dns");
  Correlator correlator({}, std::move(graph));
  EXPECT_TRUE(Place(correlator, 1, "a", 0).opened);
  const auto second = Place(correlator, 2, "b", 1);
  EXPECT_FALSE(second.opened);
  Place(correlator, 3, "c", 2);
  EXPECT_EQ(correlator.open_clusters(), 1u);
  const auto sources = correlator.Sources(second.cluster);
  ASSERT_GE(sources.size(), 2u);
  EXPECT_EQ(sources[0].service, "dns");
  EXPECT_EQ(sources[0].reasons.at(0),
            "3 of 3 failing services call it, itself or through others; it has no alert of its own");
}

TEST(Correlation, UnrelatedOrDistantAlertsStayApart) {
  ServiceGraph graph;
  graph.AddCall("web", "db");
  graph.AddCall("mail", "smtp");
  Correlator correlator({}, std::move(graph));
  const uint64_t first = Place(correlator, 1, "db", 0).cluster;
  EXPECT_NE(Place(correlator, 2, "smtp", 1).cluster, first);
  EXPECT_EQ(Place(correlator, 3, "web", 2).cluster, first);
  // Half an hour later it is another failure.
  EXPECT_EQ(correlator.Close(At(1800)).size(), 2u);
  EXPECT_NE(Place(correlator, 4, "web", 1800).cluster, first);
  EXPECT_EQ(correlator.Find(first)->fingerprints, (std::vector<uint64_t>{1, 3}));
  // The same alert again joins the new failure and leaves the old one.
  EXPECT_EQ(Place(correlator, 3, "web", 1801).cluster, correlator.ClusterOf(4));
  EXPECT_EQ(correlator.Find(first)->fingerprints, (std::vector<uint64_t>{1}));
}

TEST(Correlation, WhatAlwaysFailsTogetherIsLearned) {
  Correlator correlator;
  double now = 0;
  uint64_t fp = 1;
  for (int round = 0; round < 4; ++round, now += 3600) {
    (void)correlator.Close(At(now));
    const uint64_t first = Place(correlator, fp++, "queue", now).cluster;
    const uint64_t second = Place(correlator, fp++, "worker", now + 5).cluster;
    EXPECT_EQ(first == second, round == 3) << round;  // three times seen, then known
    if (round == 3) {
      const auto sources = correlator.Sources(first);
      EXPECT_EQ(sources.at(0).service, "queue");
      EXPECT_EQ(sources.at(0).reasons.at(0), "was the first to fail, 5 s before the next");
    }
  }
}

TEST(Correlation, WhatPeopleSplitAndMergeStaysSo) {
  ServiceGraph graph;
  graph.AddCall("web", "db");
  Correlator correlator({}, std::move(graph));
  const uint64_t both = Place(correlator, 1, "db", 0).cluster;
  EXPECT_EQ(Place(correlator, 2, "web", 1).cluster, both);
  const auto split = correlator.Split(both, {"web"});
  ASSERT_TRUE(split.has_value()) << split.error().ToString();
  EXPECT_EQ(correlator.ClusterOf(2), *split);
  EXPECT_EQ(Place(correlator, 3, "web", 2).cluster, *split);
  EXPECT_EQ(correlator.Split(both, {"db"}).error().code(), Code::kInvalidArgument);
  (void)correlator.Close(At(3600));
  const uint64_t db = Place(correlator, 4, "db", 3600).cluster;
  const uint64_t web = Place(correlator, 5, "web", 3601).cluster;
  EXPECT_NE(db, web);
  ASSERT_TRUE(correlator.Merge(db, web).ok());
  EXPECT_EQ(correlator.ClusterOf(5), db);
  EXPECT_FALSE(correlator.Find(web).has_value());
  (void)correlator.Close(At(7200));
  EXPECT_EQ(Place(correlator, 6, "db", 7200).cluster, Place(correlator, 7, "web", 7201).cluster);
}

TEST(Correlation, AlertsWithoutAServiceJoinByName) {
  Correlator correlator;
  const signal::LabelSet disk = {{"alertname", "DiskFull"}, {"host", "a"}};
  const signal::LabelSet other = {{"alertname", "DiskFull"}, {"host", "b"}};
  const uint64_t first = correlator.Place(1, signal::LabelViews(disk), At(0), At(0)).cluster;
  EXPECT_EQ(correlator.Place(2, signal::LabelViews(other), At(1), At(1)).cluster, first);
  EXPECT_TRUE(correlator.Sources(first).empty());
}

TEST(Correlation, AClusterStaysOpenWhileItsAlertsFire) {
  Correlator correlator;
  const uint64_t id = Place(correlator, 1, "db", 0).cluster;
  EXPECT_TRUE(correlator.Close(At(4000), [](uint64_t fp) { return fp == 1; }).empty());
  EXPECT_EQ(Place(correlator, 2, "db", 4001).cluster, id);
  EXPECT_EQ(correlator.Close(At(8000), [](uint64_t) { return false; }), std::vector<uint64_t>{id});
}

TEST(Correlation, ARestoredClusterTakesItsAlertsAndItsServicesAgain) {
  Correlator correlator;
  const uint64_t id =
      correlator.Restore({{1, "db", "DbDown", At(0), At(10)}, {2, "", "Watchdog", At(5), At(9)}});
  EXPECT_EQ(correlator.ClusterOf(1), id);
  EXPECT_EQ(Place(correlator, 1, "db", 20).cluster, id);
  EXPECT_EQ(Place(correlator, 3, "db", 21).cluster, id);
  EXPECT_NE(Place(correlator, 4, "web", 22).cluster, id) << "nothing links them";
  EXPECT_EQ(correlator.Sources(id).at(0).service, "db");
  EXPECT_EQ(correlator.Close(At(4000)).size(), 2u);
}

TEST(Correlation, ABurstOfServicesIsOneFailureThoughNothingIsKnownOfThem) {
  Correlator correlator;
  for (uint64_t fp = 1; fp <= 4; ++fp)
    Place(correlator, fp, "s" + std::to_string(fp), static_cast<double>(fp));
  EXPECT_EQ(correlator.open_clusters(), 4u);
  const auto placed = Place(correlator, 5, "s5", 5);
  EXPECT_EQ(placed.merged.size(), 3u);
  EXPECT_EQ(correlator.open_clusters(), 1u);
  for (uint64_t fp = 6; fp <= 200; ++fp) Place(correlator, fp, "s" + std::to_string(fp), 6);
  EXPECT_EQ(correlator.open_clusters(), 1u);
}

TEST(Correlation, ASteadyTrickleIsNoBurst) {
  Correlator correlator;
  for (uint64_t fp = 1; fp <= 100; ++fp)
    Place(correlator, fp, "s" + std::to_string(fp), static_cast<double>(fp) * 10);
  EXPECT_EQ(correlator.Find(correlator.ClusterOf(100))->services.size(), 1u);
}

TEST(Correlation, AFloodOfServicesKeepsTheBounds) {
  Correlator correlator({.burst_services = 1'000'000, .max_open = 100, .max_closed = 200});
  for (uint64_t fp = 1; fp <= 30'000; ++fp) Place(correlator, fp, "s" + std::to_string(fp), 1);
  EXPECT_EQ(correlator.open_clusters(), 100u);
  EXPECT_EQ(correlator.ClusterOf(5), 0u);
  EXPECT_NE(correlator.ClusterOf(30'000), 0u);
  EXPECT_GT(correlator.graph().dropped(), 0);
}

TEST(ServiceGraph, ComesBackFromItsBytes) {
  ServiceGraph graph;
  graph.AddCall("a", "b");
  graph.AddCall("b", "c");
  for (int i = 0; i < 3; ++i) graph.LearnOnset(graph.Find("c"), {graph.Find("a")});
  const auto loaded = ServiceGraph::Load(graph.Save());
  ASSERT_TRUE(loaded.has_value()) << loaded.error().ToString();
  EXPECT_EQ(loaded->Downstream(loaded->Find("a"), 4).size(), 3u);
  EXPECT_EQ(loaded->Upstream(loaded->Find("c"), 1).size(), 2u);
  EXPECT_TRUE(loaded->Linked(loaded->Find("a"), loaded->Find("c")));
  EXPECT_EQ(ServiceGraph::Load(graph.Save().substr(0, 30)).error().code(), Code::kDataLoss);
}

// Random graphs, times, merges, splits and closings: each alert stays in exactly one cluster.
TEST(Correlation, NoAlertIsEverLost) {
  Rng rng(4);
  ServiceGraph graph;
  const auto name = [&] { return "s" + std::to_string(rng.Below(30)); };
  for (int i = 0; i < 40; ++i) graph.AddCall(name(), name());
  Correlator correlator({}, std::move(graph));
  std::map<uint64_t, std::string> given;
  double now = 0;
  for (int i = 0; i < 5000; ++i) {
    now += static_cast<double>(rng.Below(40));
    const uint64_t fp = 1 + rng.Below(500);
    const auto known = given.find(fp);
    const std::string service = known != given.end() ? known->second : name();
    given[fp] = service;
    const auto placed = Place(correlator, fp, service, now);
    if (rng.Below(50) == 0) (void)correlator.Close(At(now));
    if (rng.Below(60) == 0) (void)correlator.Split(placed.cluster, {service});
    if (rng.Below(60) == 0)
      (void)correlator.Merge(placed.cluster, correlator.ClusterOf(given.begin()->first));
    if (i % 100 != 0) continue;
    for (const auto& [alert, of] : given) {
      const auto view = correlator.Find(correlator.ClusterOf(alert));
      ASSERT_TRUE(view.has_value()) << alert;
      EXPECT_TRUE(std::binary_search(view->fingerprints.begin(), view->fingerprints.end(), alert));
    }
  }
}

}  // namespace
}  // namespace tocsin::respond
