// How long the kill switch takes with a hundred steps running and as much telemetry coming in as is taken, by
// the real server process. Each drill is the server's own (`tocsin drill kill`): from when the switch is
// thrown until each step has ended. The named limit is one second.
//
// p99_ms is that of the worst drill, so no luck of one hides another. Sender and server share the machine.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "act/access.h"
#include "bench/ingest/load.h"
#include "ports/http_client.h"
#include "tests/e2e/server_process.h"

namespace tocsin::bench {
namespace {

constexpr double kLimitMs = 1000;

struct Options {
  int drills = 20, steps = 100;
  bool json = false;
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--json") options.json = true;
    if (argument == "--drills" && i + 1 < argc) options.drills = std::max(1, std::atoi(argv[++i]));
    if (argument == "--steps" && i + 1 < argc) options.steps = std::max(1, std::atoi(argv[++i]));
  }
  return options;
}

int Main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  std::string folder = (std::filesystem::temp_directory_path() / "tocsin-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  const std::string token = act::NewToken();
  std::ofstream(folder + "/tocsin.yaml")
      << "act:\n  access:\n    people:\n      bench: {token_sha256: " << act::TokenHash(token) << "}\n";
  std::vector<double> p50, p99, last;
  uint64_t acknowledged = 0;
  bool failed = false;
  {
    e2e::ServerProcess server(folder + "/data", {"--config", folder + "/tocsin.yaml"});
    std::atomic<bool> done{false};
    std::thread load([&] {
      for (uint64_t first = 0; !done; first += uint64_t{1} << 40)
        acknowledged += Run(server.port(), 4, 2, 0, first).acknowledged;
    });
    std::this_thread::sleep_for(std::chrono::seconds(3));
    ports::HttpClient client({5'000, 120'000, 1u << 20});
    const std::string body = nlohmann::json{{"steps", options.steps}}.dump();
    for (int i = 0; i < options.drills && !failed; ++i) {
      const auto answer =
          client.Send({"POST",
                       server.url() + "/api/v1/kill/drill",
                       {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}},
                       body});
      if (!answer || answer->status != 200) {
        std::cerr << (answer ? answer->body : answer.error().ToString()) << '\n';
        failed = true;
        break;
      }
      const auto drill = nlohmann::json::parse(answer->body);
      failed = drill["steps"] != options.steps || drill["cut"] != options.steps;
      p50.push_back(drill["p50_ms"].get<double>());
      p99.push_back(drill["p99_ms"].get<double>());
      last.push_back(drill["max_ms"].get<double>());
      std::cerr << fmt::format("drill {}: {}\n", i + 1, answer->body.substr(0, answer->body.find('\n')));
    }
    done = true;
    load.join();
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (p99.empty()) return 1;
  const auto most = [](const std::vector<double>& values) {
    return *std::max_element(values.begin(), values.end());
  };
  const nlohmann::ordered_json out = {{"p99_ms", most(p99)},
                                      {"p50_ms", most(p50)},
                                      {"max_ms", most(last)},
                                      {"limit_ms", kLimitMs},
                                      {"ratio_to_limit", most(p99) / kLimitMs},
                                      {"drills", p99.size()},
                                      {"steps", options.steps},
                                      {"generations_meanwhile", acknowledged}};
  if (options.json) {
    std::cout << out.dump() << '\n';
  } else {
    for (const auto& [key, value] : out.items()) std::cout << fmt::format("{:<24} {}\n", key, value.dump());
  }
  return failed || most(p99) > kLimitMs ? 1 : 0;
}

}  // namespace
}  // namespace tocsin::bench

int main(int argc, char** argv) {
  try {
    return tocsin::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
