// How fast are the behaviour features, in MB/s of text, and what does the learned monitor cost a generation?
//
// Text: recorded answers in $TOCSIN_DATA/alpaca_eval if there, else made up. One thread. The named limit of
// the same run is a memory scan of the same bytes (counting newlines), which no feature can beat.
//   bench_features [--json] [--seconds 2]
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "behavior/answer_in_passages.h"
#include "behavior/claim_action.h"
#include "behavior/generation_features.h"
#include "behavior/grounding.h"
#include "behavior/injection.h"
#include "detect/answer_file.h"
#include "detect/pair_monitor.h"
#include "kernel/rng.h"

namespace tocsin::bench {
namespace {

using nlohmann::ordered_json;

struct Text {
  std::string prompt, output;
};

std::vector<Text> LoadTexts(std::string& source) {
  const char* data = std::getenv("TOCSIN_DATA");
  const std::filesystem::path folder =
      std::filesystem::path(data != nullptr ? data : "../shared/data") / "alpaca_eval";
  std::vector<Text> texts;
  std::error_code none;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, none)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const auto rows = detect::ReadAnswerFile(file.string());
    if (!rows.has_value()) continue;
    for (const auto& row : *rows) texts.push_back({row.prompt, row.output});
  }
  source = texts.empty() ? "made up" : "recorded answers";
  Rng rng(1);
  while (texts.size() < 2'000) {
    Text text{"Where is my order " + std::to_string(rng.Below(100'000)) + "?", ""};
    for (uint64_t w = 100 + rng.Below(200); w > 0; --w)
      text.output += "word" + std::to_string(rng.Below(3'000)) + " ";
    texts.push_back(std::move(text));
  }
  return texts;
}

// Processor time of this thread alone, so that a busy machine does not blur the figure.
double Seconds(const std::function<void()>& work) {
  const std::clock_t began = std::clock();
  work();
  return static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
}

// MB/s of prompt and output when `each` is run over the texts for about `seconds`.
double Rate(const std::vector<Text>& texts, double seconds, const std::function<void(const Text&)>& each) {
  double bytes = 0.0;
  double spent = 0.0;
  while (spent < seconds) {
    spent += Seconds([&] {
      for (const Text& text : texts) each(text);
    });
    for (const Text& text : texts) bytes += static_cast<double>(text.prompt.size() + text.output.size());
  }
  return bytes / spent / 1e6;
}

double MonitorMicroseconds(const std::vector<Text>& texts) {
  std::vector<detect::MonitorItem> items;
  for (const Text& text : texts) {
    behavior::GenerationInput input;
    input.prompt = text.prompt;
    input.output = text.output;
    items.push_back({items.size(), 0, behavior::ExtractFeatures(input)});
  }
  Rng rng(7);
  rng.Shuffle(items);
  const size_t half = items.size() / 2;
  detect::PairMonitorOptions options;
  options.alpha = 1e-12;  // never alarms: every generation pays the full price
  detect::PairMonitor monitor(options);
  monitor.AddReference({items.begin(), items.begin() + static_cast<std::ptrdiff_t>(half)});
  const double seconds = Seconds([&] {
    for (size_t i = half; i < items.size(); ++i) monitor.Observe(items[i]);
  });
  return seconds / static_cast<double>(items.size() - half) * 1e6;
}

int Main(int argc, char** argv) {
  bool json = false;
  double seconds = 2.0;
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--json") json = true;
    if (std::string(argv[i]) == "--seconds" && i + 1 < argc) seconds = std::atof(argv[++i]);
  }
  std::string source;
  const std::vector<Text> texts = LoadTexts(source);
  volatile size_t sink = 0;
  const auto input_of = [](const Text& text) {
    behavior::GenerationInput input;
    input.prompt = text.prompt;
    input.output = text.output;
    return input;
  };
  behavior::NgramNames names;
  double generations = 0.0;
  double bytes = 0.0;
  for (const Text& t : texts) {
    generations += 1.0;
    bytes += static_cast<double>(t.prompt.size() + t.output.size());
  }
  const double scan = Rate(texts, seconds / 4, [&](const Text& t) {
    sink = sink + static_cast<size_t>(std::count(t.output.begin(), t.output.end(), '\n'));
  });
  const double features = Rate(texts, seconds, [&](const Text& t) {
    sink = sink + behavior::ExtractFeatures(input_of(t), &names).ngrams.size();
  });
  const double grounding = Rate(texts, seconds / 4, [&](const Text& t) {
    sink = sink + behavior::CheckGrounding(input_of(t)).entities;
  });
  const double claims = Rate(texts, seconds / 4, [&](const Text& t) {
    sink = sink + behavior::CheckActionClaims(input_of(t)).claims.size();
  });
  const double injection = Rate(texts, seconds / 4, [&](const Text& t) {
    sink = sink + behavior::CheckInjection(input_of(t)).findings.size();
  });
  const double everything = Rate(texts, seconds / 2, [&](const Text& t) {
    const auto input = input_of(t);
    sink = sink + behavior::ExtractFeatures(input, &names).ngrams.size() +
           behavior::CheckGrounding(input).entities + behavior::CheckActionClaims(input).claims.size() +
           behavior::CheckInjection(input).findings.size();
  });
  const double feature_us = bytes / generations / features;
  const double monitor_us = MonitorMicroseconds(texts);
  const ordered_json result = {{"benchmark", "features"},
                               {"text", source},
                               {"mean_bytes_per_generation", bytes / generations},
                               {"features_mb_per_s", features},
                               {"grounding_mb_per_s", grounding},
                               {"claim_action_mb_per_s", claims},
                               {"injection_mb_per_s", injection},
                               {"everything_mb_per_s", everything},
                               {"limit_memory_scan_mb_per_s", scan},
                               {"features_us_per_generation", feature_us},
                               {"monitor_us_per_generation", monitor_us}};
  if (json) {
    std::cout << result << "\n";
  } else {
    for (const auto& [key, value] : result.items()) fmt::print("{:<32} {}\n", key, value.dump());
  }
  return 0;
}

}  // namespace
}  // namespace tocsin::bench

int main(int argc, char** argv) { return tocsin::bench::Main(argc, argv); }
