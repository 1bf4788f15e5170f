// A storm through the whole server process: one database fails, 40 services fall over it and raise 10,000
// alerts in 10 s; half way the process is killed and started again.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "kernel/time.h"
#include "ports/clock.h"
#include "ports/http_client.h"
#include "respond/notify/testing/http_recorder.h"
#include "server_process.h"
#include "store/testing/scratch_directory.h"
#include "telemetry_requests.h"

namespace tocsin {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kAlerts = 10'000;
constexpr size_t kBatch = 100;
constexpr size_t kServices = 40;
constexpr milliseconds kStorm{10'000};
constexpr milliseconds kGroupWait{1'000};
constexpr const char* kDatabase = "orders-db";

std::string ServiceName(size_t i) { return fmt::format("shop-{}", i); }

// The first of each batch is about the database, whose alerts are 1 % of all; the others are of its callers.
json MakeAlert(size_t i, const std::string& starts) {
  static constexpr std::array kNames = {"HighErrorRate", "HighLatency", "ConnectionPoolExhausted",
                                        "QueueBacklog", "HealthCheckFails"};
  const bool database = i % kBatch == 0;
  const size_t caller = i * 7 % kServices;
  const char* name = database ? "PostgresDown" : kNames[i / kServices % kNames.size()];
  return {{"labels",
           {{"alertname", name},
            {"service", database ? kDatabase : ServiceName(caller)},
            {"pod", fmt::format("pod-{}", i)},
            {"severity", database ? "critical" : "warning"},
            {"cluster", "eu-west-1"},
            {"namespace", "shop"}}},
          {"annotations", {{"summary", fmt::format("{} on pod-{}", name, i)}}},
          {"startsAt", starts}};
}

class Storm : public ::testing::Test {
 protected:
  void Start() {
    server_.reset();
    server_ = std::make_unique<e2e::ServerProcess>(folder_.path() + "/data",
                                                   std::vector<std::string>{"--config", config_});
    client_ = ports::HttpClient();
  }
  void WriteConfig() {
    config_ = folder_.path() + "/tocsin.yaml";
    std::ofstream(config_) << fmt::format(R"(route:
  receiver: on-call
  group_by: [alertname, service]
  group_wait: {}ms
  group_interval: 1m
receivers:
  - {{name: on-call, policy: default}}
people:
  ada: {{channels: [{{kind: webhook, url: "{}", key: a-signing-secret}}]}}
policies:
  default:
    steps: [{{targets: [{{person: ada}}]}}]
)",
                                          kGroupWait.count(), pager_.Url("/ada"));
  }
  Result<ports::HttpResponse> Post(const std::string& path, const std::string& type, std::string_view body) {
    return client_.Send({"POST", server_->url() + path, {{"Content-Type", type}}, body});
  }
  json Get(const std::string& path) {
    const auto answer = client_.Send({"GET", server_->url() + path, {{"Accept", "application/json"}}, {}});
    return answer ? json::parse(answer->body, nullptr, false) : json();
  }
  void TellOfCalls();
  bool SendBatch(size_t first);
  size_t Pages() const {
    size_t pages = 0;
    for (const auto& request : pager_.Requests())
      pages += json::parse(request.body, nullptr, false).value("kind", "") == "page" ? 1U : 0U;
    return pages;
  }

  store::testing::ScratchDirectory folder_;
  respond::testing::HttpRecorder pager_;
  std::string config_;
  std::unique_ptr<e2e::ServerProcess> server_;
  ports::HttpClient client_;
};

// A trace of each service that asks the database.
void Storm::TellOfCalls() {
  for (size_t i = 0; i < kServices; ++i) {
    auto request = e2e::CallRequest(ServiceName(i), kDatabase, i);
    const auto answer = Post("/v1/traces", "application/x-protobuf", request.SerializeAsString());
    ASSERT_TRUE(answer && answer->status == 200);
  }
  const auto end = Clock::now() + std::chrono::seconds(10);
  while (Clock::now() < end) {
    const json ingest = Get("/api/v1/status")["ingest"];
    if (ingest["applied_position"] == ingest["durable_position"]) break;
    std::this_thread::sleep_for(milliseconds(20));
  }
  std::this_thread::sleep_for(milliseconds(500));  // the dispatcher looks every 200 ms
}

// True when acknowledged.
bool Storm::SendBatch(size_t first) {
  json batch = json::array();
  const std::string starts = FormatTime(ports::SystemClock().Now());
  for (size_t i = first; i < first + kBatch; ++i) batch.push_back(MakeAlert(i, starts));
  const auto answer = Post("/api/v2/alerts", "application/json", batch.dump());
  return answer && answer->status == 200;
}

TEST_F(Storm, OneIncidentNamesTheDatabaseAndNoAlertIsLost) {
  WriteConfig();
  Start();
  TellOfCalls();
  const auto began = Clock::now();
  Clock::time_point paged{};
  bool killed = false;
  for (size_t first = 0; first < kAlerts; first += kBatch) {
    const auto due = began + kStorm * first / kAlerts;
    while (Clock::now() < due) {
      if (paged == Clock::time_point{} && Pages() > 0) paged = Clock::now();
      std::this_thread::sleep_for(milliseconds(5));
    }
    if (!killed && first >= kAlerts / 2) {
      server_->Kill();
      Start();
      killed = true;
    }
    for (int i = 0; !SendBatch(first); ++i) ASSERT_LT(i, 50) << "batch " << first << " is not taken";
  }
  ASSERT_NE(paged, Clock::time_point{}) << "nobody was paged during the storm";
  EXPECT_LT(paged - began, kGroupWait + milliseconds(2'000))
      << std::chrono::duration_cast<milliseconds>(paged - began).count() << " ms";

  std::set<std::string> pods;
  for (const json& alert : Get("/api/v2/alerts")) pods.insert(alert["labels"]["pod"]);
  EXPECT_EQ(pods.size(), kAlerts);

  std::this_thread::sleep_for(kGroupWait + milliseconds(2'000));
  const json incidents = Get("/api/v1/incidents")["incidents"];
  ASSERT_GE(incidents.size(), 1U);
  EXPECT_LE(incidents.size(), 2U) << incidents.dump(1);
  for (const json& incident : incidents) {
    const json whole = Get("/api/v1/incidents/" + incident["id"].get<std::string>());
    const json& sources = whole["evidence"]["sources"];
    ASSERT_FALSE(sources.empty()) << whole.dump(1);
    EXPECT_EQ(sources[0]["service"], kDatabase) << sources.dump(1);
    EXPECT_FALSE(sources[0]["reasons"].empty());
    EXPECT_EQ(incident["service"], kDatabase);
  }
  // Nobody is told twice of one step, crash or not.
  std::set<std::string> keys;
  size_t pages = 0;
  for (const auto& request : pager_.Requests()) {
    if (json::parse(request.body, nullptr, false).value("kind", "") != "page") continue;
    keys.insert(request.headers.at("idempotency-key"));
    ++pages;
  }
  EXPECT_EQ(pages, keys.size());
  EXPECT_LE(pages, incidents.size());
}

}  // namespace
}  // namespace tocsin
