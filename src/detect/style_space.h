// StyleSpace: turns the style features of an answer into standardised residuals given its prompt.
//
// A residual is (feature - what the prompt predicts) / its running standard deviation, clipped to [-3, 3].
// The regression and the deviations are learnt from generations already seen, live and reference alike, so
// the map is the same for both sides of the next pair and known before it: exchangeability survives. The
// prompt explains a good part of length and layout; what is left is how the model answers.
//
// Not thread-safe, deterministic, O(prompt features * style features) a generation.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "behavior/generation_features.h"
#include "stats/recursive_regression.h"
#include "stats/state_codec.h"

namespace tocsin::detect {

class StyleSpace {
 public:
  static constexpr size_t kDim = behavior::kStyleCount;

  StyleSpace();
  // Standardised residuals of one generation, kDim values.
  void Map(const behavior::StyleVector& style, const behavior::PromptVector& prompt,
           std::span<double> z) const;
  // Learns from one generation.
  void Learn(const behavior::StyleVector& style, const behavior::PromptVector& prompt);
  uint64_t learnt() const { return count_; }

  void Save(stats::StateWriter& out) const;
  bool Restore(stats::StateReader& in);

 private:
  stats::RecursiveRegression regression_;
  std::vector<double> squares_;  // of the residuals after the first kSettling
  uint64_t count_ = 0;
};

}  // namespace tocsin::detect
