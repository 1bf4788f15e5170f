// TelemetryStore: telemetry at rest, queried with SQL. One engine today (DuckDB, embedded); ClickHouse
// follows behind the same interface and conformance suite, so SQL here stays in what both run, through
// SqlDialect.
//
// Ownership: opened by the runtime, closed by the destructor. Thread-safety: all methods may be called from
// any thread; Apply is called by one thread at a time (TelemetryWriter's).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"
#include "signal/batch.h"

namespace tocsin::store {

// One durable batch. Positions rise by one per batch, from 1, and are never reused.
struct JournalEntry {
  uint64_t position = 0;
  std::shared_ptr<const signal::Batch> batch;
};

using SqlValue = std::variant<std::monostate, bool, int64_t, double, std::string>;

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::vector<SqlValue>> rows;
  bool truncated = false;  // more rows than QueryLimits::max_rows
  bool partial = false;    // a part of the data could not be asked (a missing shard)
};

struct QueryLimits {
  size_t max_rows = 10'000;
  Duration timeout = Duration::Seconds(30);
};

struct GenerationFilter {
  std::string service;          // "" = any
  std::string prompt_name;      // "" = any
  Time from;                    // inclusive; unknown = since ever
  Time to;                      // exclusive; unknown = until ever
  uint64_t after_position = 0;  // only entries with a greater position
  std::string trace_id;         // "" = any
  size_t limit = 1000;          // oldest first
  // Trusted SQL over the columns of the table, with its parameters; "" = none.
  std::string condition;
  std::vector<SqlValue> condition_values;
  uint64_t one_in = 1;  // a fixed sample: every so many by a hash of their place, 1 = all
};

// What belongs to generations and comes in spans of its own.
struct SiblingFilter {
  Time from, to;         // [from, to); unknown = without end
  std::string trace_id;  // "" = any
  size_t limit = 20'000;
};

struct StoredGeneration {
  uint64_t position = 0;
  signal::Generation generation;
};

struct TableCount {
  std::string table;
  int64_t rows = 0;
};

class TelemetryStore {
 public:
  virtual ~TelemetryStore() = default;

  // Stores the entries and the position of the last, in one transaction; entries at or before
  // AppliedPosition() are skipped, so that applying twice stores once.
  virtual Status Apply(std::span<const JournalEntry> entries) = 0;
  virtual Result<uint64_t> AppliedPosition() = 0;

  // Read-only SQL with positional parameters (?). kInvalidArgument names the place in the query;
  // kDeadlineExceeded after limits.timeout.
  virtual Result<Rows> Query(const std::string& sql, const std::vector<SqlValue>& parameters,
                             const QueryLimits& limits) = 0;

  // Typed reads; oldest first by (position, order in the batch).
  virtual Result<std::vector<StoredGeneration>> Generations(const GenerationFilter& filter) = 0;
  // The whole batches after a position, for consumers that resume (the monitors); at most `limit` entries.
  virtual Result<std::vector<JournalEntry>> EntriesAfter(uint64_t position, size_t limit) = 0;
  virtual Result<std::vector<signal::Change>> Changes(Time from, Time to, size_t limit) = 0;
  virtual Result<std::vector<signal::Retrieval>> Retrievals(const SiblingFilter& filter) = 0;
  virtual Result<std::vector<signal::ToolExecution>> ToolExecutions(const SiblingFilter& filter) = 0;

  virtual Result<std::vector<TableCount>> Counts() = 0;
  // Deletes rows older than `before` in every telemetry table; returns how many went.
  virtual Result<int64_t> Expire(Time before) = 0;
};

struct DuckDbOptions {
  std::string path;  // a file, or ":memory:"
  size_t memory_limit_mb = 1024;
  int threads = 0;  // 0 = half of the cores: DuckDB spins while it waits, which ingest has better use for
};
// Opens or creates the database and migrates its schema. kDataLoss when the file is damaged,
// kFailedPrecondition when it is newer than this binary or open in another process.
Result<std::unique_ptr<TelemetryStore>> OpenDuckDb(const DuckDbOptions& options);

}  // namespace tocsin::store
