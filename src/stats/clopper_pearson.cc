#include "stats/clopper_pearson.h"

#include "stats/special_functions.h"

namespace tocsin::stats {

Interval ClopperPearson(uint64_t successes, uint64_t trials, double level) {
  if (trials == 0) return {0.0, 1.0};
  const double k = static_cast<double>(successes);
  const double n = static_cast<double>(trials);
  const double tail = (1.0 - level) / 2.0;
  Interval interval;
  interval.low = successes == 0 ? 0.0 : InverseIncompleteBeta(k, n - k + 1.0, tail);
  interval.high = successes >= trials ? 1.0 : InverseIncompleteBeta(k + 1.0, n - k, 1.0 - tail);
  return interval;
}

}  // namespace tocsin::stats
