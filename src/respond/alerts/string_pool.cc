#include "respond/alerts/string_pool.h"

#include <cstring>

#include "kernel/id.h"

namespace tocsin::respond {

size_t StringPool::SlotOf(std::string_view text) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = StableHash(text) & mask;
  while (slots_[slot] != kNone && Text(slots_[slot]) != text) slot = (slot + 1) & mask;
  return slot;
}

void StringPool::Grow() {
  std::vector<uint32_t> old(slots_.empty() ? 1024 : slots_.size() * 2, kNone);
  old.swap(slots_);
  for (const uint32_t id : old) {
    if (id != kNone) slots_[SlotOf(Text(id))] = id;
  }
}

uint32_t StringPool::Intern(std::string_view text) {
  if ((live_ + 1) * 3 > slots_.size() * 2) Grow();
  const size_t slot = SlotOf(text);
  if (slots_[slot] != kNone) {
    ++entries_[slots_[slot]].references;
    return slots_[slot];
  }
  uint32_t id = 0;
  if (free_.empty()) {
    id = static_cast<uint32_t>(entries_.size());
    entries_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  Entry& entry = entries_[id];
  entry.text = std::make_unique_for_overwrite<char[]>(text.size());
  if (!text.empty()) std::memcpy(entry.text.get(), text.data(), text.size());
  entry.size = static_cast<uint32_t>(text.size());
  entry.references = 1;
  slots_[slot] = id;
  ++live_;
  text_bytes_ += text.size();
  return id;
}

void StringPool::Release(uint32_t id) {
  Entry& entry = entries_[id];
  if (--entry.references > 0) return;
  const size_t mask = slots_.size() - 1;
  size_t hole = SlotOf(Text(id));
  // Close the hole: what follows in the same run moves up unless it already sits at or after its own place.
  for (size_t next = (hole + 1) & mask; slots_[next] != kNone; next = (next + 1) & mask) {
    const size_t home = StableHash(Text(slots_[next])) & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      slots_[hole] = slots_[next];
      hole = next;
    }
  }
  slots_[hole] = kNone;
  text_bytes_ -= entry.size;
  entry.text.reset();
  entry.size = 0;
  free_.push_back(id);
  --live_;
}

uint32_t StringPool::Find(std::string_view text) const {
  return slots_.empty() ? kNone : slots_[SlotOf(text)];
}

}  // namespace tocsin::respond
