#include "respond/alerts/fingerprint_index.h"

#include <utility>

namespace tocsin::respond {

void FingerprintIndex::Grow() {
  const size_t slots = rows_.empty() ? 1024 : rows_.size() * 2;
  const auto keys = std::exchange(keys_, std::vector<uint64_t>(slots));
  const auto rows = std::exchange(rows_, std::vector<uint32_t>(slots, kNone));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == kNone) continue;
    const size_t slot = SlotOf(keys[i]);
    keys_[slot] = keys[i];
    rows_[slot] = rows[i];
  }
}

void FingerprintIndex::Add(uint64_t fingerprint, uint32_t row) {
  if ((size_ + 1) * 3 > rows_.size() * 2) Grow();
  const size_t slot = SlotOf(fingerprint);
  keys_[slot] = fingerprint;
  rows_[slot] = row;
  ++size_;
}

void FingerprintIndex::Remove(uint64_t fingerprint) {
  if (rows_.empty()) return;
  const size_t mask = rows_.size() - 1;
  size_t hole = SlotOf(fingerprint);
  if (rows_[hole] == kNone) return;
  // Close the hole: what follows in the same run moves up unless it already sits at or after its own place.
  for (size_t next = (hole + 1) & mask; rows_[next] != kNone; next = (next + 1) & mask) {
    const size_t home = keys_[next] & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      keys_[hole] = keys_[next];
      rows_[hole] = rows_[next];
      hole = next;
    }
  }
  rows_[hole] = kNone;
  --size_;
}

}  // namespace tocsin::respond
