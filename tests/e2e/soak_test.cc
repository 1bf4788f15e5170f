// Soak: as much load as the server takes (429 honoured) for ten minutes, or TOCSIN_SOAK_SECONDS: the real
// binary's resident memory has to stay flat.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>
#include <vector>

#include "ports/http_client.h"
#include "store/testing/scratch_directory.h"
#include "tests/e2e/server_process.h"
#include "tests/e2e/telemetry_requests.h"

namespace tocsin::e2e {
namespace {

double ResidentMb(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  std::string word;
  while (status >> word) {
    if (word == "VmRSS:") {
      double kb = 0;
      status >> kb;
      return kb / 1024;
    }
  }
  return 0;
}

void Send(const std::string& url, uint64_t sender, const std::atomic<bool>& stop,
          std::atomic<uint64_t>& spans, std::atomic<uint64_t>& refused) {
  ports::HttpClient client;
  for (uint64_t i = 0; !stop; ++i) {
    const std::string body = TraceRequest({"soak", (sender << 40) + i * 100, 100, 1000}).SerializeAsString();
    const auto response =
        client.Send({"POST", url + "/v1/traces", {{"Content-Type", "application/x-protobuf"}}, body});
    if (response && response->status == 200) {
      spans += 100;
    } else if (response && response->status == 429) {
      ++refused;
      std::this_thread::sleep_for(std::chrono::seconds(response->retry_after_s));
    } else {
      ADD_FAILURE() << (response ? fmt::format("status {}", response->status) : response.error().ToString());
      return;
    }
  }
}

TEST(Soak, MemoryStaysFlat) {
  const char* set = std::getenv("TOCSIN_SOAK_SECONDS");
  const int seconds = set == nullptr ? 600 : std::max(20, std::atoi(set));
  const store::testing::ScratchDirectory directory;
  const std::string config = directory.path() + "/tocsin.yaml";
  std::ofstream(config)
      << "limits:\n  max_backlog_bytes: 64MiB\nstore:\n  memory_limit_mb: 512\nretention: 10m\n";
  ServerProcess server(directory.path() + "/data", {"--config", config});
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> spans{0}, refused{0};
  std::vector<std::thread> senders;
  for (uint64_t i = 0; i < 4; ++i)
    senders.emplace_back([&, i] { Send(server.url(), i, stop, spans, refused); });
  std::vector<double> samples;
  for (int second = 0; second < seconds; ++second) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    samples.push_back(ResidentMb(server.pid()));
    if (second % 30 == 29) {
      std::cerr << fmt::format("{} s: {:.0f} MB resident, {} spans, {} times 429\n", second + 1,
                               samples.back(), spans.load(), refused.load());
    }
  }
  stop = true;
  for (std::thread& sender : senders) sender.join();
  // The first third fills caches and buffers; after it the highest point may not rise by more than a tenth.
  const auto third = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 3);
  const auto last = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() * 2 / 3);
  const double middle = *std::max_element(third, last);
  const double end = *std::max_element(last, samples.end());
  EXPECT_LT(end, middle * 1.1 + 32) << "resident memory rises: " << middle << " MB, then " << end << " MB";
  EXPECT_LT(end, 3000);
}

}  // namespace
}  // namespace tocsin::e2e
