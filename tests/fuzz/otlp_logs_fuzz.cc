// Log records in protobuf against protobuf's own parser, and against the same request in JSON.
#include "oracle.h"

namespace {

using tocsin::fuzz::Require;
namespace otlp = tocsin::otlp;

void Check(const otlp::ExportLogsRequest& message, const tocsin::ingest::DecodeOutcome& outcome) {
  if (outcome.reason.find("nested deeper") != std::string::npos) return;
  size_t at = 0;
  for (const auto& resource : message.resource_logs()) {
    for (const auto& scope : resource.scope_logs()) {
      for (const auto& log : scope.log_records()) {
        Require(at < outcome.batch.logs.size(), "no record is missing");
        const auto& row = outcome.batch.logs[at++];
        Require(row.severity_text == log.severity_text() || log.severity_text().size() > 4096,
                "severity text");
        const bool plain = log.ByteSizeLong() < 100'000 && log.attributes_size() <= 512;
        if (plain && log.body().value_case() == otlp::AnyValue::kStringValue) {
          Require(row.body == log.body().string_value(), "body");
        }
        if (!plain || row.event_name.rfind("gen_ai.", 0) == 0) continue;
        std::string expected;
        tocsin::fuzz::ExpectedMap(log.attributes(), expected);
        Require(row.attributes_json == expected, "attributes", row.attributes_json + "\n" + expected);
      }
    }
  }
  Require(at == outcome.batch.logs.size(), "no record is made up");
  Require(outcome.rejected == 0, "nothing is rejected", outcome.reason);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tocsin::fuzz::Differential<otlp::ExportLogsRequest>(tocsin::ingest::SignalKind::kLogs,
                                                      {reinterpret_cast<const char*>(data), size}, Check);
  return 0;
}
