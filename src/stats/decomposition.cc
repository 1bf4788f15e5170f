#include "stats/decomposition.h"

#include <cmath>
#include <limits>

#include "stats/special_functions.h"

namespace tocsin::stats {
namespace {

double Mean(const StratumMoments& m) { return m.sum / static_cast<double>(m.count); }

// Variance of the mean of one stratum; a single observation borrows the pooled variance.
double MeanVariance(const StratumMoments& m, double pooled) {
  const double n = static_cast<double>(m.count);
  if (m.count < 2) return pooled / n;
  const double variance = std::max(0.0, (m.sum_squares - m.sum * m.sum / n) / (n - 1.0));
  return variance / n;
}

double PooledVariance(std::span<const Stratum> strata) {
  StratumMoments all;
  for (const Stratum& s : strata) {
    for (const StratumMoments* m : {&s.reference, &s.live}) {
      all.count += m->count;
      all.sum += m->sum;
      all.sum_squares += m->sum_squares;
    }
  }
  return all.count < 2 ? 0.0 : MeanVariance(all, 0.0) * static_cast<double>(all.count);
}

Effect WithInterval(double value, double variance, double z) {
  const double half = z * std::sqrt(std::max(0.0, variance));
  return {value, value - half, value + half};
}

}  // namespace

Decomposition Decompose(std::span<const Stratum> strata, double level) {
  Decomposition out;
  double n0 = 0.0;
  double n1 = 0.0;
  double sum0 = 0.0;
  double sum1 = 0.0;
  for (const Stratum& s : strata) {
    n0 += static_cast<double>(s.reference.count);
    n1 += static_cast<double>(s.live.count);
    sum0 += s.reference.sum;
    sum1 += s.live.sum;
  }
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  out.reference_mean = n0 > 0.0 ? sum0 / n0 : kNan;
  out.live_mean = n1 > 0.0 ? sum1 / n1 : kNan;
  if (n0 <= 0.0 || n1 <= 0.0) {
    out.total = out.mix = out.within = {kNan, kNan, kNan};
    return out;
  }
  const double pooled = PooledVariance(strata);
  double mix = 0.0, within = 0.0, within_variance = 0.0, post = 0.0, post_weight = 0.0;
  double a0 = 0.0, aa0 = 0.0, a1 = 0.0, aa1 = 0.0;
  for (const Stratum& s : strata) {
    StratumShare share{s.name,
                       static_cast<double>(s.reference.count) / n0,
                       static_cast<double>(s.live.count) / n1,
                       kNan,
                       kNan,
                       0.0,
                       0.0};
    if (s.reference.count > 0) share.reference_mean = Mean(s.reference);
    if (s.live.count > 0) share.live_mean = Mean(s.live);
    double middle = 0.0;
    if (s.reference.count > 0 && s.live.count > 0) {
      middle = 0.5 * (share.reference_mean + share.live_mean);
      const double weight = 0.5 * (share.reference_share + share.live_share);
      share.within = weight * (share.live_mean - share.reference_mean);
      within_variance += weight * weight * (MeanVariance(s.live, pooled) + MeanVariance(s.reference, pooled));
      post += share.reference_share * share.live_mean;
      post_weight += share.reference_share;
    } else if (s.reference.count > 0) {
      middle = share.reference_mean;
    } else if (s.live.count > 0) {
      middle = share.live_mean;
      out.unmatched_share += share.live_share;
    }
    share.mix = (share.live_share - share.reference_share) * middle;
    a0 += share.reference_share * middle;
    aa0 += share.reference_share * middle * middle;
    a1 += share.live_share * middle;
    aa1 += share.live_share * middle * middle;
    mix += share.mix;
    within += share.within;
    out.strata.push_back(std::move(share));
  }
  const double z = NormalQuantile(0.5 + level / 2.0);
  const double mix_variance = (aa0 - a0 * a0) / n0 + (aa1 - a1 * a1) / n1;
  out.live_mean_post_stratified = post_weight > 0.0 ? post / post_weight : kNan;
  out.mix = WithInterval(mix, mix_variance, z);
  out.within = WithInterval(within, within_variance, z);
  out.total = WithInterval(out.live_mean - out.reference_mean, mix_variance + within_variance, z);
  return out;
}

}  // namespace tocsin::stats
