// How many generations a second are taken in durably, from socket to store, by the real server process.
//
// 1. Rate: as many as are taken over keep-alive connections; the clock stops only when everything
// acknowledged
//    is in the telemetry store too, so the figure can be sustained. 2. Acknowledgement at half that rate.
// 3. The named limit: DuckDB's own append of the same rows, measured in the same run.
// Sender and server share the machine.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/ingest/load.h"
#include "bench/ingest/raw_append.h"
#include "ingest/decoder.h"
#include "ports/http_client.h"
#include "tests/e2e/server_process.h"

namespace tocsin::bench {
namespace {

struct Options {
  double seconds = 15;
  int connections = 4;
  bool json = false;
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--json") options.json = true;
    if (argument == "--seconds" && i + 1 < argc) options.seconds = std::atof(argv[++i]);
    if (argument == "--connections" && i + 1 < argc) options.connections = std::atoi(argv[++i]);
  }
  return options;
}

double PeakMb(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) / 1024;
  }
  return 0;
}

// Seconds until everything durable is in the store.
double WaitUntilApplied(const std::string& url) {
  ports::HttpClient client;
  const auto began = std::chrono::steady_clock::now();
  while (true) {
    const auto response = client.Send({"GET", url + "/api/v1/status", {}, {}});
    if (response && response->status == 200) {
      const auto ingest = nlohmann::json::parse(response->body)["ingest"];
      if (ingest["applied_position"] == ingest["durable_position"]) break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

Result<RawAppend> RawRate(const std::string& folder) {
  std::vector<signal::Batch> batches;
  for (int variant = 0; variant < 50; ++variant) {
    Body body(variant, 100, 1000);
    body.Number(static_cast<uint64_t>(variant) * 100);
    TOCSIN_ASSIGN_OR_RETURN(auto decoded,
                            ingest::DecodeTraces(body.bytes(), ingest::Encoding::kProtobuf, {}));
    batches.push_back(std::move(decoded.batch));
  }
  return RawAppendRate(batches, folder + "/raw.duckdb", 100);
}

int Main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  std::string folder = (std::filesystem::temp_directory_path() / "tocsin-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return 1;
  nlohmann::ordered_json out;
  bool failed = false;
  {
    e2e::ServerProcess server(folder + "/data");
    std::cerr << fmt::format("as fast as it is taken, {} s, {} connections …\n", options.seconds,
                             options.connections);
    const LoadResult full = Run(server.port(), options.connections, options.seconds, 0, 0);
    const double settle = WaitUntilApplied(server.url());
    const double rate = static_cast<double>(full.acknowledged) / (full.seconds + settle);
    std::cerr << fmt::format("{:.0f}/s; at half of it …\n", rate);
    const LoadResult half =
        Run(server.port(), options.connections, options.seconds, rate / 2, uint64_t{1} << 50);
    WaitUntilApplied(server.url());
    failed = full.failed + half.failed > 0 || half.ack_ms.empty();
    out["generations_per_s"] = rate;
    out["ratio_to_raw_append"] = 0.0;
    out["peak_rss_mb"] = PeakMb(server.pid());
    out["p99_ack_ms"] = failed ? -1 : half.ack_ms[half.ack_ms.size() * 99 / 100];
    out["p50_ack_ms"] = failed ? -1 : half.ack_ms[half.ack_ms.size() / 2];
    out["acknowledged"] = full.acknowledged + half.acknowledged;
    out["refused_requests"] = full.refused;
    out["settle_s"] = settle;
  }
  std::cerr << "DuckDB's own append of the same rows …\n";
  const auto raw = RawRate(folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!raw) {
    std::cerr << raw.error().ToString() << '\n';
    return 1;
  }
  out["raw_append_generations_per_s"] = raw->generations_per_s;
  out["ratio_to_raw_append"] = out["generations_per_s"].get<double>() / raw->generations_per_s;
  if (options.json) {
    std::cout << out.dump() << '\n';
  } else {
    for (const auto& [key, value] : out.items()) std::cout << fmt::format("{:<30} {}\n", key, value.dump());
  }
  return failed ? 1 : 0;
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
