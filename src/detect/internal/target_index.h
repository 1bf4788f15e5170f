// TargetIndex: to which stream does a feedback or evaluation belong? Remembers the trace, span, response and
// conversation ids of the last generations. Bounded; hashed ids only. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "detect/internal/codec.h"
#include "kernel/id.h"
#include "signal/generation.h"

namespace tocsin::detect {

class TargetIndex {
 public:
  void Add(const signal::Generation& g, uint32_t stream) {
    for (const std::string* id : {&g.trace_id, &g.span_id, &g.response_id, &g.conversation_id}) {
      if (!id->empty()) Put(StableHash(*id), stream);
    }
  }
  std::optional<uint32_t> Find(std::string_view id) const {
    if (id.empty()) return std::nullopt;
    const auto it = streams_.find(StableHash(id));
    return it == streams_.end() ? std::nullopt : std::optional<uint32_t>(it->second);
  }
  void Save(ByteWriter& out) const {
    std::vector<uint64_t> keys(order_.begin(), order_.end());
    std::vector<uint32_t> values;
    for (const uint64_t key : keys) values.push_back(streams_.at(key));
    out.Array(keys);
    out.Array(values);
  }
  void Restore(ByteReader& in) {
    std::vector<uint64_t> keys;
    std::vector<uint32_t> values;
    in.Array(keys);
    in.Array(values);
    streams_.clear();
    order_.clear();
    for (size_t i = 0; i < keys.size() && i < values.size(); ++i) Put(keys[i], values[i]);
  }

 private:
  static constexpr size_t kMax = 40'000;
  void Put(uint64_t key, uint32_t stream) {
    const auto [it, inserted] = streams_.insert_or_assign(key, stream);
    if (!inserted) return;
    order_.push_back(key);
    if (order_.size() <= kMax) return;
    streams_.erase(order_.front());
    order_.pop_front();
  }
  std::unordered_map<uint64_t, uint32_t> streams_;
  std::deque<uint64_t> order_;
};

}  // namespace tocsin::detect
