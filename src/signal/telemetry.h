// Span, LogRecord, MetricPoint: one row each of the three OTLP signals, as stored; LogTemplate: what kinds of
// log line there are.
//
// Value types, no behaviour. Ids are lower-case hex ("" = absent). Times are nanoseconds since the epoch.
// *_json members hold one JSON text, object or array, never empty ("{}" or "[]" when there is nothing): the
// columns a query filters on are typed members, everything else stays readable as JSON.
// Content of LLM calls (prompts, answers, documents) is moved from attributes_json to Generation and its
// neighbours (generation.h), so that no text is stored twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/time.h"

namespace tocsin::signal {

struct Span {
  std::string trace_id;        // 32 hex digits
  std::string span_id;         // 16 hex digits
  std::string parent_span_id;  // 16 hex digits or ""
  std::string name;
  std::string service;  // resource attribute service.name, "unknown_service" when absent
  std::string kind;     // unspecified, internal, server, client, producer, consumer
  Time start;
  Duration duration;
  std::string status;  // unset, ok, error
  std::string status_message;
  std::string scope;
  std::string resource_json = "{}";
  std::string attributes_json = "{}";
  std::string events_json = "[]";  // [{name, time_ns, attributes}]
  std::string links_json = "[]";   // [{trace_id, span_id, attributes}]
};

struct LogRecord {
  Time time;  // observed time when the record has none of its own
  Time observed_time;
  int64_t severity = 0;  // OTLP severity number, 0 = unspecified
  std::string severity_text;
  std::string event_name;
  std::string body;  // text, or JSON of a structured body
  std::string service;
  std::string trace_id;
  std::string span_id;
  std::string scope;
  std::string resource_json = "{}";
  std::string attributes_json = "{}";
  std::string template_id;  // 16 hex digits: the LogTemplate the body was made from; "" = not mined
};

// The shape of a kind of log line: its constant words, with <*> where lines differ. A template is written
// when it is first seen in a service, when its text or severity widens, when it merges into another, and at
// least once a day while lines of it arrive; of the rows of one (template_id, service) the last one holds.
struct LogTemplate {
  Time time;                // when this row was made, by the receiver's clock
  std::string template_id;  // 16 hex digits, kept for as long as the template lives
  std::string service;
  std::string text;         // "Connection from <*> closed"
  int64_t severity = 0;     // the highest OTLP severity number of a line of it, 0 = unspecified
  Time first_seen;          // time of the first line of it in this service
  std::string merged_into;  // the template that lines of this one now belong to; "" = itself
};

struct MetricPoint {
  std::string name;
  std::string unit;
  std::string kind;         // gauge, sum, histogram, exponential_histogram, summary
  std::string temporality;  // "", delta, cumulative
  bool monotonic = false;
  std::string service;
  Time start;
  Time time;
  std::optional<double> value;   // gauge and sum
  std::optional<int64_t> count;  // histograms and summary
  std::optional<double> sum;
  std::optional<double> min;
  std::optional<double> max;
  std::string buckets_json =
      "{}";  // {bounds, counts} | {scale, zero_count, positive, negative} | {quantiles}
  std::string scope;
  std::string resource_json = "{}";
  std::string attributes_json = "{}";
  std::string exemplars_json = "[]";
};

}  // namespace tocsin::signal
