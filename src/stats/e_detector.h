// EDetector: a Shiryaev-Roberts e-detector for a bounded payoff.
//
//   M_t = average over lambda of M^lambda_t,   M^lambda_t = (M^lambda_{t-1} + 1) (1 + lambda S_t)
//
// S_t in [-1, 1] with E[S_t | past] <= 0 as long as nothing has changed. Then M_t - t is a supermartingale,
// and "alarm when M_t >= 1/alpha" has average run length >= 1/alpha whatever the distribution
// (Shin, Ramdas, Rinaldo, "E-detectors", 2022, Prop. 2.4). The average of e-detectors with respect to one
// filtration is one too; the two-sided detector averages S and -S and needs E[S_t | past] = 0.
//
// Units: wealth in units of "one bet a generation"; kept in the log domain, never overflows.
// Value type, not thread-safe. Add is O(grid). State is 8 bytes a grid point.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tocsin::stats {

// log(exp(a) + exp(b)), safe for -inf.
inline double LogAddExp(double a, double b) {
  const double hi = a > b ? a : b;
  const double lo = a > b ? b : a;
  return std::isinf(lo) && lo < 0 ? hi : hi + std::log1p(std::exp(lo - hi));
}

enum class Sided : uint8_t { kUpper, kTwo };

class EDetector {
 public:
  // Stakes 0 < lambda < 1. The default grid suits effects from 0.05 to 1.
  explicit EDetector(Sided sided = Sided::kUpper, std::vector<double> lambdas = DefaultGrid());
  static std::vector<double> DefaultGrid() { return {0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9}; }

  // One payoff, clamped to [-1, 1]; NaN counts as 0 (no bet).
  void Add(double payoff);
  // Forgets all wealth.
  void Reset();

  double log_e_value() const;  // log M_t; -inf before the first payoff
  bool Alarm(double alpha) const { return log_e_value() >= -std::log(alpha); }
  uint64_t count() const { return count_; }
  // Of the two-sided detector: is the upward half the richer one?
  bool leans_up() const;

  // State, for storing: log wealth per grid point (upper, then lower if two-sided).
  std::span<const double> log_wealth() const { return log_wealth_; }
  std::span<const double> lambdas() const { return lambdas_; }
  Sided sided() const { return sided_; }
  // Restores wealth saved from a detector of the same grid and side. False if the size differs or a value is
  // NaN.
  bool RestoreState(std::span<const double> log_wealth, uint64_t count);

 private:
  Sided sided_;
  std::vector<double> lambdas_;
  std::vector<double> log_wealth_;
  uint64_t count_ = 0;
};

// log of the average of several e-detectors (each keeps its own wealth); weights sum to one.
double LogAverage(std::span<const double> log_values, std::span<const double> weights);

}  // namespace tocsin::stats
