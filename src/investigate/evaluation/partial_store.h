// A store that says of every answer that a part of the data could not be asked, as a cluster with a shard
// missing does. Refers to the store it wraps. Thread-safety: as that store's.
#pragma once

#include "store/telemetry_store.h"

namespace tocsin::investigate {

class PartialStore final : public store::TelemetryStore {
 public:
  explicit PartialStore(store::TelemetryStore& inner) : inner_(inner) {}
  Status Apply(std::span<const store::JournalEntry> entries) override { return inner_.Apply(entries); }
  Result<uint64_t> AppliedPosition() override { return inner_.AppliedPosition(); }
  Result<store::Rows> Query(const std::string& sql, const std::vector<store::SqlValue>& parameters,
                            const store::QueryLimits& limits) override {
    auto rows = inner_.Query(sql, parameters, limits);
    if (rows) rows->partial = true;
    return rows;
  }
  Result<std::vector<store::StoredGeneration>> Generations(const store::GenerationFilter& filter) override {
    return inner_.Generations(filter);
  }
  Result<std::vector<store::JournalEntry>> EntriesAfter(uint64_t position, size_t limit) override {
    return inner_.EntriesAfter(position, limit);
  }
  Result<std::vector<signal::Change>> Changes(Time from, Time to, size_t limit) override {
    return inner_.Changes(from, to, limit);
  }
  Result<std::vector<signal::Retrieval>> Retrievals(const store::SiblingFilter& filter) override {
    return inner_.Retrievals(filter);
  }
  Result<std::vector<signal::ToolExecution>> ToolExecutions(const store::SiblingFilter& filter) override {
    return inner_.ToolExecutions(filter);
  }
  Result<std::vector<store::TableCount>> Counts() override { return inner_.Counts(); }
  Result<int64_t> Expire(Time before) override { return inner_.Expire(before); }

 private:
  store::TelemetryStore& inner_;
};

}  // namespace tocsin::investigate
