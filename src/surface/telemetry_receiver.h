// TelemetryReceiver: the one way an OTLP export takes into the store, whichever protocol it came by: decode,
// hand to the writer, answer once it is durable.
//
// Thread-safety: all methods. `done` is called exactly once, on the caller's thread (refused) or on a thread
// of the writer (stored), and must not block. `body` is read before Receive returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ingest/decoder.h"
#include "ingest/duplicate_filter.h"
#include "ingest/log_templates.h"
#include "kernel/status.h"
#include "ports/clock.h"
#include "store/telemetry_writer.h"
#include "surface/server_metrics.h"

namespace tocsin::surface {

using Signal = ingest::SignalKind;
using Encoding = ingest::Encoding;

struct ExportAnswer {
  Status status;         // kInvalidArgument, kOutOfRange, kResourceExhausted, kUnavailable
  int64_t rejected = 0;  // items left out of what was stored
  std::string message;   // why
};

class TelemetryReceiver {
 public:
  using Done = std::function<void(ExportAnswer)>;
  virtual ~TelemetryReceiver() = default;
  virtual void Receive(Signal signal, Encoding encoding, std::string_view body, Done done) = 0;
};

struct ReceiverDependencies {
  store::TelemetryWriter& writer;
  ingest::DuplicateFilter& duplicates;
  ingest::LogTemplates& templates;
  const ports::Clock& clock;
  ServerMetrics& metrics;
  ingest::DecodeOptions decode;  // `received` is set for each request
};
// The real one. References must outlive it and every call to `done`.
std::unique_ptr<TelemetryReceiver> MakeTelemetryReceiver(const ReceiverDependencies& dependencies);

// The bodies that answer an export, in the client's encoding.
std::string ExportResponseBody(Signal signal, Encoding encoding, const ExportAnswer& answer);
// google.rpc.Status; with RetryInfo when the error is retryable.
std::string RpcStatusBody(Encoding encoding, const Status& status);

}  // namespace tocsin::surface
