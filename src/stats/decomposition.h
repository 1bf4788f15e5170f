// Decompose: how much of a change of a mean is the traffic's mix, and how much happened within strata?
// (Kitagawa 1955; Oaxaca 1973, Blinder 1973 with strata as the only covariate.)
//
//   mean1 - mean0 = sum_s (p1_s - p0_s) (m0_s + m1_s)/2   +   sum_s (p0_s + p1_s)/2 (m1_s - m0_s)
//                   mix effect                                within-stratum effect
// Strata seen in one period only have no within comparison; their whole share is mix. Intervals are normal
// approximations at `level` from the delta method (proportions multinomial, stratum means independent).
// Pure, thread-safe, O(strata).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tocsin::stats {

struct StratumMoments {
  uint64_t count = 0;
  double sum = 0.0;
  double sum_squares = 0.0;
  void Add(double x) {
    ++count;
    sum += x;
    sum_squares += x * x;
  }
};

struct Stratum {
  std::string name;
  StratumMoments reference, live;
};

struct Effect {
  double value = 0.0, low = 0.0, high = 0.0;
  bool excludes_zero() const { return low > 0.0 || high < 0.0; }
};

struct StratumShare {
  std::string name;
  double reference_share = 0.0, live_share = 0.0;
  double reference_mean = 0.0, live_mean = 0.0;  // NaN when not seen
  double mix = 0.0, within = 0.0;                // contributions to the two effects
};

struct Decomposition {
  double reference_mean = 0.0, live_mean = 0.0;
  double live_mean_post_stratified = 0.0;  // live behaviour under the reference's mix
  Effect total, mix, within;
  double unmatched_share = 0.0;      // of live in strata the reference never saw
  std::vector<StratumShare> strata;  // as given
};

// Both periods need at least one observation; otherwise everything is NaN.
Decomposition Decompose(std::span<const Stratum> strata, double level = 0.95);

}  // namespace tocsin::stats
