#include "stats/betting_cs.h"

#include <algorithm>
#include <cmath>

namespace tocsin::stats {

BettingConfidenceSequence::BettingConfidenceSequence(double alpha, double low, double high, size_t grid)
    : alpha_(alpha),
      low_(low),
      high_(high),
      grid_(std::max<size_t>(grid, 2)),
      log_up_(grid_ + 1, 0.0),
      log_down_(grid_ + 1, 0.0),
      first_in_(0),
      last_in_(grid_) {}

void BettingConfidenceSequence::Add(double value) {
  if (std::isnan(value)) return;
  const double x = std::clamp((value - low_) / (high_ - low_), 0.0, 1.0);
  const double n = static_cast<double>(count_);
  const double variance = (0.25 + deviation_) / (n + 1.0);
  const double t = n + 1.0;
  const double stake = std::sqrt(2.0 * std::log(2.0 / alpha_) / (variance * t * std::log1p(t)));
  const double bar = std::log(2.0 / alpha_);
  for (size_t g = first_in_; g <= last_in_; ++g) {
    const double m = static_cast<double>(g) / static_cast<double>(grid_);
    const double up = std::min(stake, 0.5 / std::max(m, 1e-12));
    const double down = std::min(stake, 0.5 / std::max(1.0 - m, 1e-12));
    log_up_[g] += std::log1p(up * (x - m));
    log_down_[g] += std::log1p(-down * (x - m));
  }
  while (first_in_ < last_in_ && std::max(log_up_[first_in_], log_down_[first_in_]) >= bar) ++first_in_;
  while (last_in_ > first_in_ && std::max(log_up_[last_in_], log_down_[last_in_]) >= bar) --last_in_;
  ++count_;
  sum_ += x;
  const double mean = (0.5 + sum_) / (static_cast<double>(count_) + 1.0);
  deviation_ += (x - mean) * (x - mean);
}

Interval BettingConfidenceSequence::interval() const {
  const double step = 1.0 / static_cast<double>(grid_);
  const double low = std::max(0.0, static_cast<double>(first_in_) * step - (first_in_ > 0 ? step : 0.0));
  const double high = std::min(1.0, static_cast<double>(last_in_) * step + (last_in_ < grid_ ? step : 0.0));
  return {low_ + (high_ - low_) * low, low_ + (high_ - low_) * high};
}

double BettingConfidenceSequence::mean() const {
  if (count_ == 0) return 0.5 * (low_ + high_);
  return low_ + (high_ - low_) * sum_ / static_cast<double>(count_);
}

void BettingConfidenceSequence::Save(StateWriter& out) const {
  out.Put(count_);
  out.Put(sum_);
  out.Put(deviation_);
  out.Put<uint64_t>(first_in_);
  out.Put<uint64_t>(last_in_);
  out.PutVector(log_up_);
  out.PutVector(log_down_);
}

bool BettingConfidenceSequence::Restore(StateReader& in) {
  count_ = in.Get<uint64_t>();
  sum_ = in.Get<double>();
  deviation_ = in.Get<double>();
  first_in_ = in.Get<uint64_t>();
  last_in_ = in.Get<uint64_t>();
  in.GetVector(log_up_);
  in.GetVector(log_down_);
  return in.ok() && log_up_.size() == grid_ + 1 && log_down_.size() == grid_ + 1 && last_in_ <= grid_ &&
         first_in_ <= last_in_;
}

}  // namespace tocsin::stats
