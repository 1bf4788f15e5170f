// Watcher: the live detection chain, single-threaded and deterministic.
//
//   JournalEntry ─► trace assembly ─► features and checks ─► stream's monitors ─► findings
//                   (waits for sibling                        learned, named,
//                    retrievals, tools)                       segments, feedback …
//
// Event time comes from the data; the machine's clock only through Tick. What it needs to go on after a
// restart is in Save(): restore, then Consume every entry after position(): no wealth is forgotten and no
// alarm is raised twice.
//
// Ownership: owns all monitor state. Thread-safety: none, one owner. Memory: bounded by the options, about
// 6 MB for a stream with full buffers (docs/guides/detection.md). Errors: none from data; Restore may fail.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "detect/finding.h"
#include "kernel/status.h"
#include "kernel/time.h"
#include "store/ledger.h"
#include "store/telemetry_store.h"

namespace tocsin::detect {

struct WatcherOptions {
  double alpha = 1e-3;          // a stream's false alarms are at least 1/alpha generations apart on average
  size_t reference_size = 400;  // generations a stream learns from before the learned monitor bets
  uint64_t seed = 1;            // of the order in which references are used and of ties
  size_t max_streams = 64;      // further ones share one overflow stream a service, counted
  size_t max_segment_values = 12;  // values watched per attribute and stream; further ones are "(other)"
  std::vector<std::string> segment_attributes;      // keys of Generation::attributes to slice by, at most 8
  std::vector<std::string> entity_prefixes;         // "INV-", "ACC": identifiers to ground
  Duration assembly_window = Duration::Seconds(5);  // how long a generation waits for its trace
  size_t max_waiting = 2048;                        // generations waiting; the oldest goes first
  // Times a changed stream stays latched before it learns its new normal by itself; 0 = only Rebaseline().
  size_t rebaseline_after = 0;
  // Embedding model the index was built with, by data source ("" = any), when retrieval spans do not say it.
  std::map<std::string, std::string> index_embedding_models;
};

struct StreamStatus {
  std::string stream;
  std::string state;         // "learning", "watching", "changed"
  uint64_t generations = 0;  // seen
  uint64_t learned = 0;      // of reference_size
  uint64_t reference_size = 0;
  uint64_t paired = 0;     // bets of the learned monitor
  uint64_t set_aside = 0;  // kept unpaired as later reference
  double log_e_value = 0;  // learned monitor, now
  double threshold = 0;    // at which it alarms
  std::string words;       // "learning, 120 of 400"
};

struct WatcherStatus {
  uint64_t position = 0;
  uint64_t generations = 0;
  uint64_t waiting = 0;
  uint64_t overflow_generations = 0;  // went to an overflow stream
  std::vector<StreamStatus> streams;
};

class Watcher {
 public:
  explicit Watcher(const WatcherOptions& options);
  ~Watcher();
  Watcher(Watcher&&) noexcept;
  Watcher& operator=(Watcher&&) noexcept;

  // In order of position; an entry at or before position() is ignored.
  void Consume(const store::JournalEntry& entry);
  // The machine's time: releases generations that have waited long enough when traffic pauses.
  void Tick(Time now);
  // Releases everything that waits, whatever the time (end of a replay, tests).
  void Flush();

  // What was found since the last call.
  std::vector<Finding> TakeFindings();

  uint64_t position() const;
  WatcherStatus Status() const;

  // Starts a stream's monitors again from its next generations (an incident was closed). False if unknown.
  bool Rebaseline(const std::string& stream);

  // States that changed since the last Save (all of them when `all`); the one named "watcher" holds the
  // position. To be written in one transaction with the findings already taken.
  std::vector<store::MonitorState> Save(bool all = false);
  // kDataLoss or kInvalidArgument when a state cannot be read; the watcher is then empty and may be used.
  tocsin::Status Restore(std::span<const store::MonitorState> states);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::detect
