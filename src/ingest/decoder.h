// Decoder: the bytes of one OTLP request to a signal::Batch: decoded, normalised, bounded and redacted.
//
//   body ─ protozero or simdjson ─▶ raw item (views into the body) ─ text cleaner, redaction ─▶ Batch
//
// The same request in either encoding gives the same Batch. Field numbers and names are OTLP 1.x; the
// meaning of attributes is in docs/formats/generation-mapping.md.
// Errors: an error Result means nothing of the request could be read (kInvalidArgument with the byte offset
// or JSON path; kOutOfRange beyond a bound of Limits). Otherwise every item that could be read is in the
// batch, the others are counted in `rejected` and explained in `reason`: one bad span never costs its
// neighbours.
// Ownership: the outcome owns its texts; `body` may go when the call returns.
// Thread-safety: the functions may run on any threads at once; DecodeOptions is only read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "ingest/redaction.h"
#include "kernel/limits.h"
#include "kernel/status.h"
#include "kernel/time.h"
#include "signal/batch.h"

namespace tocsin::ingest {

enum class Encoding { kProtobuf, kJson };
enum class SignalKind { kTraces, kLogs, kMetrics };

struct DecodeOptions {
  Limits limits;
  // Null: the built-in patterns only.
  std::shared_ptr<const Redactor> redactor;
  // When the request arrived: stands in for a time an item lacks, or one that cannot be true (before 2000 or
  // more than a day ahead of it). 0 = take the item's own times as they are.
  Time received;
};

struct DecodeOutcome {
  signal::Batch batch;
  int64_t rejected = 0;  // spans, log records or data points left out
  // "resourceSpans[0].scopeSpans[1].spans[7]: traceId must be 16 bytes, got 3; and 4 more"; "" when all is
  // in.
  std::string reason;
  int64_t dropped_attributes = 0;  // beyond Limits::max_attributes
  int64_t shortened_texts = 0;     // cut at a bound, and marked so
  int64_t redactions = 0;          // secrets replaced
};

Result<DecodeOutcome> DecodeTraces(std::string_view body, Encoding encoding, const DecodeOptions& options);
Result<DecodeOutcome> DecodeLogs(std::string_view body, Encoding encoding, const DecodeOptions& options);
Result<DecodeOutcome> DecodeMetrics(std::string_view body, Encoding encoding, const DecodeOptions& options);
Result<DecodeOutcome> Decode(SignalKind kind, std::string_view body, Encoding encoding,
                             const DecodeOptions& options);

// The body that answers an export: empty success, or partialSuccess with the count and the reason.
std::string EncodeExportResponse(SignalKind kind, const DecodeOutcome& outcome, Encoding encoding);

}  // namespace tocsin::ingest
