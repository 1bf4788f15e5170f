#include "ingest/decoder.h"

#include <algorithm>
#include <protozero/pbf_writer.hpp>

#include "ingest/internal/batch_builder.h"
#include "ingest/internal/json_request.h"
#include "ingest/internal/protobuf_request.h"

namespace tocsin::ingest {

Result<DecodeOutcome> Decode(SignalKind kind, std::string_view body, Encoding encoding,
                             const DecodeOptions& options) {
  const size_t most = std::max(options.limits.max_inflated_bytes, options.limits.max_request_bytes);
  if (body.size() > most) {
    return Error(Code::kOutOfRange,
                 "body: " + std::to_string(body.size()) + " bytes, at most " + std::to_string(most));
  }
  internal::BatchBuilder builder(kind, options);
  try {
    TOCSIN_RETURN_IF_ERROR(encoding == Encoding::kJson ? internal::ReadJsonRequest(kind, body, builder)
                                                       : internal::ReadProtobufRequest(kind, body, builder));
    return builder.Finish();
  } catch (const std::bad_alloc&) {
    return Error(Code::kResourceExhausted, "body: no memory to decode it now");
  } catch (...) {
    return Error(Status::FromException("decoding a request"));
  }
}

Result<DecodeOutcome> DecodeTraces(std::string_view body, Encoding encoding, const DecodeOptions& options) {
  return Decode(SignalKind::kTraces, body, encoding, options);
}
Result<DecodeOutcome> DecodeLogs(std::string_view body, Encoding encoding, const DecodeOptions& options) {
  return Decode(SignalKind::kLogs, body, encoding, options);
}
Result<DecodeOutcome> DecodeMetrics(std::string_view body, Encoding encoding, const DecodeOptions& options) {
  return Decode(SignalKind::kMetrics, body, encoding, options);
}

std::string EncodeExportResponse(SignalKind kind, const DecodeOutcome& outcome, Encoding encoding) {
  const bool partial = outcome.rejected > 0 || !outcome.reason.empty();
  if (encoding == Encoding::kJson) {
    if (!partial) return "{}";
    static constexpr const char* kRejected[] = {"rejectedSpans", "rejectedLogRecords", "rejectedDataPoints"};
    std::string json = R"({"partialSuccess":{")";
    json += kRejected[static_cast<size_t>(kind)];
    json += "\":\"" + std::to_string(outcome.rejected) + R"(","errorMessage":)";
    internal::AppendJsonString(json, outcome.reason);
    return json + "}}";
  }
  std::string out;
  if (partial) {
    std::string inner;
    protozero::pbf_writer(inner).add_int64(1, outcome.rejected);
    protozero::pbf_writer(inner).add_string(2, outcome.reason);
    protozero::pbf_writer(out).add_message(1, inner);
  }
  return out;
}

}  // namespace tocsin::ingest
