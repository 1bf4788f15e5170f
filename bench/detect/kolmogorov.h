// Windowed two-sample Kolmogorov-Smirnov test: the last `window` live values against a reference sample.
// The statistic D * sqrt(nm/(n+m)) is compared with a threshold tuned by the caller.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <vector>

namespace tocsin::bench {

// Both samples ascending.
inline double KolmogorovStatistic(const std::vector<double>& a, const std::vector<double>& b) {
  size_t i = 0;
  size_t j = 0;
  double largest = 0.0;
  const double na = static_cast<double>(a.size());
  const double nb = static_cast<double>(b.size());
  while (i < a.size() && j < b.size()) {
    const double x = std::min(a[i], b[j]);
    while (i < a.size() && a[i] <= x) ++i;
    while (j < b.size() && b[j] <= x) ++j;
    largest = std::max(largest, std::fabs(static_cast<double>(i) / na - static_cast<double>(j) / nb));
  }
  return largest * std::sqrt(na * nb / (na + nb));
}

// A window of values kept in time order and in sorted order.
class SortedWindow {
 public:
  explicit SortedWindow(size_t size) : size_(size) {}
  void Add(double x) {
    order_.push_back(x);
    sorted_.insert(std::upper_bound(sorted_.begin(), sorted_.end(), x), x);
    if (order_.size() <= size_) return;
    sorted_.erase(std::lower_bound(sorted_.begin(), sorted_.end(), order_.front()));
    order_.pop_front();
  }
  void Reset() {
    order_.clear();
    sorted_.clear();
  }
  bool full() const { return order_.size() == size_; }
  const std::vector<double>& sorted() const { return sorted_; }

 private:
  size_t size_;
  std::deque<double> order_;
  std::vector<double> sorted_;
};

}  // namespace tocsin::bench
