#include "ingest/internal/span_row.h"

#include <algorithm>

#include "ingest/internal/generation_reader.h"
#include "ingest/internal/message_log.h"
#include "kernel/id.h"

namespace tocsin::ingest::internal {
namespace {

constexpr std::string_view kDetailsEvent = "gen_ai.client.inference.operation.details";
constexpr std::string_view kEvaluationEvent = "gen_ai.evaluation.result";

const char* KindName(int64_t kind) {
  static constexpr const char* kNames[] = {"unspecified", "internal", "server",
                                           "client",      "producer", "consumer"};
  return kind >= 0 && kind <= 5 ? kNames[kind] : kNames[0];
}
const char* StatusName(int64_t status) { return status == 1 ? "ok" : (status == 2 ? "error" : "unset"); }

bool AllZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

void CheckId(std::string_view bytes, const char* name, size_t size) {
  if (bytes.size() != size) {
    throw ItemError{std::string(name) + " must be " + std::to_string(size) + " bytes, got " +
                    std::to_string(bytes.size())};
  }
  if (AllZero(bytes)) throw ItemError{std::string(name) + " must not be all zeros"};
}

void SetTimes(const RawSpan& raw, const Workbench& bench, signal::Span& row) {
  row.start = bench.SaneTime(raw.start);
  const Time end = bench.SaneTime(raw.end);
  if (!row.start.known()) row.start = end.known() ? end : bench.options.received;
  if (end > row.start) row.duration = end - row.start;
}

// What the events of a span say: messages, whole calls, verdicts.
struct SpanEvents {
  EventMessages messages;
  std::vector<const RawEvent*> evaluations;
  bool details = false;
};

SpanEvents ReadEvents(const RawSpan& raw, MessageReader& reader, AttributeKeys& keys,
                      std::vector<Node>& maps) {
  SpanEvents found;
  maps.reserve(raw.events.size());
  for (const RawEvent& event : raw.events) {
    if (!event.name.starts_with("gen_ai.")) continue;
    if (event.name == kEvaluationEvent) {
      found.evaluations.push_back(&event);
    } else if (event.name == kDetailsEvent || event.name.starts_with("gen_ai.content.")) {
      maps.push_back(event.attributes);  // shares the children, which carry the marks
      keys.Add(maps.back());
      found.details = true;
    } else {
      ReadMessageEvent(event.name, event.attributes, reader, found.messages);
    }
  }
  return found;
}

void AppendId(std::string& out, std::string_view bytes) {
  out += '"';
  out += IdText(bytes);
  out += '"';
}

void WriteEvents(const RawSpan& raw, uint8_t taken, bool messages_taken, Workbench& bench, std::string& out) {
  out = "[";
  for (const RawEvent& event : raw.events) {
    if (&event != raw.events.data()) out += ',';
    out += "{\"name\":";
    bench.writer.Text(out, event.name);
    out += ",\"time_ns\":" + std::to_string(bench.SaneTime(event.time).ns) + ",\"attributes\":";
    const bool moved = messages_taken && IsMessageEvent(event.name);
    bench.writer.Map(out, event.attributes, [&](const Node& n) {
      return (n.moved_by & taken) != 0 || (moved && IsMessageContent(n.key));
    });
    out += '}';
  }
  out += ']';
}

void WriteLinks(const RawSpan& raw, Workbench& bench, std::string& out) {
  out = "[";
  for (const RawLink& link : raw.links) {
    if (&link != raw.links.data()) out += ',';
    out += "{\"trace_id\":";
    AppendId(out, link.trace_id);
    out += ",\"span_id\":";
    AppendId(out, link.span_id);
    out += ",\"attributes\":";
    bench.writer.Map(out, link.attributes);
    out += '}';
  }
  out += ']';
}

}  // namespace

std::string IdText(std::string_view bytes) {
  if (bytes.size() > 64 || AllZero(bytes)) return {};
  return HexEncode(bytes);
}

void AddSpanRow(const RawSpan& raw, const ItemContext& context, Workbench& bench, signal::Batch& batch) {
  CheckId(raw.trace_id, "traceId", 16);
  CheckId(raw.span_id, "spanId", 8);
  if (!raw.parent_span_id.empty() && !AllZero(raw.parent_span_id))
    CheckId(raw.parent_span_id, "parentSpanId", 8);

  signal::Span row;
  row.trace_id = HexEncode(raw.trace_id);
  row.span_id = HexEncode(raw.span_id);
  row.parent_span_id = IdText(raw.parent_span_id);
  row.name = bench.Name(raw.name);
  row.service = context.service;
  row.kind = KindName(raw.kind);
  SetTimes(raw, bench, row);
  row.status = StatusName(raw.status);
  row.status_message = bench.Text(raw.status_message, bench.options.limits.max_attribute_bytes);
  row.scope = context.scope;
  row.resource_json = context.resource_json;

  GenerationReader reader(bench, context);
  AttributeKeys keys;
  Node attributes = raw.attributes;
  keys.Add(attributes);
  std::vector<Node> event_maps;
  SpanEvents events = ReadEvents(raw, reader.messages(), keys, event_maps);
  const Identity id{row.trace_id, row.span_id,  row.parent_span_id,
                    row.start,    row.duration, row.status == "error"};
  const bool has_messages = !events.messages.empty();
  const uint8_t taken = reader.AddSpanRecords(keys, id, std::move(events.messages), batch);
  for (const RawEvent* event : events.evaluations) {
    Node map = event->attributes;
    AttributeKeys evaluation;
    evaluation.Add(map);
    Identity of_event = id;
    if (const Time time = bench.SaneTime(event->time); time.known()) of_event.time = time;
    reader.AddEvaluation(evaluation, of_event, batch);
  }

  row.attributes_json.clear();
  bench.writer.Map(row.attributes_json, raw.attributes,
                   [&](const Node& n) { return (n.moved_by & taken) != 0; });
  if (!raw.events.empty()) {
    WriteEvents(raw, taken, has_messages && (taken & kByGeneration) != 0, bench, row.events_json);
  }
  if (!raw.links.empty()) WriteLinks(raw, bench, row.links_json);
  batch.spans.push_back(std::move(row));
}

void AddLogRow(const RawLog& raw, const ItemContext& context, Workbench& bench, MessageLog& messages,
               signal::Batch& batch) {
  signal::LogRecord row;
  row.time = bench.SaneTime(raw.time);
  row.observed_time = bench.SaneTime(raw.observed);
  if (!row.observed_time.known()) row.observed_time = bench.options.received;
  if (!row.time.known()) row.time = row.observed_time;
  row.severity = raw.severity >= 0 && raw.severity <= 24 ? raw.severity : 0;
  row.severity_text = bench.Name(raw.severity_text);
  const Node* named = raw.attributes.Find("event.name");
  const std::string_view event = raw.event_name.empty() && named != nullptr ? named->text : raw.event_name;
  row.event_name = bench.Name(event);
  row.body = bench.writer.Plain(raw.body, bench.options.limits.max_text_bytes);
  row.service = context.service;
  // An id of another length cannot join anything; the record itself is kept.
  if (raw.trace_id.size() == 16) row.trace_id = IdText(raw.trace_id);
  if (raw.span_id.size() == 8) row.span_id = IdText(raw.span_id);
  row.scope = context.scope;
  row.resource_json = context.resource_json;

  uint8_t taken = kStays;
  if (event.starts_with("gen_ai.")) {
    GenerationReader reader(bench, context);
    const Identity id{row.trace_id, row.span_id, "", row.time, {}, false};
    AttributeKeys keys;
    Node attributes = raw.attributes;
    keys.Add(attributes);
    if (event == kDetailsEvent) {
      reader.AddGeneration(keys, id, {}, batch);
      taken = kByGeneration;
    } else if (event == kEvaluationEvent) {
      reader.AddEvaluation(keys, id, batch);
    } else {
      messages.Add(event, raw, keys, id, context, reader.messages());
    }
  }
  row.attributes_json.clear();
  bench.writer.Map(row.attributes_json, raw.attributes,
                   [&](const Node& n) { return (n.moved_by & taken) != 0; });
  batch.logs.push_back(std::move(row));
}

}  // namespace tocsin::ingest::internal
