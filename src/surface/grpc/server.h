// GrpcServer: the OTLP/gRPC services (trace, logs, metrics: Export), by raw byte buffers: the same decoders
// as HTTP's read the message where gRPC put it.
//
// Bounds: message size (RESOURCE_EXHAUSTED by gRPC itself), memory of calls in flight (resource quota).
// Back-pressure is RESOURCE_EXHAUSTED with RetryInfo; malformed input INVALID_ARGUMENT; an unknown method
// UNIMPLEMENTED. Codes equal kernel Code by number.
//
// Ownership: owns its threads; the receiver must outlive it. Thread-safety: all methods.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernel/limits.h"
#include "kernel/status.h"
#include "kernel/time.h"
#include "surface/telemetry_receiver.h"

namespace tocsin::surface {

struct GrpcServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 4317;  // 0: any free one
  Limits limits;
};

class GrpcServer {
 public:
  // kFailedPrecondition when the address is in use or not ours.
  static Result<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options,
                                                   TelemetryReceiver& receiver);
  // Stop().
  virtual ~GrpcServer() = default;
  virtual uint16_t port() const = 0;
  // Lets running calls finish (at most `grace`), cancels the rest.
  virtual void Stop(Duration grace = Duration::Seconds(5)) = 0;
};

}  // namespace tocsin::surface
