// How long the context pack of an incident takes, with 1 and 10 million spans and as many log lines stored: a
// day of them, and, as the worst case, all of them in the two hours the pack looks at.
//
// The named limit: 2 s with 10 million of each. The real BuildContext, on a database on disk that was just
// opened with the settings of a server.
//   bench_context [--json] [--small N] [--large N] [--hours H] [--keep DIR]
// --keep: databases are made there once and left; otherwise in a temporary folder that is deleted.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/context/fill.h"
#include "investigate/context/build_context.h"
#include "investigate/context/context_render.h"

namespace tocsin::bench {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr double kLimitSeconds = 2;
constexpr int kRuns = 3;
constexpr Time kOnset{1'764'000'000'000'000'000};

struct Options {
  bool json = false, page = false;
  int64_t small = 1'000'000, large = 10'000'000;
  double hours = 24;
  std::string keep;
};

Options Parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool more = i + 1 < argc;
    if (argument == "--json") options.json = true;
    if (argument == "--page") options.page = true;
    if (argument == "--small" && more) options.small = std::atoll(argv[++i]);
    if (argument == "--large" && more) options.large = std::atoll(argv[++i]);
    if (argument == "--hours" && more) options.hours = std::atof(argv[++i]);
    if (argument == "--keep" && more) options.keep = argv[++i];
  }
  return options;
}

template <class T>
T Need(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().ToString());
  return *std::move(result);
}

// One that alerts opened: the database fails, and who calls it.
std::unique_ptr<store::Ledger> LedgerWithIncident() {
  auto ledger = Need(store::OpenSqlite({":memory:", false}));
  signal::Incident incident;
  incident.id = IncidentId{"INC-BENCH"};
  incident.key = "alerts";
  incident.state = "open";
  incident.severity = "sev1";
  incident.kind = "alerts";
  incident.title = "ErrorRateHigh on payments: more than 5 % of calls fail; 1 service fails with it";
  incident.service = kCaller;
  incident.opened = incident.updated = kOnset + Duration::Minutes(4);
  incident.onset = incident.onset_low = incident.onset_high = kOnset + Duration::Minutes(3);
  const ordered_json alert = {{"fingerprint", "00000000000000aa"},
                              {"service", kCaller},
                              {"name", "ErrorRateHigh"},
                              {"text", "ErrorRateHigh on payments: more than 5 % of calls fail"},
                              {"severity", "sev1"},
                              {"starts_at", FormatTime(incident.onset)},
                              {"url", ""}};
  incident.document_json = ordered_json{
      {"format", 1},
      {"type", "alerts"},
      {"sources", {{{"service", kFailing}, {"score", 0.9}}}},
      {"failing", {kCaller}},
      {"alerts", {alert}}}.dump();
  const Status status =
      ledger->Transact([&](store::LedgerTransaction& t) { return t.PutIncident(incident); });
  if (!status.ok()) throw std::runtime_error(status.ToString());
  return ledger;
}

std::string Filled(const std::string& folder, int64_t rows, double hours) {
  const std::string path = fmt::format("{}/context-{}-{}h.duckdb", folder, rows, hours);
  if (fs::exists(path)) return path;
  std::cerr << fmt::format("filling {} spans and as many log lines over {} h …\n", rows, hours);
  {
    const auto store = Need(store::OpenDuckDb({path}));
  }
  FillPlan plan;
  plan.path = path;
  plan.rows = rows;
  const Duration half{static_cast<int64_t>(hours * 1800e9)};
  plan.from_ns = (kOnset - half).ns;
  plan.to_ns = (kOnset + half).ns;
  plan.onset_ns = kOnset.ns;
  Fill(plan);
  return path;
}

double PeakMb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

ordered_json Measure(const Options& options, const std::string& folder, int64_t rows, double hours) {
  const std::string path = Filled(folder, rows, hours);
  const auto ledger = LedgerWithIncident();
  std::vector<double> seconds, cpu;
  ordered_json sections = ordered_json::object(), lines = ordered_json::object();
  for (int run = 0; run < kRuns; ++run) {
    const auto store = Need(store::OpenDuckDb({path}));  // anew: nothing of it is in memory
    const investigate::ContextSources sources{*store, store::DuckDbDialect(), *ledger, ports::SystemClock()};
    investigate::ContextOptions context;
    context.now = kOnset + Duration::Minutes(63);
    context.query_timeout = Duration::Seconds(60);  // measured, not cut short
    context.budget = Duration::Seconds(120);
    const double cpu_before = CpuSeconds();
    const auto pack = Need(investigate::BuildContext(sources, IncidentId{"INC-BENCH"}, context));
    cpu.push_back(CpuSeconds() - cpu_before);
    seconds.push_back(pack.seconds);
    for (const auto& s : pack.sections) {
      if (!s.not_looked_at.empty() && s.name != "people" && s.name != "behavior")
        throw std::runtime_error(fmt::format("section {} was not had: {}", s.name, s.not_looked_at));
      sections[s.name] = s.seconds;
      lines[s.name] = s.lines.size();
    }
    if (options.page && run == 0) std::cerr << investigate::RenderContext(pack);
  }
  ordered_json out = {{"rows", rows}, {"hours", hours}, {"first_s", seconds.front()}};
  std::ranges::sort(seconds);
  out["median_s"] = seconds[seconds.size() / 2];
  out["worst_s"] = seconds.back();
  out["cpu_s"] = *std::ranges::min_element(cpu);  // what a machine that does other things too cannot change
  out["file_mb"] = static_cast<double>(fs::file_size(path)) / 1048576.0;
  out["sections_s"] = std::move(sections);
  out["lines"] = std::move(lines);
  return out;
}

int Main(int argc, char** argv) {
  const Options options = Parse(argc, argv);
  std::string folder = options.keep;
  if (folder.empty()) {
    folder = (fs::temp_directory_path() / "tocsin-bench-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
  }
  ordered_json out = {{"benchmark", "context"}, {"limit_s", kLimitSeconds}};
  out["small"] = Measure(options, folder, options.small, options.hours);
  out["large"] = Measure(options, folder, options.large, options.hours);
  out["dense"] = Measure(options, folder, options.large, 2);
  out["small_s"] = out["small"]["median_s"];
  out["large_s"] = out["large"]["median_s"];
  out["dense_s"] = out["dense"]["median_s"];
  out["growth"] = out["large_s"].get<double>() / out["small_s"].get<double>();
  out["rows_growth"] = static_cast<double>(options.large) / static_cast<double>(options.small);
  out["peak_rss_mb"] = PeakMb();  // filling included, when it was filled
  out["within_limit"] = out["large"]["worst_s"].get<double>() <= kLimitSeconds;
  if (options.keep.empty()) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  if (options.json) {
    std::cout << out.dump() << '\n';
  } else {
    for (const auto& [key, value] : out.items()) std::cout << fmt::format("{:<16} {}\n", key, value.dump());
  }
  return out["within_limit"].get<bool>() ? 0 : 1;
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
