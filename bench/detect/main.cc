// How soon is a silent change found, against ADWIN and a windowed Kolmogorov-Smirnov test, on length and on
// the score of a classifier, each tuned on null traffic of the same pair to the run length Tocsin shows
// there?
//
// Data: $TOCSIN_DATA/alpaca_eval (default ../shared/data): every prompt edit (BASE and BASE_variant) and
// every pair of successive dated snapshots. The classifier of the peers is Tocsin's n-gram learner, scored
// before it is trained.
//   bench_detect [--json] [--shuffles 30] [--seed 1] [--null-generations 40000]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "bench/detect/peers.h"
#include "detect/swap_evaluation.h"
#include "kernel/rng.h"
#include "stats/online_logistic.h"

namespace tocsin::bench {
namespace {

using detect::SwapPrompt;
using nlohmann::ordered_json;

constexpr PeerKind kPeers[] = {PeerKind::kAdwinLength, PeerKind::kAdwinScore, PeerKind::kKsLength,
                               PeerKind::kKsScore};
constexpr size_t kReference = 400;
constexpr size_t kChangeAt = 100;

struct Flags {
  bool json = false;
  size_t shuffles = 30, null_generations = 40'000;
  uint64_t seed = 1;
};

Flags Parse(int argc, char** argv) {
  Flags flags;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const bool more = i + 1 < argc;
    if (argument == "--json") flags.json = true;
    if (argument == "--shuffles" && more) flags.shuffles = std::strtoull(argv[++i], nullptr, 10);
    if (argument == "--seed" && more) flags.seed = std::strtoull(argv[++i], nullptr, 10);
    if (argument == "--null-generations" && more)
      flags.null_generations = std::strtoull(argv[++i], nullptr, 10);
  }
  return flags;
}

struct DataPair {
  std::string before, after;
};

// "gpt-3.5-turbo-0301" -> "gpt-3.5-turbo-"; empty when there is no date at the end.
std::string Family(const std::string& name) {
  if (name.size() < 5 || name[name.size() - 5] != '-') return {};
  if (name.find_first_not_of("0123456789", name.size() - 4) != std::string::npos) return {};
  return name.substr(0, name.size() - 4);
}

std::vector<DataPair> FindPairs(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    if (file.ends_with(".jsonl.zst")) names.push_back(file.substr(0, file.size() - 10));
  }
  std::sort(names.begin(), names.end());
  std::vector<DataPair> pairs;
  for (const std::string& a : names) {
    const std::string* next = nullptr;
    for (const std::string& b : names) {
      if (b.starts_with(a + "_")) pairs.push_back({a, b});
      if (next == nullptr && b > a && !Family(a).empty() && Family(a) == Family(b)) next = &b;
    }
    if (next != nullptr) pairs.push_back({a, *next});
  }
  return pairs;
}

double LengthValue(const behavior::GenerationFeatures& f) {
  return std::min(1.0, static_cast<double>(behavior::StyleValue(f, behavior::Style::kLogChars)) / 12.0);
}

// One pass: reference and live split by a permutation; the length and the score streams.
struct Streams {
  Pass length, score;
};

