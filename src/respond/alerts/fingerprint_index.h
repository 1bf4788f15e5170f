// FingerprintIndex: from an alert's fingerprint to its row, open addressing with linear probing.
//
// A fingerprint is a hash already, so that its low bits are the place. About 24 bytes an alert, and one cache
// miss a look-up. Ownership: value. Thread-safety: none; const methods from many threads when nobody writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tocsin::respond {

class FingerprintIndex {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  // kNone when it is not there.
  uint32_t Find(uint64_t fingerprint) const { return rows_.empty() ? kNone : rows_[SlotOf(fingerprint)]; }
  // The fingerprint must not be there.
  void Add(uint64_t fingerprint, uint32_t row);
  void Remove(uint64_t fingerprint);

  size_t size() const { return size_; }
  size_t bytes() const { return rows_.size() * (sizeof(uint64_t) + sizeof(uint32_t)); }

 private:
  // Where it is, or the empty slot where it belongs.
  size_t SlotOf(uint64_t fingerprint) const {
    const size_t mask = rows_.size() - 1;
    size_t slot = fingerprint & mask;
    while (rows_[slot] != kNone && keys_[slot] != fingerprint) slot = (slot + 1) & mask;
    return slot;
  }
  void Grow();

  std::vector<uint64_t> keys_;
  std::vector<uint32_t> rows_;  // kNone: empty
  size_t size_ = 0;
};

}  // namespace tocsin::respond
