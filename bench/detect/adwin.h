// ADWIN2 (Bifet & Gavalda, "Learning from time-changing data with adaptive windowing", 2007): the peer most
// drift libraries ship. Exponential histogram, at most 5 buckets a size, every cut checked at every step.
// Values in [0, 1].
#pragma once

#include <cmath>
#include <cstddef>
#include <deque>

namespace tocsin::bench {

class Adwin {
 public:
  explicit Adwin(double delta) : delta_(delta) {}

  // True when a cut shows two different means; the caller resets.
  bool Add(double x) {
    buckets_.push_front({x, 0.0, 1.0});
    Merge();
    return Cut();
  }
  void Reset() { buckets_.clear(); }

 private:
  struct Bucket {
    double sum, squares, count;  // squares: of deviations within the bucket
  };
  static constexpr size_t kPerSize = 5;

  void Merge() {
    size_t begin = 0;
    for (double size = 1.0; begin < buckets_.size(); size *= 2.0) {
      size_t end = begin;
      while (end < buckets_.size() && buckets_[end].count == size) ++end;
      if (end - begin <= kPerSize) break;
      Bucket& older = buckets_[end - 1];
      const Bucket& newer = buckets_[end - 2];
      const double gap = older.sum / older.count - newer.sum / newer.count;
      older.squares += newer.squares + gap * gap * older.count * newer.count / (older.count + newer.count);
      older.sum += newer.sum;
      older.count += newer.count;
      buckets_.erase(buckets_.begin() + static_cast<std::ptrdiff_t>(end) - 2);
      begin = end - 2;
    }
  }

  bool Cut() const {
    double n = 0.0;
    double sum = 0.0;
    for (const Bucket& b : buckets_) {
      n += b.count;
      sum += b.sum;
    }
    if (n < 10.0) return false;
    double squares = 0.0;
    for (const Bucket& b : buckets_) {
      const double gap = b.sum / b.count - sum / n;
      squares += b.squares + b.count * gap * gap;
    }
    const double variance = squares / n;
    const double log_term = std::log(2.0 * std::log(n) / delta_);
    double n1 = 0.0;
    double sum1 = 0.0;
    for (const Bucket& b : buckets_) {
      n1 += b.count;
      sum1 += b.sum;
      const double n0 = n - n1;
      if (n1 < 5.0 || n0 < 5.0) continue;
      const double m = 1.0 / (1.0 / n0 + 1.0 / n1);
      const double bound = std::sqrt(2.0 / m * variance * log_term) + 2.0 / (3.0 * m) * log_term;
      if (std::fabs(sum1 / n1 - (sum - sum1) / n0) > bound) return true;
    }
    return false;
  }

  double delta_;
  std::deque<Bucket> buckets_;  // newest first
};

}  // namespace tocsin::bench
