// kill -9 twenty times during load: every acknowledged span is there after the restart, exactly once; spans
// that were sent again because no acknowledgement came are there exactly once too; no incident is opened
// twice.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>
#include <vector>

#include "ports/http_client.h"
#include "runtime/server.h"
#include "store/testing/scratch_directory.h"
#include "tests/e2e/server_process.h"
#include "tests/e2e/telemetry_requests.h"

namespace tocsin::e2e {
namespace {

constexpr int kKills = 20;
constexpr int kSenders = 3;
constexpr int kSpans = 20;

// Numbers of requests: handed out once, given back when no acknowledgement came.
class Work {
 public:
  uint64_t Take() {
    const std::lock_guard lock(mutex_);
    if (again_.empty()) return next_++;
    const uint64_t n = *again_.begin();
    again_.erase(again_.begin());
    return n;
  }
  void GiveBack(uint64_t n) {
    const std::lock_guard lock(mutex_);
    again_.insert(n);
  }
  void Acknowledge(uint64_t n) {
    const std::lock_guard lock(mutex_);
    acknowledged_.insert(n);
  }
  std::set<uint64_t> acknowledged() {
    const std::lock_guard lock(mutex_);
    return acknowledged_;
  }

 private:
  std::mutex mutex_;
  uint64_t next_ = 0;
  std::set<uint64_t> again_, acknowledged_;
};

void SendUntil(const std::atomic<bool>& stop, const std::string& url, Work& work) {
  ports::HttpClient client({1000, 5000, 1u << 20});
  while (!stop) {
    const uint64_t n = work.Take();
    const std::string body = TraceRequest({"durable", n * kSpans, kSpans, 400}).SerializeAsString();
    const auto response =
        client.Send({"POST", url + "/v1/traces", {{"Content-Type", "application/x-protobuf"}}, body});
    if (response && response->status == 200)
      work.Acknowledge(n);
    else
      work.GiveBack(n);
  }
}

void Load(ServerProcess& server, Work& work, int milliseconds) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> senders;
  for (int i = 0; i < kSenders; ++i) senders.emplace_back([&] { SendUntil(stop, server.url(), work); });
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
  server.Kill();  // while requests are on their way
  stop = true;
  for (std::thread& sender : senders) sender.join();
}

TEST(Durability, TwentyKillsLoseNothingAcknowledgedAndStoreNothingTwice) {
  const store::testing::ScratchDirectory directory;
  const std::string data = directory.path() + "/data";
  Work work;
  for (int kill = 0; kill < kKills; ++kill) {
    ServerProcess server(data);
    Load(server, work, 150 + 67 * (kill % 5));
  }
  runtime::Settings settings;
  settings.data = data;
  settings.http.port = 0;
  settings.grpc.port = 0;
  auto server = runtime::Server::Start(settings, ports::SystemClock());
  ASSERT_TRUE(server) << server.error().ToString();
  ASSERT_TRUE((*server)->writer().Flush().ok());
  store::QueryLimits limits;
  limits.max_rows = 10'000'000;
  const auto rows =
      (*server)->telemetry().Query("SELECT trace_id, count(*) AS n FROM spans GROUP BY trace_id", {}, limits);
  ASSERT_TRUE(rows) << rows.error().ToString();
  std::map<std::string, int64_t> stored;
  for (const auto& row : rows->rows) stored[std::get<std::string>(row[0])] = std::get<int64_t>(row[1]);
  uint64_t missing = 0, twice = 0;
  const auto acknowledged = work.acknowledged();
  EXPECT_GT(acknowledged.size(), 100u);
  for (const uint64_t n : acknowledged) {
    for (uint64_t i = 0; i < kSpans; ++i) missing += stored.count(TraceIdHex(n * kSpans + i)) == 0 ? 1u : 0u;
  }
  for (const auto& [id, count] : stored) twice += count > 1 ? 1u : 0u;
  EXPECT_EQ(missing, 0u) << "of " << acknowledged.size() * kSpans << " acknowledged spans";
  EXPECT_EQ(twice, 0u);
  const auto incidents = (*server)->ledger().FindIncidents({"active", "", "", 1000});
  ASSERT_TRUE(incidents);
  std::set<std::string> keys;
  for (const auto& incident : *incidents)
    EXPECT_TRUE(keys.insert(incident.key).second) << "twice: " << incident.key;
  const auto audit = (*server)->ledger().VerifyAudit();
  ASSERT_TRUE(audit);
  EXPECT_TRUE(audit->intact) << audit->what;
}

}  // namespace
}  // namespace tocsin::e2e
