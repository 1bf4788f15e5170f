// Onset: when did the payoffs of a bet turn favourable? The maximiser of the restarted log-wealth path, i.e.
//   k* = argmax_k max_lambda sum_{i >= k} log(1 + lambda S_i)
// (the maximum-likelihood change point of a betting alternative; Page 1954 in log-wealth form).
// Interval: quantiles of k* over resampled pairs (each pair drawn with multinomial counts, order kept).
//
// Input: payoffs in [-1, 1] in time order. O(n * lambdas * resamples). Deterministic for the Rng's state.
#pragma once

#include <cstddef>
#include <span>

#include "kernel/rng.h"

namespace tocsin::stats {

struct OnsetEstimate {
  size_t index = 0;  // first payoff after the change
  size_t low = 0;    // interval of `level`
  size_t high = 0;
  double log_wealth = 0.0;  // of the best restart; <= 0 means no change is visible
};

OnsetEstimate EstimateOnset(std::span<const double> payoffs, size_t resamples, Rng& rng, double level = 0.9);

}  // namespace tocsin::stats
