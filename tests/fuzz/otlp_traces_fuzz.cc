// Spans in protobuf against protobuf's own parser, and against the same request in JSON.
#include "kernel/id.h"
#include "oracle.h"

namespace {

using tocsin::fuzz::Require;
namespace otlp = tocsin::otlp;

bool GoodId(const std::string& bytes, size_t size) {
  return bytes.size() == size && bytes.find_first_not_of('\0') != std::string::npos;
}
bool GoodParent(const std::string& bytes) {
  return bytes.find_first_not_of('\0') == std::string::npos || bytes.size() == 8;
}
// Spans whose attributes are ordinary: nothing moved, cut or dropped.
bool Plain(const otlp::Span& span) {
  for (const auto& attribute : span.attributes()) {
    for (const char* prefix :
         {"gen_ai.", "llm.", "input.", "output.", "retrieval.", "traceloop.", "tool", "openinference"}) {
      if (attribute.key().rfind(prefix, 0) == 0) return false;
    }
    if (attribute.key().size() > 4096 || attribute.ByteSizeLong() > 100'000) return false;
  }
  for (const auto& event : span.events()) {
    if (event.name().rfind("gen_ai.", 0) == 0) return false;
  }
  return span.attributes_size() <= 512;
}

void Check(const otlp::ExportTraceRequest& message, const tocsin::ingest::DecodeOutcome& outcome) {
  size_t at = 0;
  int64_t rejected = 0;
  for (const auto& resource : message.resource_spans()) {
    for (const auto& scope : resource.scope_spans()) {
      for (const auto& span : scope.spans()) {
        if (!GoodId(span.trace_id(), 16) || !GoodId(span.span_id(), 8) ||
            !GoodParent(span.parent_span_id())) {
          ++rejected;
          continue;
        }
        if (outcome.reason.find("nested deeper") != std::string::npos) return;
        Require(at < outcome.batch.spans.size(), "no span is missing");
        const auto& row = outcome.batch.spans[at++];
        Require(row.trace_id == tocsin::HexEncode(span.trace_id()), "trace id");
        Require(row.span_id == tocsin::HexEncode(span.span_id()), "span id");
        Require(row.name == span.name() || span.name().size() > 4096, "name");
        if (!Plain(span)) continue;
        std::string expected;
        tocsin::fuzz::ExpectedMap(span.attributes(), expected);
        Require(row.attributes_json == expected, "attributes", row.attributes_json + "\n" + expected);
      }
    }
  }
  if (outcome.reason.find("nested deeper") != std::string::npos) return;
  Require(at == outcome.batch.spans.size(), "no span is made up");
  Require(outcome.rejected == rejected, "rejected are counted", outcome.reason);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tocsin::fuzz::Differential<otlp::ExportTraceRequest>(tocsin::ingest::SignalKind::kTraces,
                                                       {reinterpret_cast<const char*>(data), size}, Check);
  return 0;
}
