#include "surface/replay/otlp_encoder.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "kernel/id.h"

namespace tocsin::surface {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kClient = 3;
constexpr int kInternal = 1;

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string Bytes(uint64_t value) {
  std::string out(8, '\0');
  for (int i = 7; i >= 0; --i, value >>= 8) out[static_cast<size_t>(i)] = static_cast<char>(value & 0xff);
  return out;
}

std::string SpanId(std::string_view run_key, uint64_t index, uint64_t part) {
  return Bytes(StableHash(fmt::format("{}/{}/{}", run_key, index, part), 3) | 1);
}

void Text(otlp::Span& span, const char* key, const std::string& value) {
  if (value.empty()) return;
  auto* attribute = span.add_attributes();
  attribute->set_key(key);
  attribute->mutable_value()->set_string_value(value);
}
template <class Number>
void Add(otlp::Span& span, const char* key, const std::optional<Number>& value) {
  if (!value) return;
  auto* attribute = span.add_attributes();
  attribute->set_key(key);
  if constexpr (std::is_integral_v<Number>)
    attribute->mutable_value()->set_int_value(*value);
  else
    attribute->mutable_value()->set_double_value(*value);
}

Json TextPart(const std::string& text) { return {{"type", "text"}, {"content", text}}; }

std::string InputMessages(const RecordedAnswer& answer) {
  return Dump(Json::array({{{"role", "user"}, {"parts", Json::array({TextPart(answer.prompt)})}}}));
}

Json Arguments(const std::string& text) {
  Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json(text) : parsed;
}

std::string OutputMessages(const RecordedAnswer& answer) {
  Json parts = Json::array();
  if (!answer.output.empty()) parts.push_back(TextPart(answer.output));
  for (const signal::ToolCall& call : answer.tool_calls) {
    parts.push_back({{"type", "tool_call"},
                     {"id", call.id},
                     {"name", call.name},
                     {"arguments", Arguments(call.arguments)}});
  }
  return Dump(Json::array({{{"role", "assistant"}, {"parts", parts}, {"finish_reason", "stop"}}}));
}

struct Frame {
  std::string trace_id;
  std::string parent;
  int64_t start_ns = 0;
  int64_t end_ns = 0;
};

void Place(otlp::Span& span, const Frame& frame, std::string span_id, int kind) {
  span.set_trace_id(frame.trace_id);
  span.set_span_id(std::move(span_id));
  span.set_parent_span_id(frame.parent);
  span.set_kind(kind);
  span.set_start_time_unix_nano(static_cast<uint64_t>(frame.start_ns));
  span.set_end_time_unix_nano(static_cast<uint64_t>(frame.end_ns));
}

void EncodeCall(otlp::Span& span, const RecordedAnswer& answer) {
  span.set_name(answer.model.empty() ? "chat" : fmt::format("chat {}", answer.model));
  Text(span, "gen_ai.operation.name", "chat");
  Text(span, "gen_ai.request.model", answer.model);
  Text(span, "gen_ai.response.model", answer.reported_model);
  Text(span, "gen_ai.conversation.id", answer.conversation_id);
  Text(span, "gen_ai.prompt.name", answer.prompt_name);
  Text(span, "tocsin.prompt.version", answer.prompt_version);
  if (!answer.system.empty()) {
    Text(span, "gen_ai.system_instructions", Dump(Json::array({TextPart(answer.system)})));
  }
  Text(span, "gen_ai.input.messages", InputMessages(answer));
  Text(span, "gen_ai.output.messages", OutputMessages(answer));
  Add(span, "gen_ai.request.temperature", answer.temperature);
  Add(span, "gen_ai.usage.input_tokens", answer.input_tokens);
  Add(span, "gen_ai.usage.output_tokens", answer.output_tokens);
  Add(span, "gen_ai.usage.cost", answer.cost_usd);
  for (const auto& [key, value] : answer.attributes) Text(span, key.c_str(), value);
  if (!answer.error_type.empty()) {
    Text(span, "error.type", answer.error_type);
    span.mutable_status()->set_code(2);
  }
}

void EncodeRetrieval(otlp::Span& span, const RecordedAnswer& answer) {
  span.set_name("retrieval");
  Text(span, "gen_ai.operation.name", "retrieval");
  Text(span, "gen_ai.conversation.id", answer.conversation_id);
  Text(span, "gen_ai.retrieval.query.text", answer.prompt);
  Json documents = Json::array();
  for (const signal::Document& document : answer.documents) {
    Json item = {{"id", document.id}, {"content", document.text}};
    if (document.score) item["score"] = *document.score;
    documents.push_back(std::move(item));
  }
  Text(span, "gen_ai.retrieval.documents", Dump(documents));
}

void EncodeTool(otlp::Span& span, const RecordedAnswer& answer, const signal::ToolCall& call) {
  span.set_name(fmt::format("execute_tool {}", call.name));
  Text(span, "gen_ai.operation.name", "execute_tool");
  Text(span, "gen_ai.conversation.id", answer.conversation_id);
  Text(span, "gen_ai.tool.name", call.name);
  Text(span, "gen_ai.tool.call.id", call.id);
  Text(span, "gen_ai.tool.call.arguments", call.arguments);
  Text(span, "gen_ai.tool.call.result", call.result);
  if (call.failed) span.mutable_status()->set_code(2);
}

void EncodeAnswer(otlp::ScopeSpans& scope, const PlannedAnswer& planned, std::string_view run_key, Time now) {
  const RecordedAnswer& answer = planned.answer;
  const Time time = planned.time.known() ? planned.time : now;
  const AnswerIds ids = IdsOf(run_key, planned.index);
  const auto took = static_cast<int64_t>(std::clamp(answer.latency_s.value_or(1.0), 0.0, 86'400.0) * 1e9);
  const bool has_neighbours = !answer.documents.empty() || !answer.tool_calls.empty();
  Frame frame{ids.trace_id, has_neighbours ? SpanId(run_key, planned.index, 1) : "", time.ns, time.ns + took};
  uint64_t part = 2;
  if (!answer.documents.empty()) {
    otlp::Span& span = *scope.add_spans();
    Place(span, frame, SpanId(run_key, planned.index, part++), kClient);
    EncodeRetrieval(span, answer);
  }
  for (const signal::ToolCall& call : answer.tool_calls) {
    if (!call.executed) continue;
    otlp::Span& span = *scope.add_spans();
    Place(span, frame, SpanId(run_key, planned.index, part++), kInternal);
    EncodeTool(span, answer, call);
  }
  otlp::Span& span = *scope.add_spans();
  Place(span, frame, ids.span_id, kClient);
  EncodeCall(span, answer);
}

Json ValueJson(const otlp::AnyValue& value) {
  if (value.has_int_value()) return {{"intValue", std::to_string(value.int_value())}};
  if (value.has_double_value()) return {{"doubleValue", value.double_value()}};
  if (value.has_bool_value()) return {{"boolValue", value.bool_value()}};
  return {{"stringValue", value.string_value()}};
}

template <class List>
Json AttributesJson(const List& attributes) {
  Json list = Json::array();
  for (const auto& attribute : attributes) {
    list.push_back({{"key", attribute.key()}, {"value", ValueJson(attribute.value())}});
  }
  return list;
}

Json SpanJson(const otlp::Span& span) {
  Json json = {{"traceId", HexEncode(span.trace_id())},
               {"spanId", HexEncode(span.span_id())},
               {"name", span.name()},
               {"kind", span.kind()},
               {"startTimeUnixNano", std::to_string(span.start_time_unix_nano())},
               {"endTimeUnixNano", std::to_string(span.end_time_unix_nano())},
               {"attributes", AttributesJson(span.attributes())}};
  if (!span.parent_span_id().empty()) json["parentSpanId"] = HexEncode(span.parent_span_id());
  if (span.status().code() != 0) json["status"] = {{"code", span.status().code()}};
  return json;
}

}  // namespace

AnswerIds IdsOf(std::string_view run_key, uint64_t index) {
  const std::string key = fmt::format("{}/{}", run_key, index);
  return {Bytes(StableHash(key, 1) | 1) + Bytes(StableHash(key, 2)), SpanId(run_key, index, 0)};
}

otlp::ExportTraceRequest EncodeAnswers(std::span<const PlannedAnswer> answers, std::string_view run_key,
                                       Time now) {
  otlp::ExportTraceRequest request;
  std::map<std::string, otlp::ScopeSpans*> by_service;
  for (const PlannedAnswer& planned : answers) {
    otlp::ScopeSpans*& scope = by_service[planned.answer.service];
    if (scope == nullptr) {
      otlp::ResourceSpans& resource = *request.add_resource_spans();
      auto* name = resource.mutable_resource()->add_attributes();
      name->set_key("service.name");
      name->mutable_value()->set_string_value(planned.answer.service);
      scope = resource.add_scope_spans();
      scope->mutable_scope()->set_name("tocsin.replay");
    }
    EncodeAnswer(*scope, planned, run_key, now);
  }
  return request;
}

std::string ToOtlpJson(const otlp::ExportTraceRequest& request) {
  Json resources = Json::array();
  for (const otlp::ResourceSpans& resource : request.resource_spans()) {
    Json scopes = Json::array();
    for (const otlp::ScopeSpans& scope : resource.scope_spans()) {
      Json spans = Json::array();
      for (const otlp::Span& span : scope.spans()) spans.push_back(SpanJson(span));
      scopes.push_back({{"scope", {{"name", scope.scope().name()}}}, {"spans", std::move(spans)}});
    }
    resources.push_back({{"resource", {{"attributes", AttributesJson(resource.resource().attributes())}}},
                         {"scopeSpans", std::move(scopes)}});
  }
  return Dump({{"resourceSpans", std::move(resources)}});
}

}  // namespace tocsin::surface
