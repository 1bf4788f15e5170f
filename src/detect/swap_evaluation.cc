#include "detect/swap_evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "kernel/rng.h"

namespace tocsin::detect {
namespace {

using behavior::GenerationFeatures;
using behavior::GenerationInput;

GenerationFeatures Extract(const AnswerRow& row, behavior::NgramNames* names) {
  GenerationInput input;
  input.prompt = row.prompt;
  input.output = row.output;
  input.latency_ms = row.latency_ms;
  input.cost_usd = row.cost_usd;
  input.output_tokens = row.output_tokens;
  return behavior::ExtractFeatures(input, names);
}

std::unordered_map<std::string, const AnswerRow*> ByKey(const std::vector<AnswerRow>& rows) {
  std::unordered_map<std::string, const AnswerRow*> index;
  for (const AnswerRow& row : rows) index.emplace(row.key, &row);
  return index;
}

std::vector<size_t> Permutation(size_t n, Rng& rng) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  rng.Shuffle(order);
  return order;
}

std::vector<MonitorItem> ReferenceItems(const std::vector<SwapPrompt>& prompts,
                                        const std::vector<size_t>& order, size_t size) {
  std::vector<MonitorItem> items;
  items.reserve(size);
  for (size_t i = 0; i < size; ++i) items.push_back({order[i], 0, prompts[order[i]].reference});
  return items;
}

class SwapRunner {
 public:
  SwapRunner(const std::vector<SwapPrompt>& prompts, const SwapOptions& options,
             const behavior::NgramNames* names)
      : prompts_(prompts), options_(options), names_(names) {}

  void Run(bool is_null) {
    for (size_t s = 0; s < options_.shuffles; ++s) {
      RunSwap(s, is_null);
      if (options_.null_generations > 0) RunNull(s);
    }
  }

  SwapResult Finish() {
    SwapResult& r = result_;
    r.prompts = prompts_.size();
    r.runs = options_.shuffles;
    std::sort(r.delays.begin(), r.delays.end());
    if (!r.delays.empty()) {
      const size_t n = r.delays.size();
      r.median_delay =
          (static_cast<double>(r.delays[(n - 1) / 2]) + static_cast<double>(r.delays[n / 2])) / 2.0;
      const auto rank = static_cast<size_t>(std::ceil(0.9 * static_cast<double>(n)));
      r.p90_delay = static_cast<double>(r.delays[rank - 1]);
    }
    if (r.null_generations > 0) {
      const double generations = static_cast<double>(r.null_generations);
      r.mean_run_length_null = generations / static_cast<double>(std::max<uint64_t>(r.null_alarms, 1));
      r.mean_run_length_null_is_lower_bound = r.null_alarms == 0;
    }
    if (observed_ > 0) r.skipped_share = static_cast<double>(skipped_) / static_cast<double>(observed_);
    return std::move(r);
  }

 private:
  PairMonitor NewMonitor(Rng& rng) const {
    PairMonitorOptions monitor;
    monitor.alpha = options_.alpha;
    monitor.seed = rng.Next();
    return PairMonitor(monitor);
  }

  void RunSwap(size_t shuffle, bool is_null) {
    Rng rng(options_.seed * 1'000'003 + shuffle);
    const std::vector<size_t> order = Permutation(prompts_.size(), rng);
    PairMonitor monitor = NewMonitor(rng);
    monitor.AddReference(ReferenceItems(prompts_, order, options_.reference_size));
    const size_t live = prompts_.size() - options_.reference_size;
    for (size_t i = 0; i < live && !monitor.alarmed(); ++i) {
      const SwapPrompt& prompt = prompts_[order[options_.reference_size + i]];
      monitor.Observe({i, 0, i < options_.change_at ? prompt.before : prompt.after});
    }
    const MonitorState state = monitor.state();
    observed_ += state.observed;
    skipped_ += state.skipped;
    if (!state.alarmed) {
      result_.missed += is_null ? 0 : 1;
    } else if (is_null || state.alarm_index < options_.change_at) {
      ++result_.false_alarms;
    } else {
      ++result_.found;
      result_.delays.push_back(state.alarm_index - options_.change_at + 1);
      if (result_.words.empty()) result_.words = monitor.Explain(names_, 10);
    }
  }

  void RunNull(size_t shuffle) {
    Rng rng(options_.seed * 1'000'003 + 500'009 + shuffle);
    PairMonitor monitor = NewMonitor(rng);
    uint64_t generations = 0;
    while (generations < options_.null_generations) {
      const std::vector<size_t> order = Permutation(prompts_.size(), rng);
      monitor.ReplaceReference(BeforeItems(order));
      for (size_t i = options_.reference_size; i < order.size(); ++i) {
        if (generations == options_.null_generations) break;
        ++generations;
        if (monitor.Observe({i, 0, prompts_[order[i]].before}) != ObserveOutcome::kAlarm) continue;
        ++result_.null_alarms;
        monitor = NewMonitor(rng);
        break;  // a new pass, since this one's reference is partly spent
      }
    }
    result_.null_generations += generations;
  }

  std::vector<MonitorItem> BeforeItems(const std::vector<size_t>& order) const {
    std::vector<MonitorItem> items;
    for (size_t i = 0; i < options_.reference_size; ++i)
      items.push_back({order[i], 0, prompts_[order[i]].before});
    return items;
  }

  const std::vector<SwapPrompt>& prompts_;
  const SwapOptions& options_;
  const behavior::NgramNames* names_;
  SwapResult result_;
  uint64_t observed_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace

std::vector<SwapPrompt> JoinAnswers(const std::vector<AnswerRow>& reference,
                                    const std::vector<AnswerRow>& before, const std::vector<AnswerRow>& after,
                                    behavior::NgramNames* names) {
  const auto by_before = ByKey(before);
  const auto by_after = ByKey(after);
  std::vector<SwapPrompt> out;
  for (const AnswerRow& row : reference) {
    const auto b = by_before.find(row.key);
    const auto a = by_after.find(row.key);
    if (b == by_before.end() || a == by_after.end()) continue;
    out.push_back({row.segment, Extract(row, names), Extract(*b->second, names), Extract(*a->second, names)});
  }
  return out;
}

Result<SwapResult> EvaluateSwap(const std::vector<SwapPrompt>& prompts, const SwapOptions& options,
                                const behavior::NgramNames* names, bool is_null) {
  const size_t needed = options.reference_size + options.change_at + 1;
  if (prompts.size() < needed) {
    return Error(
        Code::kInvalidArgument,
        "the files have " + std::to_string(prompts.size()) +
            " prompts in common, fewer than reference size + change at + 1 = " + std::to_string(needed));
  }
  if (!(options.alpha > 0.0 && options.alpha < 1.0)) {
    return Error(Code::kInvalidArgument, "alpha must lie between 0 and 1");
  }
  SwapRunner runner(prompts, options, names);
  runner.Run(is_null);
  return runner.Finish();
}

}  // namespace tocsin::detect
