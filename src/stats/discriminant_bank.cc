#include "stats/discriminant_bank.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "stats/e_detector.h"

namespace tocsin::stats {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
constexpr std::array<double, 3> kStakes = {1.0, 0.5, 0.25};

double Dot(std::span<const double> a, std::span<const double> b) {
  // Four partial sums in a fixed order: fast without letting the compiler reorder.
  double s0 = 0.0;
  double s1 = 0.0;
  double s2 = 0.0;
  double s3 = 0.0;
  size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < a.size(); ++i) s0 += a[i] * b[i];
  return (s0 + s1) + (s2 + s3);
}

void AddTo(std::span<double> sum, std::span<const double> x) {
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += x[i];
}

}  // namespace

DiscriminantBank::DiscriminantBank(size_t dim, const DiscriminantOptions& options)
    : dim_(dim),
      options_(options),
      inverse_(dim * dim, 0.0),
      covariance_count_(options.prior_count),
      reference_sum_(dim, 0.0),
      live_sum_(dim, 0.0),
      log_e_value_(kMinusInfinity),
      difference_(dim, 0.0),
      solved_(dim, 0.0) {
  for (size_t i = 0; i < dim_; ++i) inverse_[i * dim_ + i] = 1.0 / options_.prior_count;
}

void DiscriminantBank::AddUnpaired(std::span<const double> reference) {
  AddTo(reference_sum_, reference);
  reference_count_ += 1.0;
  AddToCovariance(reference);
}

void DiscriminantBank::AddPair(std::span<const double> live, std::span<const double> reference) {
  if (pairs_ % options_.spacing == 0) {
    if (starts_.size() >= options_.max_starts) MergePoorest();
    starts_.push_back({pairs_, 0.0, std::vector<double>(dim_, 0.0), std::vector<double>(kLambdas, 0.0)});
  }
  Bet(live, reference);
  Learn(live, reference);
  ++pairs_;
  UpdateEValue();
}

DiscriminantBank::ClassMeans DiscriminantBank::Weights(const Start& start) const {
  const double rest = reference_count_ + live_count_ - start.count;
  return {start.count > 0.0 ? 1.0 / start.count : 0.0, rest > 0.0 ? 1.0 / rest : 0.0};
}

void DiscriminantBank::Bet(std::span<const double> live, std::span<const double> reference) {
  for (size_t i = 0; i < dim_; ++i) difference_[i] = live[i] - reference[i];
  for (size_t i = 0; i < dim_; ++i) {
    solved_[i] = covariance_count_ * Dot({&inverse_[i * dim_], dim_}, difference_);
  }
  const double spread = Dot(solved_, difference_);
  const double all = Dot(reference_sum_, solved_) + Dot(live_sum_, solved_);
  for (Start& start : starts_) BetOne(start, all, spread);
}

void DiscriminantBank::BetOne(Start& start, double all_dot, double spread) {
  const ClassMeans w = Weights(start);
  if (start.count == 0.0 || w.rest_weight == 0.0) return;
  const double live_dot = Dot(start.sum, solved_);
  const double rest_dot = all_dot - live_dot;
  const double n = 1.0 / (w.live_weight + w.rest_weight);
  const double shrink = n * options_.tau / (1.0 + n * options_.tau);
  const double margin = shrink * (live_dot * w.live_weight - rest_dot * w.rest_weight);
  const double variance = shrink * spread / n;
  const double stake = std::tanh(margin / (2.0 * std::sqrt(1.0 + std::numbers::pi * variance / 8.0)));
  for (size_t l = 0; l < kLambdas; ++l) {
    start.log_wealth[l] += std::log1p(options_.max_stake * kStakes[l] * stake);
  }
}

void DiscriminantBank::Learn(std::span<const double> live, std::span<const double> reference) {
  for (Start& start : starts_) {
    AddTo(start.sum, live);
    start.count += 1.0;
  }
  AddTo(live_sum_, live);
  live_count_ += 1.0;
  AddTo(reference_sum_, reference);
  reference_count_ += 1.0;
  AddToCovariance(reference);
  AddToCovariance(live);
}

void DiscriminantBank::AddToCovariance(std::span<const double> x) {
  for (size_t i = 0; i < dim_; ++i) solved_[i] = Dot({&inverse_[i * dim_], dim_}, x);
  const double scale = 1.0 / (1.0 + Dot(solved_, x));
  for (size_t i = 0; i < dim_; ++i) {
    const double row = solved_[i] * scale;
    double* out = &inverse_[i * dim_];
    for (size_t j = 0; j < dim_; ++j) out[j] -= row * solved_[j];
  }
  covariance_count_ += 1.0;
}

double DiscriminantBank::LogWealth(const Start& start) const {
  double total = kMinusInfinity;
  for (double w : start.log_wealth) total = LogAddExp(total, w);
  return total - std::log(static_cast<double>(kLambdas));
}

