#include "stats/recursive_regression.h"

#include <algorithm>

namespace tocsin::stats {

RecursiveRegression::RecursiveRegression(size_t inputs, size_t outputs, double prior_variance)
    : inputs_(inputs),
      outputs_(outputs),
      inverse_(inputs * inputs, 0.0),
      coefficients_(inputs * outputs, 0.0),
      gain_(inputs, 0.0),
      error_(outputs, 0.0) {
  for (size_t i = 0; i < inputs_; ++i) inverse_[i * inputs_ + i] = prior_variance;
}

void RecursiveRegression::Add(std::span<const double> x, std::span<const double> y) {
  double spread = 0.0;
  for (size_t i = 0; i < inputs_; ++i) {
    double sum = 0.0;
    for (size_t j = 0; j < inputs_; ++j) sum += inverse_[i * inputs_ + j] * x[j];
    gain_[i] = sum;
    spread += sum * x[i];
  }
  const double scale = 1.0 / (1.0 + spread);
  for (size_t i = 0; i < inputs_; ++i) {
    for (size_t j = 0; j < inputs_; ++j) inverse_[i * inputs_ + j] -= gain_[i] * gain_[j] * scale;
  }
  Predict(x, error_);
  for (size_t c = 0; c < outputs_; ++c) error_[c] = (y[c] - error_[c]) * scale;
  for (size_t i = 0; i < inputs_; ++i) {
    for (size_t c = 0; c < outputs_; ++c) coefficients_[i * outputs_ + c] += gain_[i] * error_[c];
  }
}

void RecursiveRegression::Predict(std::span<const double> x, std::span<double> y) const {
  std::fill(y.begin(), y.end(), 0.0);
  for (size_t i = 0; i < inputs_; ++i) {
    if (x[i] == 0.0) continue;
    for (size_t c = 0; c < outputs_; ++c) y[c] += x[i] * coefficients_[i * outputs_ + c];
  }
}

void RecursiveRegression::Save(StateWriter& out) const {
  out.PutVector(inverse_);
  out.PutVector(coefficients_);
}

bool RecursiveRegression::Restore(StateReader& in) {
  in.GetVector(inverse_);
  in.GetVector(coefficients_);
  return in.ok() && inverse_.size() == inputs_ * inputs_ && coefficients_.size() == inputs_ * outputs_;
}

}  // namespace tocsin::stats
