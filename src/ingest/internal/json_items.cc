#include "ingest/internal/json_items.h"

namespace tocsin::ingest::internal {
namespace {

void ReadEvent(const JsonElement& element, RawEvent& event, BatchBuilder& builder) {
  event.attributes.kind = NodeKind::kMap;
  ForFields(element, "event", [&](std::string_view name, const JsonElement& v) {
    if (name == "timeUnixNano") event.time = JsonUint64(v, name);
    if (name == "name") event.name = JsonString(v, "event name");
    if (name == "attributes") ReadJsonAttributes(v, event.attributes, builder.item_arena(), builder);
  });
}

void ReadLink(const JsonElement& element, RawLink& link, BatchBuilder& builder) {
  link.attributes.kind = NodeKind::kMap;
  ForFields(element, "link", [&](std::string_view name, const JsonElement& v) {
    if (name == "traceId") link.trace_id = JsonId(v, "link traceId", builder.item_arena());
    if (name == "spanId") link.span_id = JsonId(v, "link spanId", builder.item_arena());
    if (name == "attributes") ReadJsonAttributes(v, link.attributes, builder.item_arena(), builder);
  });
}

void ReadStatus(const JsonElement& element, RawSpan& span) {
  ForFields(element, "status", [&](std::string_view name, const JsonElement& v) {
    if (name == "message") span.status_message = JsonString(v, "status message");
    if (name == "code") span.status = JsonEnum(v, "status code", "STATUS_CODE_", {"UNSET", "OK", "ERROR"});
  });
}

// The members of a span that hold objects.
void ReadSpanPart(std::string_view name, const JsonElement& v, RawSpan& span, BatchBuilder& builder) {
  if (name == "attributes") {
    ReadJsonAttributes(v, span.attributes, builder.item_arena(), builder);
  } else if (name == "events") {
    ForElements(v, name, [&](const JsonElement& e) {
      if (span.events.size() >= builder.limits().max_attributes) return builder.CountDroppedAttribute();
      ReadEvent(e, span.events.emplace_back(), builder);
    });
  } else if (name == "links") {
    ForElements(v, name, [&](const JsonElement& e) {
      if (span.links.size() >= builder.limits().max_attributes) return builder.CountDroppedAttribute();
      ReadLink(e, span.links.emplace_back(), builder);
    });
  } else if (name == "status") {
    ReadStatus(v, span);
  }
}

}  // namespace

void ReadJsonSpan(const JsonElement& element, RawSpan& span, BatchBuilder& builder) {
  span.attributes.kind = NodeKind::kMap;
  ForFields(element, "span", [&](std::string_view name, const JsonElement& v) {
    if (name == "traceId") {
      span.trace_id = JsonId(v, name, builder.item_arena());
    } else if (name == "spanId") {
      span.span_id = JsonId(v, name, builder.item_arena());
    } else if (name == "parentSpanId") {
      span.parent_span_id = JsonId(v, name, builder.item_arena());
    } else if (name == "name") {
      span.name = JsonString(v, name);
    } else if (name == "kind") {
      span.kind = JsonEnum(v, name, "SPAN_KIND_",
                           {"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"});
    } else if (name == "startTimeUnixNano") {
      span.start = JsonUint64(v, name);
    } else if (name == "endTimeUnixNano") {
      span.end = JsonUint64(v, name);
    } else {
      ReadSpanPart(name, v, span, builder);
    }
  });
}

void ReadJsonLog(const JsonElement& element, RawLog& log, BatchBuilder& builder) {
  log.attributes.kind = NodeKind::kMap;
  ForFields(element, "log record", [&](std::string_view name, const JsonElement& v) {
    if (name == "timeUnixNano") {
      log.time = JsonUint64(v, name);
    } else if (name == "observedTimeUnixNano") {
      log.observed = JsonUint64(v, name);
    } else if (name == "severityNumber") {
      log.severity = JsonEnum(
          v, name, "SEVERITY_NUMBER_",
          {"UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2", "DEBUG3", "DEBUG4",
           "INFO",        "INFO2",  "INFO3",  "INFO4",  "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
           "ERROR2",      "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4"});
    } else if (name == "severityText") {
      log.severity_text = JsonString(v, name);
    } else if (name == "eventName") {
      log.event_name = JsonString(v, name);
    } else if (name == "body") {
      ReadJsonValue(v, log.body, builder.item_arena(), builder.limits(), 1);
    } else if (name == "attributes") {
      ReadJsonAttributes(v, log.attributes, builder.item_arena(), builder);
    } else if (name == "traceId") {
      log.trace_id = JsonId(v, name, builder.item_arena());
    } else if (name == "spanId") {
      log.span_id = JsonId(v, name, builder.item_arena());
    }
  });
}

}  // namespace tocsin::ingest::internal
