#include "detect/mix_watch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace tocsin::detect {
namespace {

stats::DiscriminantOptions Options(double alpha) {
  stats::DiscriminantOptions options;
  options.alpha = alpha;
  options.prior_count = 200.0;
  options.tau = 0.03;
  return options;
}

std::array<double, behavior::kPromptCount + 16> Raw(const MixItem& item) {
  std::array<double, behavior::kPromptCount + 16> x{};
  for (size_t i = 0; i < behavior::kPromptCount; ++i) x[i] = static_cast<double>(item.prompt[i]);
  x[behavior::kPromptCount + item.stratum % 8] = 1.0;
  const uint64_t spread = (uint64_t{item.segment} * 0x9E3779B97F4A7C15ULL) >> 61U;  // 0..7
  x[behavior::kPromptCount + 8 + spread] = 1.0;
  return x;
}

}  // namespace

MixWatch::MixWatch(double alpha, uint64_t seed)
    : alpha_(alpha), rng_(seed), bank_(kDim, Options(alpha)), mean_(kDim, 0.0), squares_(kDim, 0.0) {}

double CautionFromMix(double log_e_value_of_mix) {
  constexpr double kFree = 3.5;  // about what an unchanged mix reaches now and then
  return std::clamp(log_e_value_of_mix - kFree, 0.0, 3.0);
}

void MixWatch::AddReference(std::vector<MixItem> items) {
  rng_.Shuffle(items);
  for (const MixItem& item : items) ++reference_cells_[Cell(item)];
  size_t warm = learnt_ == 0.0 ? std::min<size_t>(items.size() / 10, 200) : 0;
  for (size_t i = 0; i < warm; ++i) Learn(items[i]);
  for (size_t i = 0; i < warm; ++i) bank_.AddUnpaired(Map(items[i]));
  unused_.insert(unused_.begin(), items.rbegin(), items.rend() - static_cast<std::ptrdiff_t>(warm));
}

void MixWatch::ReplaceReference(std::vector<MixItem> items) {
  unused_.clear();
  AddReference(std::move(items));
}

void MixWatch::Learn(const MixItem& item) {
  const auto x = Raw(item);
  learnt_ += 1.0;
  for (size_t i = 0; i < kDim; ++i) {
    const double d = x[i] - mean_[i];
    mean_[i] += d / learnt_;
    squares_[i] += d * (x[i] - mean_[i]);
  }
}

std::vector<double> MixWatch::Map(const MixItem& item) const {
  const auto x = Raw(item);
  std::vector<double> z(kDim);
  for (size_t i = 0; i < kDim; ++i) {
    const double deviation = std::sqrt((squares_[i] + 0.05) / (learnt_ + 1.0));
    z[i] = std::clamp((x[i] - mean_[i]) / deviation, -3.0, 3.0);
  }
  return z;
}

bool MixWatch::Observe(const MixItem& live) {
  ++observed_;
  live_cells_.push_back(Cell(live));
  if (live_cells_.size() > kKeptCells) live_cells_.erase(live_cells_.begin());
  if (reported_ || unused_.empty()) return false;
  const MixItem reference = unused_.back();
  unused_.pop_back();
  bank_.AddPair(Map(live), Map(reference));
  Learn(live);
  Learn(reference);
  if (bank_.log_e_value() < -std::log(alpha_)) return false;
  reported_ = true;
  reported_at_ = observed_ - 1;
  return true;
}

std::vector<MixShare> MixWatch::Shares(size_t limit) const {
  double reference_total = 0.0;
  for (const auto& [cell, count] : reference_cells_) reference_total += static_cast<double>(count);
  // The bank counts pairs; live cells are kept per observation. Both end now.
  const uint64_t since = bank_.pairs() - std::min(bank_.pairs(), bank_.leading_start());
  const size_t begin =
      live_cells_.size() - std::min<size_t>(live_cells_.size(), std::max<uint64_t>(since, 1));
  std::map<uint64_t, double> live;
  const double live_total = static_cast<double>(live_cells_.size() - begin);
  for (size_t i = begin; i < live_cells_.size(); ++i) live[live_cells_[i]] += 1.0 / std::max(live_total, 1.0);
  for (const auto& [cell, count] : reference_cells_) live.try_emplace(cell, 0.0);
  std::vector<MixShare> out;
  for (const auto& [cell, share] : live) {
    const auto it = reference_cells_.find(cell);
    const double count = it == reference_cells_.end() ? 0.0 : static_cast<double>(it->second);
    out.push_back({static_cast<uint32_t>(cell >> 8U), static_cast<uint32_t>(cell & 0xFFU),
                   count / std::max(reference_total, 1.0), share});
  }
  std::stable_sort(out.begin(), out.end(), [](const MixShare& a, const MixShare& b) {
    return std::fabs(a.live_share - a.reference_share) > std::fabs(b.live_share - b.reference_share);
  });
  if (out.size() > limit) out.resize(limit);
  return out;
}

void MixWatch::Save(stats::StateWriter& out) const {
  out.Put(rng_.state());
  bank_.Save(out);
  out.PutVector(unused_);
  out.PutVector(mean_);
  out.PutVector(squares_);
  out.Put(learnt_);
  std::vector<uint64_t> cells;
  for (const auto& [cell, count] : reference_cells_) {
    cells.push_back(cell);
    cells.push_back(count);
  }
  out.PutVector(cells);
  out.PutVector(live_cells_);
  out.Put(observed_);
  out.Put(reported_at_);
  out.Put(static_cast<uint8_t>(reported_));
}

bool MixWatch::Restore(stats::StateReader& in) {
  rng_ = Rng::FromState(in.Get<std::array<uint64_t, 4>>());
  if (!bank_.Restore(in)) return false;
  in.GetVector(unused_);
  in.GetVector(mean_);
  in.GetVector(squares_);
  learnt_ = in.Get<double>();
  std::vector<uint64_t> cells;
  in.GetVector(cells);
  in.GetVector(live_cells_);
  observed_ = in.Get<uint64_t>();
  reported_at_ = in.Get<uint64_t>();
  reported_ = in.Get<uint8_t>() != 0;
  if (!in.ok() || mean_.size() != kDim || squares_.size() != kDim || cells.size() % 2 != 0) return false;
  reference_cells_.clear();
  for (size_t i = 0; i < cells.size(); i += 2) reference_cells_[cells[i]] = cells[i + 1];
  return true;
}

}  // namespace tocsin::detect
