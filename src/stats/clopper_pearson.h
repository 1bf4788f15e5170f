// Exact binomial interval (Clopper & Pearson 1934): coverage >= level for every rate and n.
// Thread-safe. n = 0 gives [0, 1].
#pragma once

#include <cstdint>

namespace tocsin::stats {

struct Interval {
  double low = 0.0;
  double high = 1.0;
};

Interval ClopperPearson(uint64_t successes, uint64_t trials, double level = 0.95);

}  // namespace tocsin::stats
