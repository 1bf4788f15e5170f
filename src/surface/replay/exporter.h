// Exporter: sends OTLP trace requests to a server by http/protobuf, http/json or gRPC, and waits when the
// server asks to (429, 503, RESOURCE_EXHAUSTED, UNAVAILABLE with a delay).
//
// Ownership: owns its connection. Thread-safety: none, one owner.
// Errors: kUnavailable when the server cannot be reached, or has asked to wait for `patience` on end;
// otherwise the server's own refusal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "kernel/status.h"
#include "kernel/time.h"
#include "otlp.pb.h"

namespace tocsin::surface {

enum class Protocol { kHttp, kJson, kGrpc };

struct ExporterOptions {
  Protocol protocol = Protocol::kHttp;
  std::string url = "http://127.0.0.1:4318";  // host and port; for gRPC of the gRPC server
  Duration patience = Duration::Minutes(2);
  std::function<bool()> cancelled;  // asked while waiting; may be null
};

struct ExportOutcome {
  int64_t rejected = 0;
  std::string message;  // of a partial success
  uint64_t waits = 0;   // times the server asked to wait
  uint64_t bytes = 0;   // of the request
};

class Exporter {
 public:
  static Result<std::unique_ptr<Exporter>> Open(const ExporterOptions& options);
  virtual ~Exporter() = default;
  virtual Result<ExportOutcome> Send(const otlp::ExportTraceRequest& request) = 0;
};

}  // namespace tocsin::surface
