// Recorded answers as OpenTelemetry GenAI spans (current convention names), in OTLP's protobuf messages or
// its JSON. An answer is one trace: the model call, and beside it a retrieval span when documents were
// recorded and an execute_tool span for each tool that ran. Pure: the same answers and run key give the same
// bytes. Thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "otlp.pb.h"
#include "surface/replay/replay_plan.h"

namespace tocsin::surface {

struct AnswerIds {
  std::string trace_id;  // 16 bytes
  std::string span_id;   // 8 bytes, of the model call
};
// The same for the same run and row, so that feedback can be sent for an answer later.
AnswerIds IdsOf(std::string_view run_key, uint64_t index);

// `now` stands for times the plan left open.
otlp::ExportTraceRequest EncodeAnswers(std::span<const PlannedAnswer> answers, std::string_view run_key,
                                       Time now);

// OTLP/JSON: hex ids, camelCase, 64-bit numbers as text.
std::string ToOtlpJson(const otlp::ExportTraceRequest& request);

}  // namespace tocsin::surface
