// Reservoir: a uniform random sample of a stream in bounded memory (Vitter's algorithm R, 1985).
// Random only through the Rng passed in. Value type, not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "kernel/rng.h"

namespace tocsin::stats {

template <class T>
class Reservoir {
 public:
  explicit Reservoir(size_t capacity) : capacity_(capacity) {}

  void Add(T item, Rng& rng) {
    ++seen_;
    if (items_.size() < capacity_) {
      items_.push_back(std::move(item));
      return;
    }
    const uint64_t slot = rng.Below(seen_);
    if (slot < capacity_) items_[static_cast<size_t>(slot)] = std::move(item);
  }
  const std::vector<T>& items() const { return items_; }
  uint64_t seen() const { return seen_; }

 private:
  size_t capacity_;
  uint64_t seen_ = 0;
  std::vector<T> items_;
};

}  // namespace tocsin::stats
