// Back-pressure: with a tiny backlog the server says 429 with Retry-After, keeps what it acknowledged, and
// takes more once it has caught up.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/e2e/running_server.h"
#include "tests/e2e/telemetry_requests.h"

namespace tocsin::e2e {
namespace {

TEST(Backlog, FullIs429WithRetryAfterAndNothingAcknowledgedIsLost) {
  runtime::Settings settings;
  settings.limits.max_backlog_bytes = 512u << 10;
  RunningServer running(settings);
  std::atomic<uint64_t> accepted{0}, refused{0}, other{0};
  std::atomic<bool> no_retry_after{false};
  std::vector<std::thread> senders;
  for (uint64_t s = 0; s < 4; ++s) {
    senders.emplace_back([&, s] {
      ports::HttpClient client;
      for (uint64_t i = 0; i < 60; ++i) {
        const std::string body =
            TraceRequest({"backlog", (s * 1000 + i) * 100, 100, 1000}).SerializeAsString();
        const auto response = client.Send(
            {"POST", running.url() + "/v1/traces", {{"Content-Type", "application/x-protobuf"}}, body});
        if (response && response->status == 200) {
          ++accepted;
        } else if (response && response->status == 429) {
          ++refused;
          if (response->retry_after_s < 1) no_retry_after = true;
        } else {
          ++other;
        }
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_GT(refused, 0u);
  EXPECT_GT(accepted, 0u);
  EXPECT_EQ(other, 0u);
  EXPECT_FALSE(no_retry_after);
  ASSERT_TRUE(running.server().writer().Flush().ok());
  const auto counts = running.server().telemetry().Counts();
  ASSERT_TRUE(counts);
  for (const auto& count : *counts) {
    if (count.table == "spans") {
      EXPECT_EQ(count.rows, static_cast<int64_t>(accepted * 100));
    }
  }
  // A refused request can be sent again unchanged: refusing it must not have marked it as seen.
  EXPECT_EQ(running
                .Post("/v1/traces", "application/x-protobuf",
                      TraceRequest({"after", 9'000'000, 10, 100}).SerializeAsString())
                .status,
            200);
}

}  // namespace
}  // namespace tocsin::e2e
