// OnlineKMeans: sequential k-means (MacQueen 1967) for strata of prompts. The first k points that differ seed
// the centres; each later point moves its nearest centre by 1/n. Deterministic for an input order.
//
// Use Assign (no learning) when strata must not depend on what is being compared. Value type, not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stats/state_codec.h"

namespace tocsin::stats {

class OnlineKMeans {
 public:
  OnlineKMeans(size_t dim, size_t k) : dim_(dim), k_(k) {}

  // Learns from the point and returns its cluster.
  size_t Add(std::span<const float> x);
  // Nearest cluster without learning; 0 when nothing was learnt.
  size_t Assign(std::span<const float> x) const;
  size_t clusters() const { return counts_.size(); }
  std::span<const double> centre(size_t cluster) const { return {&centres_[cluster * dim_], dim_}; }

  void Save(StateWriter& out) const;
  bool Restore(StateReader& in);

 private:
  double Distance(std::span<const float> x, size_t cluster) const;
  size_t dim_, k_;
  std::vector<double> centres_;  // clusters x dim
  std::vector<uint64_t> counts_;
};

}  // namespace tocsin::stats
