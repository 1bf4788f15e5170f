// What the OTLP fuzzers share: checks that hold for every Batch, and comparison with protobuf's own classes.
#pragma once

#include <google/protobuf/stubs/logging.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ingest/decoder.h"
#include "ingest/internal/json_writer.h"
#include "otlp.pb.h"

namespace tocsin::fuzz {

inline void Require(bool holds, const char* what, const std::string& more = "") {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n%s\n", what, more.c_str());
  std::abort();
}

// Redaction off: the oracle has none.
inline const ingest::DecodeOptions& PlainOptions() {
  static const ingest::DecodeOptions options = [] {
    google::protobuf::SetLogHandler(nullptr);  // it would tell of every text that is not UTF-8
    ingest::DecodeOptions o;
    o.redactor = *ingest::Redactor::Make({false, {}});
    return o;
  }();
  return options;
}

// Every stored text is UTF-8 and bounded, every JSON column is JSON.
void CheckBatch(const signal::Batch& batch, const Limits& limits);
// As ingest/internal/otlp_json_for_tests.h and batch_text_for_tests.h, compiled once for all fuzzers.
std::string AsJson(const google::protobuf::Message& message);
std::string AsText(const signal::Batch& batch);

// The oracle's own writing of attributes as JSON.
inline void ExpectedValue(const otlp::AnyValue& value, std::string& out);
template <class List>
void ExpectedMap(const List& list, std::string& out) {
  out += '{';
  for (int i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    ingest::internal::AppendJsonString(out, list[i].key());
    out += ':';
    if (ingest::IsCredentialKey(list[i].key()) &&
        list[i].value().value_case() != otlp::AnyValue::VALUE_NOT_SET) {
      ingest::internal::AppendJsonString(out, ingest::kCredentialMarker);
    } else {
      ExpectedValue(list[i].value(), out);
    }
  }
  out += '}';
}
inline void ExpectedValue(const otlp::AnyValue& value, std::string& out) {
  using ingest::internal::AppendJsonString;
  switch (value.value_case()) {
    case otlp::AnyValue::kStringValue:
      return AppendJsonString(out, value.string_value());
    case otlp::AnyValue::kBoolValue:
      out += value.bool_value() ? "true" : "false";
      return;
    case otlp::AnyValue::kIntValue:
      out += std::to_string(value.int_value());
      return;
    case otlp::AnyValue::kDoubleValue:
      return ingest::internal::AppendJsonDouble(out, value.double_value());
    case otlp::AnyValue::kBytesValue:
      return AppendJsonString(out, ingest::internal::Base64(value.bytes_value()));
    case otlp::AnyValue::kKvlistValue:
      return ExpectedMap(value.kvlist_value().values(), out);
    case otlp::AnyValue::kArrayValue:
      out += '[';
      for (int i = 0; i < value.array_value().values_size(); ++i) {
        if (i > 0) out += ',';
        ExpectedValue(value.array_value().values(i), out);
      }
      out += ']';
      return;
    case otlp::AnyValue::VALUE_NOT_SET:
      out += "null";
  }
}

// Wire types protozero refuses and protobuf skips: groups, and field numbers outside 1 to 2^29.
inline bool KnownDifference(std::string_view why) {
  return why.find("unknown pbf field type") != std::string_view::npos ||
         why.find("invalid tag") != std::string_view::npos;
}

// Decodes the bytes as protobuf and, when protobuf's own parser takes them, compares: `check(message,
// outcome)` sees both; then the same message as OTLP/JSON must give the same Batch.
template <class Message, class Check>
void Differential(ingest::SignalKind kind, std::string_view body, const Check& check) {
  using ingest::Encoding;
  const auto& options = PlainOptions();
  const auto binary = ingest::Decode(kind, body, Encoding::kProtobuf, options);
  if (binary) CheckBatch(binary->batch, options.limits);
  Message message;
  if (!message.ParseFromArray(body.data(), static_cast<int>(body.size()))) return;
  if (!binary) {
    Require(KnownDifference(binary.error().message()), "protobuf accepts it", binary.error().message());
    return;
  }
  // Only the first reasons are told; a known difference may be among the rest.
  if (KnownDifference(binary->reason) || binary->reason.find("; and ") != std::string::npos) return;
  Require(binary->reason.find("damaged") == std::string::npos, "no damage where protobuf sees none",
          binary->reason);
  check(message, *binary);
  const std::string json = AsJson(message);
  const auto from_json = ingest::Decode(kind, json, Encoding::kJson, options);
  if (!from_json && from_json.error().code() == Code::kOutOfRange)
    return;  // JSON counts depth in its own levels
  Require(from_json.has_value(), "the message as JSON is accepted", json);
  const std::string a = AsText(binary->batch);
  const std::string b = AsText(from_json->batch);
  Require(a == b, "both encodings give the same Batch", json + "\n" + a + "\n" + b);
  Require(binary->rejected == from_json->rejected, "both encodings reject the same", json);
}

}  // namespace tocsin::fuzz
