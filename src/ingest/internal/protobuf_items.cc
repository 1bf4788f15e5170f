#include "ingest/internal/protobuf_items.h"

#include "ingest/internal/protobuf_value.h"

namespace tocsin::ingest::internal {
namespace {

using protozero::pbf_reader;

void ReadEvent(pbf_reader message, RawEvent& event, BatchBuilder& builder) {
  event.attributes.kind = NodeKind::kMap;
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Fixed64(1):
        event.time = message.get_fixed64();
        break;
      case Bytes(2):
        event.name = View(message);
        break;
      case Bytes(3):
        ReadAttribute(message.get_message(), event.attributes, builder.item_arena(), builder);
        break;
      default:
        message.skip();
    }
  }
}

void ReadLink(pbf_reader message, RawLink& link, BatchBuilder& builder) {
  link.attributes.kind = NodeKind::kMap;
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Bytes(1):
        link.trace_id = View(message);
        break;
      case Bytes(2):
        link.span_id = View(message);
        break;
      case Bytes(4):
        ReadAttribute(message.get_message(), link.attributes, builder.item_arena(), builder);
        break;
      default:
        message.skip();
    }
  }
}

void ReadStatus(pbf_reader message, RawSpan& span) {
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    if (tag == Bytes(2)) {
      span.status_message = View(message);
    } else if (tag == Varint(3)) {
      span.status = AsInt32(message.get_uint64());
    } else {
      message.skip();
    }
  }
}

// The members of a span that hold messages. False when the field is none of them.
bool ReadSpanPart(pbf_reader& message, uint32_t tag, RawSpan& span, BatchBuilder& builder) {
  switch (tag) {
    case Bytes(9):
      ReadAttribute(message.get_message(), span.attributes, builder.item_arena(), builder);
      return true;
    case Bytes(11):
      if (span.events.size() >= builder.limits().max_attributes) {
        builder.CountDroppedAttribute();
        message.skip();
        return true;
      }
      ReadEvent(message.get_message(), span.events.emplace_back(), builder);
      return true;
    case Bytes(13):
      if (span.links.size() >= builder.limits().max_attributes) {
        builder.CountDroppedAttribute();
        message.skip();
        return true;
      }
      ReadLink(message.get_message(), span.links.emplace_back(), builder);
      return true;
    case Bytes(15):
      ReadStatus(message.get_message(), span);
      return true;
    default:
      return false;
  }
}

}  // namespace

void ReadSpan(pbf_reader message, RawSpan& span, BatchBuilder& builder) {
  span.attributes.kind = NodeKind::kMap;
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Bytes(1):
        span.trace_id = View(message);
        break;
      case Bytes(2):
        span.span_id = View(message);
        break;
      case Bytes(4):
        span.parent_span_id = View(message);
        break;
      case Bytes(5):
        span.name = View(message);
        break;
      case Varint(6):
        span.kind = AsInt32(message.get_uint64());
        break;
      case Fixed64(7):
        span.start = message.get_fixed64();
        break;
      case Fixed64(8):
        span.end = message.get_fixed64();
        break;
      default:
        if (!ReadSpanPart(message, tag, span, builder)) message.skip();
    }
  }
}

void ReadLog(pbf_reader message, RawLog& log, BatchBuilder& builder) {
  log.attributes.kind = NodeKind::kMap;
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Fixed64(1):
        log.time = message.get_fixed64();
        break;
      case Varint(2):
        log.severity = AsInt32(message.get_uint64());
        break;
      case Bytes(3):
        log.severity_text = View(message);
        break;
      case Bytes(5):
        ReadAnyValue(message.get_message(), log.body, builder.item_arena(), builder.limits(), 1);
        break;
      case Bytes(6):
        ReadAttribute(message.get_message(), log.attributes, builder.item_arena(), builder);
        break;
      case Bytes(9):
        log.trace_id = View(message);
        break;
      case Bytes(10):
        log.span_id = View(message);
        break;
      case Fixed64(11):
        log.observed = message.get_fixed64();
        break;
      case Bytes(12):
        log.event_name = View(message);
        break;
      default:
        message.skip();
    }
  }
}

void ReadExemplar(pbf_reader message, RawExemplar& exemplar, BatchBuilder& builder) {
  exemplar.attributes.kind = NodeKind::kMap;
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Fixed64(2):
        exemplar.time = message.get_fixed64();
        break;
      case Fixed64(3):
        exemplar.as_double = message.get_double();
        exemplar.as_int.reset();
        break;
      case Bytes(4):
        exemplar.span_id = View(message);
        break;
      case Bytes(5):
        exemplar.trace_id = View(message);
        break;
      case Fixed64(6):
        exemplar.as_int = message.get_sfixed64();
        exemplar.as_double.reset();
        break;
      case Bytes(7):
        ReadAttribute(message.get_message(), exemplar.attributes, builder.item_arena(), builder);
        break;
      default:
        message.skip();
    }
  }
}

}  // namespace tocsin::ingest::internal
