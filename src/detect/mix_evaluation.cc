#include "detect/mix_evaluation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "detect/mix_watch.h"
#include "detect/pair_monitor.h"
#include "kernel/rng.h"
#include "stats/online_kmeans.h"

namespace tocsin::detect {
namespace {

constexpr size_t kHiddenClusters = 5;

struct Labels {
  std::vector<uint32_t> drift;    // what the weights of the live stream depend on
  std::vector<uint32_t> segment;  // what the monitors are told
  uint32_t drifting = 0;          // number of drift labels
};

Labels MakeLabels(const std::vector<SwapPrompt>& prompts, bool hidden) {
  Labels labels;
  std::map<std::string, uint32_t> ids;
  for (const SwapPrompt& p : prompts) ids.emplace(p.segment, 0);
  uint32_t next = 0;
  for (auto& [name, id] : ids) id = next++;
  for (const SwapPrompt& p : prompts) labels.segment.push_back(ids[p.segment]);
  if (!hidden && ids.size() > 1) {
    labels.drift = labels.segment;
    labels.drifting = next;
    return labels;
  }
  stats::OnlineKMeans clusters(behavior::kPromptCount, kHiddenClusters);
  for (const SwapPrompt& p : prompts) clusters.Add(p.reference.prompt);
  for (const SwapPrompt& p : prompts) {
    labels.drift.push_back(static_cast<uint32_t>(clusters.Assign(p.reference.prompt)));
  }
  labels.drifting = kHiddenClusters;
  return labels;
}

// Draws the live order: weights exp(tilt * progress) per drift label, without replacement.
class DriftingStream {
 public:
  DriftingStream(std::vector<size_t> left, const Labels& labels, const MixOptions& options, Rng& rng)
      : left_(std::move(left)), labels_(labels), options_(options), tilt_(labels.drifting) {
    std::iota(tilt_.begin(), tilt_.end(), 0.0);
    rng.Shuffle(tilt_);
    const double middle = static_cast<double>(tilt_.size() - 1) / 2.0;
    for (double& t : tilt_) t = middle > 0.0 ? options.strength * (t - middle) / middle : 0.0;
  }

  size_t Next(size_t t, Rng& rng) {
    const double after = t < options_.change_at ? 0.0 : static_cast<double>(t - options_.change_at + 1);
    const double progress = std::min(1.0, after / static_cast<double>(std::max<size_t>(options_.ramp, 1)));
    double total = 0.0;
    for (size_t i : left_) total += Weight(i, progress);
    double u = rng.Uniform() * total;
    size_t pick = 0;
    while (pick + 1 < left_.size() && u >= Weight(left_[pick], progress)) {
      u -= Weight(left_[pick], progress);
      ++pick;
    }
    const size_t prompt = left_[pick];
    left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(pick));
    return prompt;
  }
  bool empty() const { return left_.empty(); }

 private:
  double Weight(size_t prompt, double progress) const {
    return std::exp(tilt_[labels_.drift[prompt]] * progress);
  }
  std::vector<size_t> left_;
  const Labels& labels_;
  const MixOptions& options_;
  std::vector<double> tilt_;
};

MixItem MixOf(const behavior::GenerationFeatures& f, uint32_t segment) {
  return {f.prompt, f.prompt_stratum, segment};
}

class MixRunner {
 public:
  MixRunner(const std::vector<SwapPrompt>& prompts, const MixOptions& options)
      : prompts_(prompts), options_(options), labels_(MakeLabels(prompts, options.hidden)) {}

  MixResult Run() {
    for (size_t s = 0; s < options_.shuffles; ++s) RunOne(s);
    result_.prompts = prompts_.size();
    result_.runs = options_.shuffles;
    result_.segments = labels_.drifting;
    result_.mean_share_moved /= static_cast<double>(std::max<size_t>(options_.shuffles, 1));
    if (observed_ > 0) result_.skipped_share = static_cast<double>(skipped_) / static_cast<double>(observed_);
    std::sort(delays_.begin(), delays_.end());
    if (!delays_.empty()) {
      const size_t n = delays_.size();
      result_.median_mix_delay = 0.5 * static_cast<double>(delays_[(n - 1) / 2] + delays_[n / 2]);
    }
    return result_;
  }

 private:
  void RunOne(size_t shuffle) {
    Rng rng(options_.seed * 1'000'003 + shuffle);
    std::vector<size_t> order(prompts_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    rng.Shuffle(order);
    PairMonitorOptions monitor_options;
    monitor_options.alpha = options_.alpha;
    monitor_options.seed = rng.Next();
    PairMonitor behaviour(monitor_options);
    MixWatch mix(options_.alpha, rng.Next());
    std::vector<MonitorItem> reference;
    std::vector<MixItem> reference_mix;
    std::vector<double> share(labels_.drifting, 0.0);
    for (size_t i = 0; i < options_.reference_size; ++i) {
      const size_t p = order[i];
      reference.push_back({p, labels_.segment[p], prompts_[p].reference});
      reference_mix.push_back(MixOf(prompts_[p].reference, labels_.segment[p]));
      share[labels_.drift[p]] -= 1.0 / static_cast<double>(options_.reference_size);
    }
    behaviour.AddReference(std::move(reference));
    mix.AddReference(std::move(reference_mix));
    DriftingStream stream({order.begin() + static_cast<std::ptrdiff_t>(options_.reference_size), order.end()},
                          labels_, options_, rng);
    size_t drifted = 0;
    std::vector<double> live(labels_.drifting, 0.0);
    for (size_t t = 0; t < options_.live_size && !stream.empty(); ++t) {
      const size_t p = stream.Next(t, rng);
      const auto& features = t < options_.change_at ? prompts_[p].before : prompts_[p].after;
      mix.Observe(MixOf(features, labels_.segment[p]));
      behaviour.SetCaution(CautionFromMix(mix.log_e_value()));
      behaviour.Observe({p, labels_.segment[p], features});
      if (t < options_.change_at + options_.ramp) continue;
      ++drifted;
      live[labels_.drift[p]] += 1.0;
    }
    for (size_t d = 0; d < share.size(); ++d) {
      share[d] += live[d] / static_cast<double>(std::max<size_t>(drifted, 1));
      result_.mean_share_moved += 0.5 * std::fabs(share[d]);
    }
    Count(behaviour.state(), mix);
  }

  void Count(const MonitorState& state, const MixWatch& mix) {
    observed_ += state.observed;
    skipped_ += state.skipped;
    result_.behaviour_alarms += state.alarmed ? 1 : 0;
    if (!mix.reported()) return;
    ++result_.mix_reported;
    if (mix.reported_at() < options_.change_at) {
      ++result_.mix_reported_early;
    } else {
      delays_.push_back(mix.reported_at() - options_.change_at + 1);
    }
  }

  const std::vector<SwapPrompt>& prompts_;
  const MixOptions& options_;
  Labels labels_;
  MixResult result_;
  std::vector<size_t> delays_;
  uint64_t observed_ = 0, skipped_ = 0;
};

}  // namespace

Result<MixResult> EvaluateMix(const std::vector<SwapPrompt>& prompts, const MixOptions& options) {
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
  return MixRunner(prompts, options).Run();
}

}  // namespace tocsin::detect
