// StateLog: keeps a state in memory durable: every change is written to a log before it is applied, and the
// whole state now and then to a snapshot, after which the log before it is dropped.
//
//   Append ─► queue ─► one group, one fdatasync ─► Apply in order ─► done
//   Open:  snapshot ─► Load, then the log after it ─► Apply
//
// Ownership: owns its files and one thread; the machine is the caller's and must outlive the log.
// Thread-safety: Append and Stats by any thread. The machine is called by one thread at a time: the
// opener's in Open, then the log's own; what others read of it is the machine's own to guard.
// Errors: Open: kDataLoss (damaged, with file and offset), kUnavailable (disk). Append: kResourceExhausted
// when the queue is full, kUnavailable when the disk fails; nothing of the record is kept then.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "kernel/status.h"

namespace tocsin::store {

class StateMachine {
 public:
  virtual ~StateMachine() = default;
  // Replaces the state by what Save gave.
  virtual Status Load(std::string_view snapshot) = 0;
  // A durable record, in order, each once. `decoded` is what was given to Append, null when read back.
  virtual Status Apply(std::string_view record, const void* decoded) = 0;
  virtual std::string Save() const = 0;
};

struct StateLogOptions {
  std::string directory;
  size_t segment_bytes = 64u << 20;
  size_t max_queue_bytes = 64u << 20;
  uint64_t snapshot_every_bytes = 256u << 20;  // of log
};

struct StateLogStats {
  uint64_t position = 0;  // of the last record that is durable and applied
  uint64_t snapshot = 0;  // position of the last snapshot
  uint64_t queued_bytes = 0;
  std::string last_error;  // of a snapshot: the log goes on without it
};

class StateLog {
 public:
  using Done = std::function<void(Status)>;  // on the log's thread; must not block

  static Result<std::unique_ptr<StateLog>> Open(const StateLogOptions& options, StateMachine& machine);
  // Waits for what is queued and writes a snapshot.
  virtual ~StateLog() = default;

  // `done` is called once: when the record is durable and applied, or with what went wrong. Never blocks.
  virtual void Append(std::string record, std::shared_ptr<const void> decoded, Done done) = 0;
  // Append, and wait. Not on the log's thread.
  Status AppendAndWait(std::string record, std::shared_ptr<const void> decoded = nullptr);
  virtual StateLogStats Stats() const = 0;
};

}  // namespace tocsin::store
