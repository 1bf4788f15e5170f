// ChangePoint: where the mean of a sequence moved: the split that maximises the between-sides sum of squares
// n1 n2 / n (m1 - m2)^2 (the Gaussian likelihood-ratio scan; Page 1955, Hinkley 1970), with a 90 % interval
// by resampling within the two sides. Used once an alarm is certain, to sharpen the onset the restarted
// wealth path gives: the path stops growing only slowly before the change, the scan is sharp.
//
// Pure, deterministic for a seed, thread-safe. O(n resamples). Fewer than 8 values: not known.
#pragma once

#include <cstdint>
#include <span>

#include "detect/internal/rank_detector.h"

namespace tocsin::detect {

// Indices into `values`; best is the first value after the change.
OnsetIndex ChangePoint(std::span<const double> values, uint64_t seed, size_t resamples = 100);

}  // namespace tocsin::detect
