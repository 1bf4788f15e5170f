#include "stats/count_interval.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/special_functions.h"

namespace tocsin::stats {

Interval CountInterval(double count, double level, double dispersion) {
  const double z = NormalQuantile(0.5 + level / 2) * std::sqrt(std::max(1.0, dispersion));
  const auto byar = [&](double k, double sign) {
    const double cube = 1 - 1 / (9 * k) + sign * z / (3 * std::sqrt(k));
    return k * cube * cube * cube;
  };
  Interval out;
  out.low = count <= 0 ? 0 : std::max(0.0, byar(count, -1));
  out.high = byar(count + 1, 1);
  return out;
}

Interval MeanInterval(double mean, double variance, double n, double level) {
  if (n < 2) return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  const double half = NormalQuantile(0.5 + level / 2) * std::sqrt(std::max(0.0, variance) / n);
  return {mean - half, mean + half};
}

Interval QuantileRanks(double q, double n, double level) {
  if (n < 1) return {0, 1};
  const double half = NormalQuantile(0.5 + level / 2) * std::sqrt(q * (1 - q) / n);
  return {std::clamp(q - half, 0.0, 1.0), std::clamp(q + half, 0.0, 1.0)};
}

double EffectiveCount(double n, double lag_one) {
  const double r = std::clamp(lag_one, 0.0, 0.99);
  return n * (1 - r) / (1 + r);
}

}  // namespace tocsin::stats
