// QuantileSketch: mergeable quantiles in bounded memory, accurate at the tails: the merging t-digest (Dunning
// & Ertl, "Computing extremely accurate quantiles using t-digests", 2019), scale function k1.
//
// Deterministic for an input order. Add is amortised O(log buffer). About `compression` centroids of 16
// bytes. NaN is ignored, infinities are kept as extremes. Value type, not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stats/state_codec.h"

namespace tocsin::stats {

class QuantileSketch {
 public:
  explicit QuantileSketch(double compression = 100.0) : compression_(compression) {}

  void Add(double value, double weight = 1.0);
  void Merge(const QuantileSketch& other);
  // NaN when empty. q in [0, 1].
  double Quantile(double q) const;
  // Share of weight at or below x, interpolated; NaN when empty.
  double Cdf(double x) const;
  double total_weight() const { return total_; }
  size_t centroids() const;

  void Save(StateWriter& out) const;
  bool Restore(StateReader& in);

 private:
  struct Centroid {
    double mean = 0.0;
    double weight = 0.0;
  };
  void Compress() const;

  double compression_;
  mutable std::vector<Centroid> centroids_;  // ascending
  mutable std::vector<Centroid> buffer_;
  double total_ = 0.0;
  double min_ = 0.0, max_ = 0.0;
};

}  // namespace tocsin::stats
