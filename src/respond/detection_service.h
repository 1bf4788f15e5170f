// DetectionService: the watcher and the incident desk on a thread of their own.
//
//   TelemetryWriter's consumer ── Offer (never blocks) ─► bounded queue ─► Watcher ─► IncidentDesk ─► Ledger
//
// Queue full: whole traces are sampled uniformly (by hash of the trace id) until it drains; the share kept is
// in Stats(). Every `snapshot_interval`, and at once on an alarm, monitor states, incidents and the cursor
// are written in one ledger transaction. Start restores them and reads again what came after the cursor from
// the telemetry store; a gap in the positions offered is filled from there too. So a crash neither forgets
// wealth, nor fires again, nor duplicates an incident.
//
// Start it after the writer has recovered (StartTelemetryWriter) or before; Offer may be called from any
// thread at any time between Start and the destructor, in order of position.
//
// Ownership: refers to store, ledger and clock, which must outlive it. Thread-safety: all methods.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "detect/watcher.h"
#include "kernel/limits.h"
#include "kernel/status.h"
#include "ports/clock.h"
#include "respond/incident_desk.h"
#include "store/ledger.h"
#include "store/telemetry_store.h"

namespace tocsin::respond {

struct DetectionOptions {
  detect::WatcherOptions watcher;
  DeskOptions desk;
  Limits limits;  // max_detect_queue
  Duration snapshot_interval = Duration::Seconds(30);
  Duration growth_interval = Duration::Seconds(2);  // how old an open incident's evidence may look
  Duration tick_interval = Duration::Millis(500);
};

struct DetectionStats {
  uint64_t position = 0;        // last entry the monitors have seen
  uint64_t saved_position = 0;  // last one whose effect is in the ledger
  uint64_t generations = 0;     // seen by the monitors
  uint64_t sampled_out = 0;     // generations left out because the queue was full
  double kept_share = 1.0;      // at present
  size_t queued_generations = 0;
  uint64_t gaps = 0;  // entries that could not be found anywhere
  uint64_t incidents_opened = 0;
  uint64_t incident_updates = 0;
  uint64_t ledger_errors = 0;  // retried with the next snapshot
  std::string last_error;
};

class DetectionService {
 public:
  // Restores and catches up on the service's thread; returns once the states are read.
  // kDataLoss: the saved states are damaged (delete them to learn anew).
  static Result<std::unique_ptr<DetectionService>> Start(const DetectionOptions& options,
                                                         store::TelemetryStore& telemetry,
                                                         store::Ledger& ledger, const ports::Clock& clock);
  // Saves and stops.
  virtual ~DetectionService() = default;

  virtual void Offer(const store::JournalEntry& entry) = 0;
  // Blocks until everything offered so far has been judged (waiting generations are released) and saved.
  virtual tocsin::Status Drain() = 0;
  virtual DetectionStats Stats() const = 0;
  virtual detect::WatcherStatus Watching() const = 0;
  // Learns a stream's normal anew. kNotFound.
  virtual tocsin::Status Rebaseline(const std::string& stream) = 0;
};

}  // namespace tocsin::respond