Streams MakeStreams(const std::vector<SwapPrompt>& prompts, Rng& rng, bool changes) {
  std::vector<size_t> order(prompts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  rng.Shuffle(order);
  Streams out;
  stats::OnlineLogistic learner;
  for (size_t i = 0; i < kReference; ++i)
    out.length.reference.push_back(LengthValue(prompts[order[i]].reference));
  const size_t live = std::min(prompts.size() - kReference, kReference);
  for (size_t t = 0; t < live; ++t) {
    const SwapPrompt& prompt = prompts[order[kReference + t]];
    const auto& now = changes && t >= kChangeAt ? prompt.after : prompt.before;
    const auto& then = prompts[order[t]].reference;
    const double a = learner.Score(now.ngrams);
    const double b = learner.Score(then.ngrams);
    learner.Update(now.ngrams, then.ngrams, a - b);
    out.score.points.push_back({1.0 / (1.0 + std::exp(-a)), 1.0 / (1.0 + std::exp(-b))});
    out.length.points.push_back({LengthValue(now), LengthValue(then)});
  }
  return out;
}

ordered_json Row(size_t runs, std::vector<size_t> delays, size_t false_alarms, double null_run_length) {
  std::sort(delays.begin(), delays.end());
  ordered_json row = {{"runs", runs}, {"found", delays.size()}, {"false_alarms", false_alarms}};
  const size_t n = delays.size();
  row["median_delay"] =
      n == 0 ? ordered_json() : ordered_json(0.5 * static_cast<double>(delays[(n - 1) / 2] + delays[n / 2]));
  row["p90_delay"] =
      n == 0 ? ordered_json()
             : ordered_json(delays[static_cast<size_t>(std::ceil(0.9 * static_cast<double>(n))) - 1]);
  row["mean_run_length_null"] = null_run_length;
  return row;
}

ordered_json RunPeer(PeerKind kind, const std::vector<Streams>& null, const std::vector<Streams>& swaps,
                     double target) {
  std::vector<Pass> passes;
  for (const Streams& s : null) passes.push_back(UsesScore(kind) ? s.score : s.length);
  const double strictness = Tune(kind, passes, target);
  const double run_length = MeasureNull(*MakePeer(kind, strictness), passes).MeanRunLength();
  std::vector<size_t> delays;
  size_t false_alarms = 0;
  for (const Streams& s : swaps) {
    const Pass& pass = UsesScore(kind) ? s.score : s.length;
    const auto peer = MakePeer(kind, strictness);
    peer->Start(pass.reference);
    for (size_t t = 0; t < pass.points.size(); ++t) {
      if (!peer->Add(pass.points[t])) continue;
      if (t < kChangeAt) {
        ++false_alarms;
      } else {
        delays.push_back(t - kChangeAt + 1);
      }
      break;
    }
  }
  return Row(swaps.size(), delays, false_alarms, run_length);
}

Result<ordered_json> RunPair(const std::filesystem::path& folder, const DataPair& pair, const Flags& flags) {
  const auto path = [&](const std::string& name) { return (folder / (name + ".jsonl.zst")).string(); };
  TOCSIN_ASSIGN_OR_RETURN(const auto before, detect::ReadAnswerFile(path(pair.before)));
  TOCSIN_ASSIGN_OR_RETURN(const auto after, detect::ReadAnswerFile(path(pair.after)));
  const auto prompts = detect::JoinAnswers(before, before, after, nullptr);
  detect::SwapOptions options;
  options.shuffles = flags.shuffles;
  options.seed = flags.seed;
  options.null_generations = 0;
  const auto began = std::chrono::steady_clock::now();
  TOCSIN_ASSIGN_OR_RETURN(const auto result, detect::EvaluateSwap(prompts, options, nullptr, false));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  // The null in few long runs: a short run starts from no wealth each time and would flatter the run length.
  options.shuffles = 4;
  options.null_generations = flags.null_generations / options.shuffles;
  TOCSIN_ASSIGN_OR_RETURN(const auto calm, detect::EvaluateSwap(prompts, options, nullptr, true));
  const double tocsin_run_length = calm.mean_run_length_null.value_or(1.0 / options.alpha);

  Rng rng(flags.seed);
  std::vector<Streams> null;
  for (size_t n = 0; n < flags.null_generations; n += kReference)
    null.push_back(MakeStreams(prompts, rng, false));
  std::vector<Streams> swaps;
  for (size_t s = 0; s < flags.shuffles; ++s) swaps.push_back(MakeStreams(prompts, rng, true));
  ordered_json detectors;
  detectors["tocsin"] = Row(result.runs, result.delays, result.false_alarms, tocsin_run_length);
  for (PeerKind kind : kPeers) detectors[PeerName(kind)] = RunPeer(kind, null, swaps, tocsin_run_length);
  return ordered_json{
      {"before", pair.before}, {"after", pair.after}, {"detectors", detectors}, {"tocsin_seconds", seconds}};
}

void Print(const ordered_json& pair) {
  fmt::print("{} -> {}\n", pair["before"].get<std::string>(), pair["after"].get<std::string>());
  for (const auto& [name, row] : pair["detectors"].items()) {
    fmt::print("  {:<14} found {:>2}/{}  median {:>6}  p90 {:>6}  false {}  null {:.0f}\n", name,
               row["found"].get<size_t>(), row["runs"].get<size_t>(), row["median_delay"].dump(),
               row["p90_delay"].dump(), row["false_alarms"].get<size_t>(),
               row["mean_run_length_null"].get<double>());
  }
}

int Main(int argc, char** argv) {
  const Flags flags = Parse(argc, argv);
  const char* data = std::getenv("TOCSIN_DATA");
  const std::filesystem::path folder =
      std::filesystem::path(data != nullptr ? data : "../shared/data") / "alpaca_eval";
  if (!std::filesystem::is_directory(folder)) {
    fmt::print(stderr, "detect: skipped, no data at {} (set TOCSIN_DATA)\n", folder.string());
    if (flags.json) std::cout << ordered_json{{"skipped", "no data"}} << "\n";
    return 0;
  }
  ordered_json pairs = ordered_json::array();
  for (const DataPair& pair : FindPairs(folder)) {
    const auto row = RunPair(folder, pair, flags);
    if (!row.has_value()) {
      fmt::print(stderr, "detect: {}\n", row.error().ToString());
      return 1;
    }
    if (!flags.json) Print(*row);
    pairs.push_back(*row);
  }
  if (flags.json) {
    std::cout << ordered_json{{"benchmark", "detect"},  {"reference_size", kReference},
                              {"change_at", kChangeAt}, {"shuffles", flags.shuffles},
                              {"seed", flags.seed},     {"pairs", pairs}}
              << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace tocsin::bench

int main(int argc, char** argv) { return tocsin::bench::Main(argc, argv); }
