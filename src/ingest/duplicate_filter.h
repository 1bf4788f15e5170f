// DuplicateFilter: remembers the ids of recent items, so that a batch an exporter sends again, because our
// acknowledgement was lost, is not stored twice.
//
// Fixed memory: two generations of `capacity` 64-bit fingerprints; when the younger is full the older is
// forgotten, so at least the last `capacity` ids are known. A false "seen before" has probability about
// 2 * capacity / 2^64 an item. Seed it at start with the ids last stored.
// Thread-safety: all methods; sharded locks.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "signal/batch.h"

namespace tocsin::ingest {

class DuplicateFilter {
 public:
  explicit DuplicateFilter(size_t capacity);

  // True when the id is new (and remembers it).
  bool Insert(std::string_view trace_id, std::string_view span_id);
  // For seeding: as Insert, without an answer.
  void Seed(std::string_view trace_id, std::string_view span_id) { (void)Insert(trace_id, span_id); }
  // Forgets an id, when the batch that carried it could not be stored after all.
  void Forget(std::string_view trace_id, std::string_view span_id);
  // Removes from the batch the spans seen before, with the generations, retrievals, tool executions and
  // evaluations made of them. Returns how many spans went. Logs and metrics have no ids and stay.
  size_t RemoveSeen(signal::Batch& batch);
  // Undoes RemoveSeen's remembering for a batch that could not be stored.
  void Forget(const signal::Batch& batch);

  size_t memory_bytes() const;

 private:
  struct Table {
    std::vector<uint64_t> slots;  // open addressing, 0 = empty, 1 = removed
    size_t used = 0;
  };
  struct Shard {
    std::mutex mutex;
    Table young, old;
  };
  static constexpr size_t kShards = 16;

  bool InsertHash(uint64_t hash);
  void ForgetHash(uint64_t hash);

  size_t per_shard_;
  size_t slots_per_table_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tocsin::ingest
