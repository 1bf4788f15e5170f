#include "ingest/duplicate_filter.h"

#include <algorithm>
#include <unordered_set>

#include "kernel/id.h"

namespace tocsin::ingest {
namespace {

constexpr uint64_t kEmpty = 0, kRemoved = 1;

uint64_t HashOf(std::string_view trace_id, std::string_view span_id) {
  const uint64_t hash = StableHash(span_id, StableHash(trace_id));
  return hash <= kRemoved ? hash + 2 : hash;
}

size_t PowerOfTwo(size_t n) {
  size_t p = 16;
  while (p < n) p *= 2;
  return p;
}

// The slot of the hash, or the first empty one; removed slots are passed.
uint64_t& SlotOf(std::vector<uint64_t>& slots, uint64_t hash) {
  const size_t mask = slots.size() - 1;
  size_t i = (hash >> 8) & mask;
  while (slots[i] != kEmpty && slots[i] != hash) i = (i + 1) & mask;
  return slots[i];
}

}  // namespace

DuplicateFilter::DuplicateFilter(size_t capacity)
    : per_shard_(std::max<size_t>(capacity / kShards, 8)), slots_per_table_(PowerOfTwo(per_shard_ * 2)) {
  for (auto& shard : shards_) {
    shard.young.slots.assign(slots_per_table_, kEmpty);
    shard.old.slots.assign(slots_per_table_, kEmpty);
  }
}

bool DuplicateFilter::InsertHash(uint64_t hash) {
  Shard& shard = shards_[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  if (SlotOf(shard.old.slots, hash) == hash) return false;
  uint64_t& slot = SlotOf(shard.young.slots, hash);
  if (slot == hash) return false;
  slot = hash;
  if (++shard.young.used >= per_shard_) {
    std::swap(shard.young, shard.old);
    std::fill(shard.young.slots.begin(), shard.young.slots.end(), kEmpty);
    shard.young.used = 0;
  }
  return true;
}

void DuplicateFilter::ForgetHash(uint64_t hash) {
  Shard& shard = shards_[hash % kShards];
  const std::lock_guard lock(shard.mutex);
  for (Table* table : {&shard.young, &shard.old}) {
    if (uint64_t& slot = SlotOf(table->slots, hash); slot == hash) slot = kRemoved;
  }
}

bool DuplicateFilter::Insert(std::string_view trace_id, std::string_view span_id) {
  return InsertHash(HashOf(trace_id, span_id));
}

void DuplicateFilter::Forget(std::string_view trace_id, std::string_view span_id) {
  ForgetHash(HashOf(trace_id, span_id));
}

void DuplicateFilter::Forget(const signal::Batch& batch) {
  for (const auto& span : batch.spans) Forget(span.trace_id, span.span_id);
}

size_t DuplicateFilter::RemoveSeen(signal::Batch& batch) {
  std::unordered_set<uint64_t> fresh, seen;  // of this batch
  size_t removed = 0;
  std::erase_if(batch.spans, [&](const signal::Span& span) {
    const uint64_t hash = HashOf(span.trace_id, span.span_id);
    if (InsertHash(hash)) {
      fresh.insert(hash);
      return false;
    }
    seen.insert(hash);
    ++removed;
    return true;
  });
  if (seen.empty()) return 0;
  const auto drop = [&](auto& records, bool one_a_span) {
    std::unordered_set<uint64_t> kept;
    std::erase_if(records, [&](const auto& record) {
      const uint64_t hash = HashOf(record.trace_id, record.span_id);
      if (!seen.contains(hash)) return false;
      // The same span twice in one batch: its first record stays.
      return !fresh.contains(hash) || (one_a_span && !kept.insert(hash).second);
    });
  };
  drop(batch.generations, true);
  drop(batch.retrievals, true);
  drop(batch.tool_executions, true);
  drop(batch.evaluations, false);
  drop(batch.feedbacks, false);
  return removed;
}

size_t DuplicateFilter::memory_bytes() const {
  return sizeof(*this) + kShards * 2 * slots_per_table_ * sizeof(uint64_t);
}

}  // namespace tocsin::ingest
