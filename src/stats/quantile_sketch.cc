#include "stats/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace tocsin::stats {

void QuantileSketch::Add(double value, double weight) {
  if (std::isnan(value) || !(weight > 0.0)) return;
  min_ = total_ > 0.0 ? std::min(min_, value) : value;
  max_ = total_ > 0.0 ? std::max(max_, value) : value;
  total_ += weight;
  buffer_.push_back({value, weight});
  if (buffer_.size() >= static_cast<size_t>(compression_ * 5.0)) Compress();
}

void QuantileSketch::Merge(const QuantileSketch& other) {
  if (other.total_ <= 0.0) return;
  other.Compress();
  min_ = total_ > 0.0 ? std::min(min_, other.min_) : other.min_;
  max_ = total_ > 0.0 ? std::max(max_, other.max_) : other.max_;
  total_ += other.total_;
  buffer_.insert(buffer_.end(), other.centroids_.begin(), other.centroids_.end());
  Compress();
}

void QuantileSketch::Compress() const {
  if (buffer_.empty()) return;
  buffer_.insert(buffer_.end(), centroids_.begin(), centroids_.end());
  std::stable_sort(buffer_.begin(), buffer_.end(),
                   [](const Centroid& a, const Centroid& b) { return a.mean < b.mean; });
  const auto scale = [&](double q) {
    return compression_ / (2.0 * std::numbers::pi) * std::asin(2.0 * std::clamp(q, 0.0, 1.0) - 1.0);
  };
  std::vector<Centroid> merged;
  double before = 0.0;  // weight left of the open centroid
  double k_low = scale(0.0);
  for (const Centroid& c : buffer_) {
    if (!merged.empty()) {
      Centroid& open = merged.back();
      const double q = (before + open.weight + c.weight) / total_;
      if (scale(q) - k_low <= 1.0 || open.mean == c.mean) {
        const double w = open.weight + c.weight;
        if (open.mean != c.mean) open.mean += (c.mean - open.mean) * (c.weight / w);
        open.weight = w;
        continue;
      }
      before += open.weight;
      k_low = scale(before / total_);
    }
    merged.push_back(c);
  }
  centroids_ = std::move(merged);
  buffer_.clear();
}

size_t QuantileSketch::centroids() const {
  Compress();
  return centroids_.size();
}

double QuantileSketch::Quantile(double q) const {
  if (total_ <= 0.0) return std::numeric_limits<double>::quiet_NaN();
  Compress();
  const double target = std::clamp(q, 0.0, 1.0) * total_;
  double left = 0.0;  // weight up to the middle of the previous centroid
  double left_value = min_;
  double seen = 0.0;
  for (const Centroid& c : centroids_) {
    const double middle = seen + c.weight / 2.0;
    if (target <= middle) {
      const double span = middle - left;
      return span <= 0.0 ? c.mean : left_value + (c.mean - left_value) * (target - left) / span;
    }
    left = middle;
    left_value = c.mean;
    seen += c.weight;
  }
  const double span = total_ - left;
  return span <= 0.0 ? max_ : left_value + (max_ - left_value) * (target - left) / span;
}

double QuantileSketch::Cdf(double x) const {
  if (total_ <= 0.0) return std::numeric_limits<double>::quiet_NaN();
  if (x < min_) return 0.0;
  if (x >= max_) return 1.0;
  double low = 0.0;
  double high = 1.0;
  for (int i = 0; i < 50; ++i) {
    const double mid = 0.5 * (low + high);
    (Quantile(mid) <= x ? low : high) = mid;
  }
  return 0.5 * (low + high);
}

void QuantileSketch::Save(StateWriter& out) const {
  Compress();
  out.Put(total_);
  out.Put(min_);
  out.Put(max_);
  std::vector<double> flat;
  for (const Centroid& c : centroids_) {
    flat.push_back(c.mean);
    flat.push_back(c.weight);
  }
  out.PutVector(flat);
}

bool QuantileSketch::Restore(StateReader& in) {
  total_ = in.Get<double>();
  min_ = in.Get<double>();
  max_ = in.Get<double>();
  std::vector<double> flat;
  in.GetVector(flat);
  if (!in.ok() || flat.size() % 2 != 0) return false;
  buffer_.clear();
  centroids_.clear();
  for (size_t i = 0; i < flat.size(); i += 2) centroids_.push_back({flat[i], flat[i + 1]});
  return true;
}

}  // namespace tocsin::stats
