// Server: the whole of Tocsin in one process: stores, writer, monitors, HTTP and gRPC, started in order and
// stopped in the reverse order. What `tocsin serve` runs, and what end-to-end tests run in process.
//
//   data directory ─► stores ─► monitors ─► writer (recovers the journal) ─► gRPC, HTTP ─► ready
//
// Ownership: owns everything. Thread-safety: all methods. Errors of Start: kFailedPrecondition (data
// directory in use, port in use, data newer than this binary), kDataLoss (damaged data), kUnavailable (disk).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernel/status.h"
#include "ports/clock.h"
#include "respond/detection_service.h"
#include "runtime/settings.h"
#include "store/ledger.h"
#include "store/telemetry_store.h"
#include "store/telemetry_writer.h"

namespace tocsin::runtime {

class Server {
 public:
  static Result<std::unique_ptr<Server>> Start(const Settings& settings, const ports::Clock& clock);
  // Stop().
  virtual ~Server() = default;

  virtual uint16_t http_port() const = 0;
  virtual uint16_t grpc_port() const = 0;  // 0 when off
  // Reads the configuration again: alert rules and who is told change at once (settings_reloader.h).
  virtual Status Reload(const std::string& why) = 0;
  // Refuses new requests, lets running ones finish, stores and saves everything.
  virtual void Stop() = 0;

  // For tests that run the server in process.
  virtual store::TelemetryWriter& writer() = 0;
  virtual store::TelemetryStore& telemetry() = 0;
  virtual store::Ledger& ledger() = 0;
  virtual respond::DetectionService& detection() = 0;
};

}  // namespace tocsin::runtime
