// Intervals for what is counted and for sample means and quantiles: what an exact binomial interval is for
// shares. Thread-safe, pure.
#pragma once

#include <cstdint>

#include "stats/clopper_pearson.h"

namespace tocsin::stats {

// Mean of a Poisson count, by Byar's approximation (Breslow & Day, "Statistical Methods in Cancer Research
// II", 1987, eq. 2.9): within 1 % of the exact interval from one event on. `dispersion` is variance / mean of
// the counts (1 = Poisson); above 1 it widens the interval (quasi-Poisson, McCullagh & Nelder 1989).
Interval CountInterval(double count, double level = 0.95, double dispersion = 1.0);

// Mean by the normal approximation: mean ± z sd / sqrt(n). n < 2 gives an infinite interval.
Interval MeanInterval(double mean, double variance, double n, double level = 0.95);

// Which quantiles of a sample of n bound its q-quantile (order statistics, normal approximation of the
// binomial; Conover 1999, 3.2). Clamped to [0, 1].
Interval QuantileRanks(double q, double n, double level = 0.95);

// n of values with this lag-one autocorrelation, as independent ones (Bartlett 1946): n (1-r)/(1+r), r >= 0.
double EffectiveCount(double n, double lag_one);

}  // namespace tocsin::stats