// Merges the neighbours whose ages are relatively closest, weighted towards the poor: old starts thin out
// geometrically, rich ones stay. The richer strategy of the two goes on with both wealths.
void DiscriminantBank::MergePoorest() {
  size_t best = 0;
  double lowest = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i + 1 < starts_.size(); ++i) {
    const double age = static_cast<double>(pairs_ - starts_[i + 1].first_pair) + 1.0;
    const double gap = static_cast<double>(starts_[i + 1].first_pair - starts_[i].first_pair);
    const double wealth = std::max(0.0, std::min(LogWealth(starts_[i]), LogWealth(starts_[i + 1])));
    const double cost = gap / age + wealth;
    if (cost < lowest) {
      lowest = cost;
      best = i;
    }
  }
  Start& first = starts_[best];
  Start& second = starts_[best + 1];
  if (LogWealth(first) < LogWealth(second)) std::swap(first, second);
  for (size_t l = 0; l < kLambdas; ++l) {
    first.log_wealth[l] = LogAddExp(first.log_wealth[l], second.log_wealth[l]);
  }
  starts_.erase(starts_.begin() + static_cast<std::ptrdiff_t>(best) + 1);
}

void DiscriminantBank::UpdateEValue() {
  double highest = kMinusInfinity;
  for (const Start& start : starts_) {
    for (double w : start.log_wealth) highest = std::max(highest, w);
  }
  double sum = 0.0;
  for (const Start& start : starts_) {
    for (double w : start.log_wealth) {
      if (w > highest - 45.0) sum += std::exp(w - highest);  // less is below the last digit
    }
  }
  const double spacing = static_cast<double>(options_.spacing);
  const double lambdas = static_cast<double>(kLambdas);
  log_e_value_ = highest + std::log(sum * spacing / lambdas) - std::log1p(spacing * options_.alpha);
}

const DiscriminantBank::Start* DiscriminantBank::Leading() const {
  const Start* best = nullptr;
  for (const Start& start : starts_) {
    if (best == nullptr || LogWealth(start) > LogWealth(*best)) best = &start;
  }
  return best;
}

uint64_t DiscriminantBank::leading_start() const {
  const Start* best = Leading();
  return best == nullptr ? 0 : best->first_pair;
}

std::vector<double> DiscriminantBank::LeadingShift() const {
  const Start* best = Leading();
  if (best == nullptr || best->count == 0.0) return {};
  const ClassMeans w = Weights(*best);
  std::vector<double> shift(dim_, 0.0);
  for (size_t i = 0; i < dim_; ++i) {
    const double rest = reference_sum_[i] + live_sum_[i] - best->sum[i];
    shift[i] = best->sum[i] * w.live_weight - rest * w.rest_weight;
  }
  return shift;
}

std::vector<double> DiscriminantBank::LeadingWeights() const {
  const std::vector<double> shift = LeadingShift();
  if (shift.empty()) return {};
  std::vector<double> weights(dim_, 0.0);
  for (size_t i = 0; i < dim_; ++i) weights[i] = covariance_count_ * Dot({&inverse_[i * dim_], dim_}, shift);
  return weights;
}

void DiscriminantBank::Save(StateWriter& out) const {
  out.PutVector(inverse_);
  out.Put(covariance_count_);
  out.PutVector(reference_sum_);
  out.Put(reference_count_);
  out.PutVector(live_sum_);
  out.Put(live_count_);
  out.Put(pairs_);
  out.Put<uint64_t>(starts_.size());
  for (const Start& start : starts_) {
    out.Put(start.first_pair);
    out.Put(start.count);
    out.PutVector(start.sum);
    out.PutVector(start.log_wealth);
  }
}

bool DiscriminantBank::Restore(StateReader& in) {
  in.GetVector(inverse_);
  covariance_count_ = in.Get<double>();
  in.GetVector(reference_sum_);
  reference_count_ = in.Get<double>();
  in.GetVector(live_sum_);
  live_count_ = in.Get<double>();
  pairs_ = in.Get<uint64_t>();
  const auto starts = in.Get<uint64_t>();
  if (!in.ok() || starts > options_.max_starts) return false;
  starts_.assign(static_cast<size_t>(starts), Start{});
  bool fits = inverse_.size() == dim_ * dim_ && reference_sum_.size() == dim_ && live_sum_.size() == dim_;
  for (Start& start : starts_) {
    start.first_pair = in.Get<uint64_t>();
    start.count = in.Get<double>();
    in.GetVector(start.sum);
    in.GetVector(start.log_wealth);
    fits = fits && start.sum.size() == dim_ && start.log_wealth.size() == kLambdas;
  }
  if (!in.ok() || !fits) return false;
  UpdateEValue();
  return true;
}

}  // namespace tocsin::stats
