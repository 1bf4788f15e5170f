#include "stats/online_logistic.h"

#include <algorithm>
#include <cmath>

namespace tocsin::stats {
namespace {
constexpr size_t kBuckets = size_t{1} << 16U;
}  // namespace

double OnlineLogistic::Score(std::span<const SparseEntry> x) const {
  if (weights_.empty()) return 0.0;
  double sum = 0.0;
  for (const SparseEntry& e : x) {
    sum += static_cast<double>(weights_[e.bucket]) * static_cast<double>(e.value);
  }
  return sum * options_.input_scale;
}

void OnlineLogistic::Step(uint16_t bucket, double value, double gradient) {
  const double g = gradient * value;
  if (g == 0.0) return;
  curvature_[bucket] += static_cast<float>(g * g);
  weights_[bucket] +=
      static_cast<float>(options_.rate * g / std::sqrt(static_cast<double>(curvature_[bucket])));
}

void OnlineLogistic::Update(std::span<const SparseEntry> live, std::span<const SparseEntry> reference,
                            double margin) {
  if (weights_.empty()) {
    weights_.assign(kBuckets, 0.0F);
    curvature_.assign(kBuckets, static_cast<float>(options_.initial_curvature));
  }
  const double gradient = options_.input_scale / (1.0 + std::exp(margin));
  size_t i = 0;
  size_t j = 0;
  while (i < live.size() || j < reference.size()) {
    const bool only_live = j >= reference.size() || (i < live.size() && live[i].bucket < reference[j].bucket);
    const bool only_reference = !only_live && (i >= live.size() || reference[j].bucket < live[i].bucket);
    if (only_live) {
      Step(live[i].bucket, static_cast<double>(live[i].value), gradient);
      ++i;
    } else if (only_reference) {
      Step(reference[j].bucket, -static_cast<double>(reference[j].value), gradient);
      ++j;
    } else {
      const double difference = static_cast<double>(live[i].value) - static_cast<double>(reference[j].value);
      Step(live[i].bucket, difference, gradient);
      ++i;
      ++j;
    }
  }
}

std::vector<OnlineLogistic::Weight> OnlineLogistic::LargestWeights(size_t limit) const {
  std::vector<Weight> all;
  for (size_t b = 0; b < weights_.size(); ++b) {
    if (weights_[b] != 0.0F) all.push_back({static_cast<uint16_t>(b), weights_[b]});
  }
  const size_t keep = std::min(limit, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(keep), all.end(),
                    [](const Weight& a, const Weight& b) {
                      const float x = std::fabs(a.weight);
                      const float y = std::fabs(b.weight);
                      return x != y ? x > y : a.bucket < b.bucket;
                    });
  all.resize(keep);
  return all;
}

void OnlineLogistic::Reset() {
  weights_.clear();
  curvature_.clear();
}

void OnlineLogistic::Save(StateWriter& out) const {
  std::vector<uint16_t> buckets;
  std::vector<float> values;
  for (size_t b = 0; b < weights_.size(); ++b) {
    if (weights_[b] == 0.0F && curvature_[b] == static_cast<float>(options_.initial_curvature)) continue;
    buckets.push_back(static_cast<uint16_t>(b));
    values.push_back(weights_[b]);
    values.push_back(curvature_[b]);
  }
  out.PutVector(buckets);
  out.PutVector(values);
}

bool OnlineLogistic::Restore(StateReader& in) {
  std::vector<uint16_t> buckets;
  std::vector<float> values;
  in.GetVector(buckets);
  in.GetVector(values);
  if (!in.ok() || values.size() != 2 * buckets.size()) return false;
  Reset();
  if (buckets.empty()) return true;
  weights_.assign(kBuckets, 0.0F);
  curvature_.assign(kBuckets, static_cast<float>(options_.initial_curvature));
  for (size_t i = 0; i < buckets.size(); ++i) {
    weights_[buckets[i]] = values[2 * i];
    curvature_[buckets[i]] = values[2 * i + 1];
  }
  return true;
}

}  // namespace tocsin::stats
