#include "stats/e_detector.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace tocsin::stats {
namespace {
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();
}  // namespace

EDetector::EDetector(Sided sided, std::vector<double> lambdas) : sided_(sided), lambdas_(std::move(lambdas)) {
  for (double& lambda : lambdas_) lambda = std::clamp(lambda, 1e-6, 0.999);
  log_wealth_.assign(lambdas_.size() * (sided_ == Sided::kTwo ? 2 : 1), kMinusInfinity);
}

void EDetector::Add(double payoff) {
  const double s = std::isnan(payoff) ? 0.0 : std::clamp(payoff, -1.0, 1.0);
  const size_t grid = lambdas_.size();
  for (size_t i = 0; i < log_wealth_.size(); ++i) {
    const double signed_stake = (i < grid ? lambdas_[i] : -lambdas_[i - grid]) * s;
    log_wealth_[i] = LogAddExp(log_wealth_[i], 0.0) + std::log1p(signed_stake);
  }
  ++count_;
}

void EDetector::Reset() {
  std::fill(log_wealth_.begin(), log_wealth_.end(), kMinusInfinity);
  count_ = 0;
}

double EDetector::log_e_value() const {
  double total = kMinusInfinity;
  for (double w : log_wealth_) total = LogAddExp(total, w);
  return total - std::log(static_cast<double>(log_wealth_.size()));
}

bool EDetector::leans_up() const {
  if (sided_ == Sided::kUpper) return true;
  double up = kMinusInfinity;
  double down = kMinusInfinity;
  for (size_t i = 0; i < lambdas_.size(); ++i) {
    up = LogAddExp(up, log_wealth_[i]);
    down = LogAddExp(down, log_wealth_[i + lambdas_.size()]);
  }
  return up >= down;
}

bool EDetector::RestoreState(std::span<const double> log_wealth, uint64_t count) {
  if (log_wealth.size() != log_wealth_.size()) return false;
  if (std::any_of(log_wealth.begin(), log_wealth.end(), [](double w) { return std::isnan(w); })) return false;
  std::copy(log_wealth.begin(), log_wealth.end(), log_wealth_.begin());
  count_ = count;
  return true;
}

double LogAverage(std::span<const double> log_values, std::span<const double> weights) {
  double total = kMinusInfinity;
  for (size_t i = 0; i < log_values.size(); ++i) {
    if (weights[i] > 0.0) total = LogAddExp(total, log_values[i] + std::log(weights[i]));
  }
  return total;
}

}  // namespace tocsin::stats
