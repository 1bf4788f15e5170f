#include "stats/change_point.h"

#include <algorithm>
#include <vector>

#include "kernel/rng.h"

namespace tocsin::stats {
namespace {

constexpr size_t kLeastSide = 2;

size_t BestSplit(std::span<const double> values) {
  double total = 0;
  for (const double v : values) total += v;
  const double n = static_cast<double>(values.size());
  double left = 0;
  double best = -1;
  size_t at = values.size() / 2;
  for (size_t k = 1; k < values.size(); ++k) {
    left += values[k - 1];
    if (k < kLeastSide || values.size() - k < kLeastSide) continue;
    const double n1 = static_cast<double>(k);
    const double n2 = n - n1;
    const double gap = left / n1 - (total - left) / n2;
    const double score = n1 * n2 * gap * gap;
    if (score > best) {
      best = score;
      at = k;
    }
  }
  return at;
}

}  // namespace

OnsetIndex ChangePoint(std::span<const double> values, uint64_t seed, size_t resamples) {
  OnsetIndex onset;
  const size_t n = values.size();
  if (n < 8) return onset;
  onset.best = BestSplit(values);
  onset.known = true;
  const size_t cut = onset.best;
  Rng rng(seed);
  std::vector<size_t> splits;
  std::vector<double> sample(n);
  for (size_t r = 0; r < resamples; ++r) {
    for (size_t i = 0; i < n; ++i)
      sample[i] = i < cut ? values[rng.Below(cut)] : values[cut + rng.Below(n - cut)];
    splits.push_back(BestSplit(sample));
  }
  std::ranges::sort(splits);
  onset.low = std::min(cut, splits[splits.size() / 20]);
  onset.high = std::max(cut, splits[splits.size() - 1 - splits.size() / 20]);
  return onset;
}

}  // namespace tocsin::stats
