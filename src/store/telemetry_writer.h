// TelemetryWriter: makes batches durable and then stores them.
//
//   Append ──► journal segment (fdatasync, group commit) ──► acknowledged ──► background writer ──►
//   TelemetryStore
//                                                     └──► consumer (the monitors), in order of position
//
// An acknowledged batch survives kill -9 and power loss: it is in the journal until the store has committed
// it. A checkpoint of the store stalls nobody: only the background writer waits. The backlog is bounded
// (Limits::max_backlog_bytes); beyond it Append refuses with kResourceExhausted, which surfaces as 429.
//
// Ownership: owns the journal and its threads; refers to the store, which must outlive it.
// Thread-safety: all methods may be called from any thread. Callbacks run on the writer's threads and must
// not block.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kernel/limits.h"
#include "kernel/status.h"
#include "signal/batch.h"
#include "store/telemetry_store.h"

namespace tocsin::store {

struct WriterOptions {
  std::string journal_directory;
  Limits limits;
  size_t segment_bytes = 64u << 20;
  Duration apply_interval = Duration::Millis(200);  // how stale a query may be
  size_t apply_rows = 20'000;                       // apply sooner once so many rows wait
};

struct WriterStats {
  uint64_t durable_position = 0;
  uint64_t applied_position = 0;
  size_t backlog_bytes = 0;
  uint64_t appended_batches = 0;
  uint64_t refused_batches = 0;
};

class TelemetryWriter {
 public:
  using Done = std::function<void(Result<uint64_t>)>;         // position once durable
  using Consumer = std::function<void(const JournalEntry&)>;  // each durable batch, in order

  virtual ~TelemetryWriter() = default;

  // Calls `done` exactly once: with the position when the batch is durable, or with why it is not
  // (kResourceExhausted: backlog full, nothing kept; kUnavailable: disk error or stopping).
  virtual void Append(signal::Batch batch, Done done) = 0;
  // Blocks until everything durable is also in the store.
  virtual Status Flush() = 0;
  virtual WriterStats Stats() const = 0;
};

// Recovers the journal (a torn last record is cut, a damaged earlier one is kDataLoss with file and offset),
// applies what the store lacks, then starts. `consumer` may be null.
Result<std::unique_ptr<TelemetryWriter>> StartTelemetryWriter(const WriterOptions& options,
                                                              TelemetryStore& store,
                                                              TelemetryWriter::Consumer consumer);

}  // namespace tocsin::store
