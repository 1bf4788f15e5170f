#include "oracle.h"

#include <simdjson.h>

#include "ingest/internal/batch_text_for_tests.h"
#include "ingest/internal/otlp_json_for_tests.h"
#include "signal/fields.h"

namespace tocsin::fuzz {
namespace {

void CheckText(const char* name, const std::string& text, const Limits& limits) {
  Require(simdjson::validate_utf8(text), "stored text is UTF-8", name);
  const std::string_view column(name);
  if (!column.ends_with("_json")) {
    Require(text.size() <= limits.max_text_bytes, "stored text is bounded", name);
    return;
  }
  static simdjson::dom::parser parser;
  Require(parser.parse(text).error() == simdjson::SUCCESS, "JSON columns are JSON", name + (": " + text));
}

}  // namespace

void CheckBatch(const signal::Batch& batch, const Limits& limits) {
  signal::VisitBatch(batch, [&](const auto& records) {
    for (const auto& record : records) {
      signal::VisitFields(record, [&](const char* name, const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
          CheckText(name, value, limits);
      });
    }
  });
}

std::string AsJson(const google::protobuf::Message& message) { return ingest::internal::OtlpJson(message); }
std::string AsText(const signal::Batch& batch) { return ingest::internal::BatchText(batch); }

}  // namespace tocsin::fuzz
