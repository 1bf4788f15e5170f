// For tests only: OTLP requests built a few attributes at a time, decoded in both encodings.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ingest/decoder.h"
#include "ingest/internal/batch_text_for_tests.h"
#include "ingest/internal/otlp_json_for_tests.h"
#include "otlp.pb.h"

namespace tocsin::ingest {

inline constexpr int64_t kNoon = 1'764'000'000'000'000'000;  // a day in November 2025
using Attribute = std::pair<std::string, std::variant<std::string, int64_t, double, bool>>;
using Attributes = std::vector<Attribute>;

template <class Item>
void AddAll(Item& item, const Attributes& attributes) {
  for (const auto& [key, value] : attributes) {
    auto* added = item.add_attributes();
    added->set_key(key);
    auto* v = added->mutable_value();
    if (const auto* text = std::get_if<std::string>(&value)) v->set_string_value(*text);
    if (const auto* whole = std::get_if<int64_t>(&value)) v->set_int_value(*whole);
    if (const auto* real = std::get_if<double>(&value)) v->set_double_value(*real);
    if (const auto* flag = std::get_if<bool>(&value)) v->set_bool_value(*flag);
  }
}

class TraceRequest {
 public:
  TraceRequest() {
    auto* resource = message.add_resource_spans();
    AddAll(*resource->mutable_resource(), {{"service.name", std::string("support")}});
    scope_ = resource->add_scope_spans();
    scope_->mutable_scope()->set_name("tests");
  }
  otlp::Span& Add(const Attributes& attributes, const std::string& name = "span") {
    auto* span = scope_->add_spans();
    const auto n = static_cast<char>(scope_->spans_size());
    span->set_trace_id(std::string(15, '\x11') + n);
    span->set_span_id(std::string(7, '\x22') + n);
    span->set_name(name);
    span->set_kind(3);
    span->set_start_time_unix_nano(kNoon);
    span->set_end_time_unix_nano(kNoon + 2'000'000'000);
    AddAll(*span, attributes);
    return *span;
  }
  otlp::ExportTraceRequest message;

 private:
  otlp::ScopeSpans* scope_;
};

// Decodes both encodings, expects the same of both, returns the one.
inline DecodeOutcome DecodeBoth(SignalKind kind, const google::protobuf::Message& message,
                                const DecodeOptions& options = {}) {
  const auto binary = Decode(kind, message.SerializeAsString(), Encoding::kProtobuf, options);
  const auto json = Decode(kind, internal::OtlpJson(message), Encoding::kJson, options);
  const auto snake = Decode(kind, internal::OtlpJson(message, true), Encoding::kJson, options);
  EXPECT_TRUE(binary.has_value() && json.has_value() && snake.has_value());
  if (!binary || !json || !snake) return {};
  EXPECT_EQ(internal::BatchText(binary->batch), internal::BatchText(json->batch));
  EXPECT_EQ(internal::BatchText(binary->batch), internal::BatchText(snake->batch));
  EXPECT_EQ(binary->rejected, json->rejected);
  EXPECT_EQ(binary->reason, json->reason);
  return *binary;
}
inline DecodeOutcome DecodeBoth(const TraceRequest& request, const DecodeOptions& options = {}) {
  return DecodeBoth(SignalKind::kTraces, request.message, options);
}

}  // namespace tocsin::ingest
