#include "stats/onset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace tocsin::stats {
namespace {

constexpr std::array<double, 4> kStakes = {0.2, 0.4, 0.6, 0.9};

// factors[l * n + i] = log(1 + lambda_l S_i); counts may be empty (all ones).
OnsetEstimate BestRestart(std::span<const double> factors, size_t n, std::span<const uint32_t> counts) {
  OnsetEstimate best;
  for (size_t l = 0; l < kStakes.size(); ++l) {
    double sum = 0.0;
    for (size_t i = n; i-- > 0;) {
      sum += factors[l * n + i] * (counts.empty() ? 1.0 : static_cast<double>(counts[i]));
      if (sum > best.log_wealth) {
        best.log_wealth = sum;
        best.index = i;
      }
    }
  }
  return best;
}

}  // namespace

OnsetEstimate EstimateOnset(std::span<const double> payoffs, size_t resamples, Rng& rng, double level) {
  const size_t n = payoffs.size();
  if (n == 0) return {};
  std::vector<double> factors(kStakes.size() * n);
  for (size_t l = 0; l < kStakes.size(); ++l) {
    for (size_t i = 0; i < n; ++i) {
      factors[l * n + i] = std::log1p(kStakes[l] * std::clamp(payoffs[i], -1.0, 1.0));
    }
  }
  OnsetEstimate best = BestRestart(factors, n, {});
  std::vector<size_t> found;
  std::vector<uint32_t> counts(n);
  for (size_t r = 0; r < resamples; ++r) {
    std::fill(counts.begin(), counts.end(), 0U);
    for (size_t i = 0; i < n; ++i) ++counts[rng.Below(n)];
    found.push_back(BestRestart(factors, n, counts).index);
  }
  best.low = best.high = best.index;
  if (found.empty()) return best;
  std::sort(found.begin(), found.end());
  const auto at = [&](double q) {
    return found[static_cast<size_t>(q * static_cast<double>(found.size() - 1))];
  };
  best.low = std::min(best.index, at((1.0 - level) / 2.0));
  best.high = std::max(best.index, at(1.0 - (1.0 - level) / 2.0));
  return best;
}

}  // namespace tocsin::stats
