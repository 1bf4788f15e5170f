// OnlineLogistic: logistic regression over sparse pair differences, one pass, AdaGrad steps
// (Duchi, Hazan, Singer 2011). Learns "which of the two is live" from x = live - reference.
//
// Shapes: buckets < 2^16 with float values, ascending by bucket. Weights are dense (2 x 256 KiB, allocated at
// the first update). Score is O(non-zeros). Deterministic. Value type, not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stats/state_codec.h"

namespace tocsin::stats {

struct SparseEntry {
  uint16_t bucket = 0;
  float value = 0.0F;
};

struct LogisticOptions {
  double rate = 0.5;
  double initial_curvature = 1.0;
  double input_scale = 3.0;
};

class OnlineLogistic {
 public:
  explicit OnlineLogistic(const LogisticOptions& options = {}) : options_(options) {}

  // Log-odds contribution of one side; the margin of a pair is Score(live) - Score(reference).
  double Score(std::span<const SparseEntry> x) const;
  // One step on a pair, with the margin it had before.
  void Update(std::span<const SparseEntry> live, std::span<const SparseEntry> reference, double margin);

  struct Weight {
    uint16_t bucket = 0;
    float weight = 0.0F;
  };
  // Largest by magnitude, strongest first.
  std::vector<Weight> LargestWeights(size_t limit) const;
  float weight(uint16_t bucket) const { return weights_.empty() ? 0.0F : weights_[bucket]; }
  void Reset();

  void Save(StateWriter& out) const;
  bool Restore(StateReader& in);

 private:
  void Step(uint16_t bucket, double value, double gradient);

  LogisticOptions options_;
  std::vector<float> weights_;
  std::vector<float> curvature_;
};

}  // namespace tocsin::stats
