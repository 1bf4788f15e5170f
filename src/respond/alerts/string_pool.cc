#include "respond/alerts/string_pool.h"

#include <cstring>

#include "kernel/id.h"

namespace tocsin::respond {

uint32_t StringPool::HashOf(std::string_view text) { return static_cast<uint32_t>(StableHash(text)); }

size_t StringPool::SlotOf(std::string_view text, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  while (slots_[slot].id != kNone && (slots_[slot].hash != hash || Text(slots_[slot].id) != text))
    slot = (slot + 1) & mask;
  return slot;
}

void StringPool::Grow() {
  std::vector<Slot> old(slots_.empty() ? 1024 : slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const Slot& one : old) {
    if (one.id == kNone) continue;
    size_t slot = one.hash & mask;
    while (slots_[slot].id != kNone) slot = (slot + 1) & mask;
    slots_[slot] = one;
  }
}

uint32_t StringPool::Intern(std::string_view text) {
  if ((live_ + 1) * 3 > slots_.size() * 2) Grow();
  const uint32_t hash = HashOf(text);
  const size_t slot = SlotOf(text, hash);
  if (slots_[slot].id != kNone) {
    ++entries_[slots_[slot].id].references;
    return slots_[slot].id;
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
  slots_[slot] = {id, hash};
  ++live_;
  text_bytes_ += text.size();
  return id;
}

void StringPool::Release(uint32_t id) {
  Entry& entry = entries_[id];
  if (--entry.references > 0) return;
  const size_t mask = slots_.size() - 1;
  size_t hole = SlotOf(Text(id), HashOf(Text(id)));
  // Close the hole: what follows in the same run moves up unless it already sits at or after its own place.
  for (size_t next = (hole + 1) & mask; slots_[next].id != kNone; next = (next + 1) & mask) {
    const size_t home = slots_[next].hash & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      slots_[hole] = slots_[next];
      hole = next;
    }
  }
  slots_[hole] = {};
  text_bytes_ -= entry.size;
  entry.text.reset();
  entry.size = 0;
  free_.push_back(id);
  --live_;
}

uint32_t StringPool::Find(std::string_view text) const {
  return slots_.empty() ? kNone : slots_[SlotOf(text, HashOf(text))].id;
}

}  // namespace tocsin::respond
