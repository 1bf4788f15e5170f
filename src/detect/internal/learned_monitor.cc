#include "detect/internal/learned_monitor.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace tocsin::detect {
namespace {

constexpr uint64_t kReserveAge = 200;
constexpr size_t kStockFloor = 250;
constexpr size_t kStockDry = 20;
constexpr double kSuspicion = 3.4;  // ln 30
constexpr size_t kKeptIds = 2048;

PairMonitorOptions Options(double alpha, uint64_t seed) {
  PairMonitorOptions options;
  options.alpha = alpha;
  options.seed = seed;
  return options;
}

void SaveFeatures(ByteWriter& out, const behavior::GenerationFeatures& f) {
  out.Put(f.style);
  out.Put(f.prompt);
  out.Array(f.ngrams);
  out.Put(f.language);
  out.Put(f.prompt_language);
  out.Put(f.prompt_stratum);
  out.Put(f.latency_ms);
  out.Put(f.output_tokens);
  out.Put(f.cost_usd);
  out.Put(f.tool_calls);
  out.Put(f.truncated);
}

void RestoreFeatures(ByteReader& in, behavior::GenerationFeatures& f) {
  in.Get(f.style);
  in.Get(f.prompt);
  in.Array(f.ngrams);
  in.Get(f.language);
  in.Get(f.prompt_language);
  in.Get(f.prompt_stratum);
  in.Get(f.latency_ms);
  in.Get(f.output_tokens);
  in.Get(f.cost_usd);
  in.Get(f.tool_calls);
  f.truncated = in.Get<uint8_t>() != 0;
}

}  // namespace

LearnedMonitor::LearnedMonitor(double alpha, size_t reference_size, uint64_t seed)
    : alpha_(alpha), reference_size_(reference_size), seed_(seed), monitor_(Options(alpha, seed)) {}

double LearnedMonitor::threshold() const { return -std::log(alpha_); }

void LearnedMonitor::Restart() {
  ++restarts_;
  monitor_ = PairMonitor(Options(alpha_, seed_ + restarts_));
  learned_ = 0;
  set_aside_ = 0;
  toggle_ = false;
  reserve_.clear();
  observed_ids_.clear();
  observed_ = 0;
}

void LearnedMonitor::Release(uint64_t index) {
  std::vector<MonitorItem> items;
  while (!reserve_.empty() && reserve_.front().id + kReserveAge <= index) {
    items.push_back(std::move(reserve_.front()));
    reserve_.pop_front();
  }
  if (!items.empty()) monitor_.AddReference(std::move(items));
}

bool LearnedMonitor::SetAside(const MonitorItem& item) {
  const auto state = monitor_.state();
  if (state.alarmed) return false;
  const bool dry = state.reference_left < kStockDry;
  if (state.log_e_value > kSuspicion && !dry) return false;
  Release(item.id);
  if (!dry && state.reference_left + reserve_.size() >= kStockFloor) return false;
  toggle_ = !toggle_;
  if (!toggle_) return false;
  reserve_.push_back(item);
  ++set_aside_;
  return true;
}

bool LearnedMonitor::Observe(uint64_t index, uint32_t segment, const behavior::GenerationFeatures& features) {
  MonitorItem item{index, segment, features};
  if (learning()) {
    ++learned_;
    std::vector<MonitorItem> items;
    items.push_back(std::move(item));
    monitor_.AddReference(std::move(items));
    return false;
  }
  if (SetAside(item)) return false;
  observed_ids_.push_back(index);
  if (observed_ids_.size() > kKeptIds) observed_ids_.pop_front();
  ++observed_;
  return monitor_.Observe(item) == ObserveOutcome::kAlarm;
}

LearnedMonitor::OnsetNumbers LearnedMonitor::EstimateOnset() const {
  OnsetNumbers numbers;
  const Onset onset = monitor_.EstimateOnset();
  if (!onset.known || observed_ids_.empty()) return numbers;
  const uint64_t first = observed_ - observed_ids_.size();
  const auto number = [&](uint64_t live_index) {
    const uint64_t at = live_index < first ? 0 : std::min(live_index - first, observed_ids_.size() - 1);
    return observed_ids_[at];
  };
  numbers.best = number(onset.live_index);
  numbers.low = number(onset.low);
  numbers.high = number(onset.high);
  numbers.known = true;
  return numbers;
}

void LearnedMonitor::Save(ByteWriter& out) const {
  out.Put(restarts_);
  out.Put(static_cast<uint64_t>(learned_));
  out.Put(set_aside_);
  out.Put(toggle_);
  out.Put(observed_);
  out.Array(std::vector<uint64_t>(observed_ids_.begin(), observed_ids_.end()));
  out.Put(static_cast<uint32_t>(reserve_.size()));
  for (const auto& item : reserve_) {
    out.Put(item.id);
    out.Put(item.segment);
    SaveFeatures(out, item.features);
  }
  out.Text(monitor_.Save());
}

bool LearnedMonitor::Restore(ByteReader& in) {
  in.Get(restarts_);
  learned_ = in.Get<uint64_t>();
  in.Get(set_aside_);
  toggle_ = in.Get<uint8_t>() != 0;
  in.Get(observed_);
  std::vector<uint64_t> ids;
  in.Array(ids);
  observed_ids_.assign(ids.begin(), ids.end());
  reserve_.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) {
    auto& item = reserve_.emplace_back();
    in.Get(item.id);
    in.Get(item.segment);
    RestoreFeatures(in, item.features);
  }
  const std::string bytes = in.Text();
  if (!in.ok()) return false;
  auto restored = PairMonitor::Restore(bytes);
  if (!restored) return false;
  monitor_ = std::move(*restored);
  return true;
}

}  // namespace tocsin::detect
