// BettingConfidenceSequence: an interval for the mean of a bounded variable, valid at every time at once.
//
// For each candidate mean m on a grid, two hedged capitals bet that the mean is above and below m; m is
// excluded for good once max(K+, K-)/2 >= 1/alpha (Waudby-Smith & Ramdas, "Estimating means of bounded random
// variables by betting", JRSS-B 2023, Thm 3, predictable plug-in stakes with truncation 1/2). Coverage >= 1 -
// alpha over all times, for any distribution with constant conditional mean.
//
// Range [low, high] given at construction; values are clamped to it, NaN is ignored. Add is O(grid); the
// reported interval is widened by one grid step, so the grid costs width, never coverage. Value type, not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stats/clopper_pearson.h"
#include "stats/state_codec.h"

namespace tocsin::stats {

class BettingConfidenceSequence {
 public:
  explicit BettingConfidenceSequence(double alpha = 0.05, double low = 0.0, double high = 1.0,
                                     size_t grid = 400);

  void Add(double value);
  Interval interval() const;  // intersection over time
  double mean() const;
  uint64_t count() const { return count_; }

  void Save(StateWriter& out) const;
  bool Restore(StateReader& in);

 private:
  double alpha_, low_, high_;
  size_t grid_;
  uint64_t count_ = 0;
  double sum_ = 0.0;        // of values in [0, 1]
  double deviation_ = 0.0;  // sum of squared deviations from the running mean
  std::vector<double> log_up_, log_down_;
  size_t first_in_, last_in_;  // grid indices not yet excluded
};

}  // namespace tocsin::stats
