// TelemetryReceiver: the one way an OTLP export takes into the store, whichever protocol it came by: decode,
// hand to the writer, answer once it is durable.
//
// Thread-safety: all methods. `done` is called exactly once, on the caller's thread (refused) or on a thread
// of the writer (stored), and must not block. `body` is read before Receive returns.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "kernel/status.h"

namespace tocsin::surface {

enum class Signal { kTraces, kLogs, kMetrics };
enum class Encoding { kProtobuf, kJson };

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

// The bodies that answer an export, in the client's encoding.
std::string ExportResponseBody(Signal signal, Encoding encoding, const ExportAnswer& answer);
// google.rpc.Status; with RetryInfo when the error is retryable.
std::string RpcStatusBody(Encoding encoding, const Status& status);

}  // namespace tocsin::surface
