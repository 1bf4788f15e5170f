// Fields: every member of a stored signal with its column name, once. The journal's encoding, the telemetry
// store's tables and the JSON of the API are all made from this list, so that they cannot disagree.
//
// Order is part of the journal format and of the stored tables: append only, never reorder (docs/formats/).
#pragma once

#include <tuple>

#include "signal/batch.h"

namespace tocsin::signal {

template <class Record, class Member>
struct Field {
  const char* name;
  Member Record::* member;
};
template <class Record, class Member>
Field(const char*, Member Record::*) -> Field<Record, Member>;

// Specialised for each stored record: kTable (table name) and kFields (a tuple of Field).
template <class Record>
struct Schema;

template <>
struct Schema<Span> {
  static constexpr const char* kTable = "spans";
  static constexpr auto kFields = std::tuple{
      Field{"trace_id", &Span::trace_id},
      Field{"span_id", &Span::span_id},
      Field{"parent_span_id", &Span::parent_span_id},
      Field{"name", &Span::name},
      Field{"service", &Span::service},
      Field{"kind", &Span::kind},
      Field{"time_ns", &Span::start},
      Field{"duration_ns", &Span::duration},
      Field{"status", &Span::status},
      Field{"status_message", &Span::status_message},
      Field{"scope", &Span::scope},
      Field{"resource_json", &Span::resource_json},
      Field{"attributes_json", &Span::attributes_json},
      Field{"events_json", &Span::events_json},
      Field{"links_json", &Span::links_json},
  };
};

template <>
struct Schema<LogRecord> {
  static constexpr const char* kTable = "logs";
  static constexpr auto kFields = std::tuple{
      Field{"time_ns", &LogRecord::time},
      Field{"observed_time_ns", &LogRecord::observed_time},
      Field{"severity", &LogRecord::severity},
      Field{"severity_text", &LogRecord::severity_text},
      Field{"event_name", &LogRecord::event_name},
      Field{"body", &LogRecord::body},
      Field{"service", &LogRecord::service},
      Field{"trace_id", &LogRecord::trace_id},
      Field{"span_id", &LogRecord::span_id},
      Field{"scope", &LogRecord::scope},
      Field{"resource_json", &LogRecord::resource_json},
      Field{"attributes_json", &LogRecord::attributes_json},
      Field{"template_id", &LogRecord::template_id},
  };
};

template <>
struct Schema<LogTemplate> {
  static constexpr const char* kTable = "log_templates";
  static constexpr auto kFields = std::tuple{
      Field{"time_ns", &LogTemplate::time},
      Field{"template_id", &LogTemplate::template_id},
      Field{"service", &LogTemplate::service},
      Field{"text", &LogTemplate::text},
      Field{"severity", &LogTemplate::severity},
      Field{"first_seen_ns", &LogTemplate::first_seen},
      Field{"merged_into", &LogTemplate::merged_into},
  };
};

template <>
struct Schema<MetricPoint> {
  static constexpr const char* kTable = "metrics";
  static constexpr auto kFields = std::tuple{
      Field{"name", &MetricPoint::name},
      Field{"unit", &MetricPoint::unit},
      Field{"kind", &MetricPoint::kind},
      Field{"temporality", &MetricPoint::temporality},
      Field{"monotonic", &MetricPoint::monotonic},
      Field{"service", &MetricPoint::service},
      Field{"start_ns", &MetricPoint::start},
      Field{"time_ns", &MetricPoint::time},
      Field{"value", &MetricPoint::value},
      Field{"count", &MetricPoint::count},
      Field{"sum", &MetricPoint::sum},
      Field{"min", &MetricPoint::min},
      Field{"max", &MetricPoint::max},
      Field{"buckets_json", &MetricPoint::buckets_json},
      Field{"scope", &MetricPoint::scope},
      Field{"resource_json", &MetricPoint::resource_json},
      Field{"attributes_json", &MetricPoint::attributes_json},
      Field{"exemplars_json", &MetricPoint::exemplars_json},
  };
};

template <>
struct Schema<Generation> {
  static constexpr const char* kTable = "generations";
  static constexpr auto kFields = std::tuple{
      Field{"trace_id", &Generation::trace_id},
      Field{"span_id", &Generation::span_id},
      Field{"parent_span_id", &Generation::parent_span_id},
      Field{"response_id", &Generation::response_id},
      Field{"conversation_id", &Generation::conversation_id},
      Field{"time_ns", &Generation::time},
      Field{"duration_ns", &Generation::duration},
      Field{"service", &Generation::service},
      Field{"operation", &Generation::operation},
      Field{"agent", &Generation::agent},
      Field{"prompt_name", &Generation::prompt_name},
      Field{"prompt_version", &Generation::prompt_version},
      Field{"provider", &Generation::provider},
      Field{"request_model", &Generation::request_model},
      Field{"response_model", &Generation::response_model},
      Field{"system_fingerprint", &Generation::system_fingerprint},
      Field{"system", &Generation::system},
      Field{"input", &Generation::input},
      Field{"history", &Generation::history},
      Field{"output", &Generation::output},
      Field{"reasoning", &Generation::reasoning},
      Field{"finish_reason", &Generation::finish_reason},
      Field{"output_type", &Generation::output_type},
      Field{"error_type", &Generation::error_type},
      Field{"http_status", &Generation::http_status},
      Field{"input_tokens", &Generation::input_tokens},
      Field{"output_tokens", &Generation::output_tokens},
      Field{"max_tokens", &Generation::max_tokens},
      Field{"temperature", &Generation::temperature},
      Field{"top_p", &Generation::top_p},
      Field{"cost_usd", &Generation::cost_usd},
      Field{"time_to_first_chunk_s", &Generation::time_to_first_chunk_s},
      Field{"tool_schema_hash", &Generation::tool_schema_hash},
      Field{"user_id", &Generation::user_id},
      Field{"tenant", &Generation::tenant},
      Field{"locale", &Generation::locale},
      Field{"region", &Generation::region},
      Field{"host", &Generation::host},
      Field{"service_version", &Generation::service_version},
      Field{"environment", &Generation::environment},
      Field{"index_version", &Generation::index_version},
      Field{"tool_calls_json", &Generation::tool_calls},
      Field{"documents_json", &Generation::documents},
      Field{"attributes_json", &Generation::attributes},
  };
};

template <>
struct Schema<Retrieval> {
  static constexpr const char* kTable = "retrievals";
  static constexpr auto kFields = std::tuple{
      Field{"trace_id", &Retrieval::trace_id},
      Field{"span_id", &Retrieval::span_id},
      Field{"parent_span_id", &Retrieval::parent_span_id},
      Field{"conversation_id", &Retrieval::conversation_id},
      Field{"time_ns", &Retrieval::time},
      Field{"duration_ns", &Retrieval::duration},
      Field{"service", &Retrieval::service},
      Field{"data_source", &Retrieval::data_source},
      Field{"query", &Retrieval::query},
      Field{"query_embedding_model", &Retrieval::query_embedding_model},
      Field{"index_embedding_model", &Retrieval::index_embedding_model},
      Field{"index_version", &Retrieval::index_version},
      Field{"documents_json", &Retrieval::documents},
  };
};

template <>
struct Schema<ToolExecution> {
  static constexpr const char* kTable = "tool_executions";
  static constexpr auto kFields = std::tuple{
      Field{"trace_id", &ToolExecution::trace_id},
      Field{"span_id", &ToolExecution::span_id},
      Field{"parent_span_id", &ToolExecution::parent_span_id},
      Field{"conversation_id", &ToolExecution::conversation_id},
      Field{"time_ns", &ToolExecution::time},
      Field{"duration_ns", &ToolExecution::duration},
      Field{"service", &ToolExecution::service},
      Field{"call_id", &ToolExecution::call_id},
      Field{"name", &ToolExecution::name},
      Field{"arguments", &ToolExecution::arguments},
      Field{"result", &ToolExecution::result},
      Field{"failed", &ToolExecution::failed},
  };
};

template <>
struct Schema<Evaluation> {
  static constexpr const char* kTable = "evaluations";
  static constexpr auto kFields = std::tuple{
      Field{"time_ns", &Evaluation::time},
      Field{"trace_id", &Evaluation::trace_id},
      Field{"span_id", &Evaluation::span_id},
      Field{"response_id", &Evaluation::response_id},
      Field{"service", &Evaluation::service},
      Field{"name", &Evaluation::name},
      Field{"score", &Evaluation::score},
      Field{"label", &Evaluation::label},
      Field{"explanation", &Evaluation::explanation},
      Field{"evaluator", &Evaluation::evaluator},
  };
};

template <>
struct Schema<Feedback> {
  static constexpr const char* kTable = "feedbacks";
  static constexpr auto kFields = std::tuple{
      Field{"id", &Feedback::id},
      Field{"time_ns", &Feedback::time},
      Field{"trace_id", &Feedback::trace_id},
      Field{"span_id", &Feedback::span_id},
      Field{"response_id", &Feedback::response_id},
      Field{"conversation_id", &Feedback::conversation_id},
      Field{"service", &Feedback::service},
      Field{"score", &Feedback::score},
      Field{"label", &Feedback::label},
      Field{"comment", &Feedback::comment},
      Field{"user_id", &Feedback::user_id},
  };
};

template <>
struct Schema<Change> {
  static constexpr const char* kTable = "changes";
  static constexpr auto kFields = std::tuple{
      Field{"id", &Change::id},
      Field{"time_ns", &Change::time},
      Field{"kind", &Change::kind},
      Field{"service", &Change::service},
      Field{"subject", &Change::subject},
      Field{"summary", &Change::summary},
      Field{"before_text", &Change::before},
      Field{"after_text", &Change::after},
      Field{"source", &Change::source},
      Field{"link", &Change::link},
      Field{"attributes_json", &Change::attributes},
  };
};

// The columns' types, by member: string, Time, Duration, bool, int64_t, optional<int64_t>, optional<double>,
// vector<Document>, vector<ToolCall>, map<string, string>.

// Calls v(name, value) for each member in order; value is const or mutable as the record is.
template <class Record, class Visitor>
void VisitFields(Record& record, Visitor&& v) {
  std::apply([&](const auto&... f) { (v(f.name, record.*(f.member)), ...); },
             Schema<std::remove_const_t<Record>>::kFields);
}

// Calls v(vector<Record>&) for each kind of record in a batch, in journal order.
template <class B, class Visitor>
void VisitBatch(B& batch, Visitor&& v) {
  v(batch.spans);
  v(batch.logs);
  v(batch.metrics);
  v(batch.generations);
  v(batch.retrievals);
  v(batch.tool_executions);
  v(batch.evaluations);
  v(batch.feedbacks);
  v(batch.changes);
  v(batch.log_templates);
}

}  // namespace tocsin::signal
