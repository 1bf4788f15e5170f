#include "detect/style_space.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tocsin::detect {
namespace {

constexpr uint64_t kSettling = 20;       // residuals before this are the regression's own error
constexpr double kVarianceFloor = 0.05;  // a feature never seen varies at least this much, in total
constexpr double kClip = 3.0;
constexpr size_t kInputs = behavior::kPromptCount + 1;

std::array<double, kInputs> Inputs(const behavior::PromptVector& prompt) {
  std::array<double, kInputs> x{};
  for (size_t i = 0; i < behavior::kPromptCount; ++i) {
    x[i] = static_cast<double>(prompt[i]) - (i < 2 ? 4.0 : 0.0);  // centres the two log lengths
  }
  x[behavior::kPromptCount] = 1.0;
  return x;
}

}  // namespace

StyleSpace::StyleSpace() : regression_(kInputs, kDim), squares_(kDim, 0.0) {}

void StyleSpace::Map(const behavior::StyleVector& style, const behavior::PromptVector& prompt,
                     std::span<double> z) const {
  std::array<double, kDim> expected{};
  regression_.Predict(Inputs(prompt), expected);
  const double n = count_ > kSettling ? static_cast<double>(count_ - kSettling) : 1.0;
  for (size_t i = 0; i < kDim; ++i) {
    const double deviation = std::sqrt((squares_[i] + kVarianceFloor) / (n + 1.0));
    z[i] = std::clamp((static_cast<double>(style[i]) - expected[i]) / deviation, -kClip, kClip);
  }
}

void StyleSpace::Learn(const behavior::StyleVector& style, const behavior::PromptVector& prompt) {
  const std::array<double, kInputs> x = Inputs(prompt);
  std::array<double, kDim> y{};
  std::array<double, kDim> expected{};
  for (size_t i = 0; i < kDim; ++i) y[i] = static_cast<double>(style[i]);
  regression_.Predict(x, expected);
  regression_.Add(x, y);
  ++count_;
  if (count_ <= kSettling) return;
  for (size_t i = 0; i < kDim; ++i) squares_[i] += (y[i] - expected[i]) * (y[i] - expected[i]);
}

void StyleSpace::Save(stats::StateWriter& out) const {
  regression_.Save(out);
  out.PutVector(squares_);
  out.Put(count_);
}

bool StyleSpace::Restore(stats::StateReader& in) {
  if (!regression_.Restore(in)) return false;
  in.GetVector(squares_);
  count_ = in.Get<uint64_t>();
  return in.ok() && squares_.size() == kDim;
}

}  // namespace tocsin::detect
