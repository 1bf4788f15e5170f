// RecursiveRegression: ridge regression of many outputs on a few shared inputs, updated one row at a time
// (recursive least squares; Plackett 1950). Used to take out of an answer's features what its prompt
// explains.
//
// Shapes: `inputs` covariates (the caller appends the constant), `outputs` responses. Prior: coefficients
// N(0, prior_variance). Add is O(inputs^2 + inputs * outputs), Predict O(inputs * outputs).
// Value type, not thread-safe, deterministic. Non-finite rows must not be added.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "stats/state_codec.h"

namespace tocsin::stats {

class RecursiveRegression {
 public:
  RecursiveRegression(size_t inputs, size_t outputs, double prior_variance = 3.0);

  void Add(std::span<const double> x, std::span<const double> y);
  void Predict(std::span<const double> x, std::span<double> y) const;

  void Save(StateWriter& out) const;
  bool Restore(StateReader& in);  // false if the shapes differ

 private:
  size_t inputs_;
  size_t outputs_;
  std::vector<double> inverse_;       // inputs x inputs
  std::vector<double> coefficients_;  // inputs x outputs
  std::vector<double> gain_;          // scratch, inputs
  std::vector<double> error_;         // scratch, outputs
};

}  // namespace tocsin::stats
