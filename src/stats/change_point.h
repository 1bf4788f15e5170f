// ChangePoint: where the mean of a sequence moved: the split that maximises the between-sides sum of squares
// n1 n2 / n (m1 - m2)^2 (the Gaussian likelihood-ratio scan; Page 1955, Hinkley 1970), with a 90 % interval
// by resampling within the two sides. It says where, not whether: ask it once a change is certain.
//
// Pure, deterministic for a seed, thread-safe. O(n resamples). Fewer than 8 values: not known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tocsin::stats {

// Indices into the sequence; best is the first value after the change.
struct OnsetIndex {
  size_t best = 0, low = 0, high = 0;
  bool known = false;
};

OnsetIndex ChangePoint(std::span<const double> values, uint64_t seed, size_t resamples = 100);

}  // namespace tocsin::stats
