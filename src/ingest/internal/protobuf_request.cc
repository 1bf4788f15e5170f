#include "ingest/internal/protobuf_request.h"

#include <protozero/exception.hpp>

#include "ingest/internal/protobuf_items.h"
#include "ingest/internal/protobuf_value.h"

namespace tocsin::ingest::internal {
namespace {

using protozero::pbf_reader;

// Runs one item's decoding; what it throws rejects that item.
template <class Decode>
void TakeItem(BatchBuilder& builder, const Decode& decode) {
  try {
    decode();
  } catch (const ItemError& error) {
    builder.Reject(error.why);
  } catch (const protozero::exception& error) {
    builder.Reject(std::string("damaged protobuf: ") + error.what());
  }
}

class RequestReader {
 public:
  RequestReader(SignalKind kind, BatchBuilder& builder) : kind_(kind), builder_(builder) {}

  void Read(pbf_reader request) {
    uint32_t tag = 0;
    while (NextField(request, tag)) {
      if (tag != Bytes(1)) {
        request.skip();
        continue;
      }
      ++builder_.place.resource;
      builder_.place.scope = builder_.place.item = -1;
      const pbf_reader resource = request.get_message();
      TakeItem(builder_, [&] { ReadResource(resource); });
    }
  }

 private:
  void ReadResource(const pbf_reader& message) {
    builder_.context_arena().Reset();
    Node attributes;
    attributes.kind = NodeKind::kMap;
    uint32_t tag = 0;
    for (pbf_reader m = message; NextField(m, tag);) {
      if (tag == Bytes(1)) {
        ReadAttributes(m.get_message(), attributes);
      } else {
        m.skip();
      }
    }
    builder_.BeginResource(attributes);
    for (pbf_reader m = message; NextField(m, tag);) {
      if (tag != Bytes(2)) {
        m.skip();
        continue;
      }
      ++builder_.place.scope;
      builder_.place.item = -1;
      const pbf_reader scope = m.get_message();
      TakeItem(builder_, [&] { ReadScope(scope); });
    }
  }

  void ReadAttributes(pbf_reader resource, Node& attributes) {
    uint32_t tag = 0;
    while (NextField(resource, tag)) {
      if (tag == Bytes(1)) {
        ReadAttribute(resource.get_message(), attributes, builder_.context_arena(), builder_);
      } else {
        resource.skip();
      }
    }
  }

  void ReadScope(const pbf_reader& message) {
    std::string_view name;
    uint32_t tag = 0;
    for (pbf_reader m = message; NextField(m, tag);) {
      if (tag == Bytes(1)) {
        pbf_reader scope = m.get_message();
        while (NextField(scope, tag)) {
          if (tag == Bytes(1)) {
            name = View(scope);
          } else {
            scope.skip();
          }
        }
      } else {
        m.skip();
      }
    }
    builder_.BeginScope(name);
    for (pbf_reader m = message; NextField(m, tag);) {
      if (tag != Bytes(2)) {
        m.skip();
        continue;
      }
      ++builder_.place.item;
      builder_.place.point = -1;
      const pbf_reader item = m.get_message();
      TakeItem(builder_, [&] { ReadItem(item); });
    }
  }

  void ReadItem(const pbf_reader& message) {
    if (kind_ == SignalKind::kMetrics) {
      ReadMetric(message, builder_);
      return;
    }
    if (!builder_.BeginItem()) return;
    if (kind_ == SignalKind::kTraces) {
      span_.Clear();
      ReadSpan(message, span_, builder_);
      builder_.AddSpan(span_);
    } else {
      log_ = RawLog{};
      ReadLog(message, log_, builder_);
      builder_.AddLog(log_);
    }
  }

  SignalKind kind_;
  BatchBuilder& builder_;
  RawSpan span_;
  RawLog log_;
};

}  // namespace

Status ReadProtobufRequest(SignalKind kind, std::string_view body, BatchBuilder& builder) {
  pbf_reader request(body.data(), body.size());
  // The outermost frame first: a request cut short is refused whole, so that it is sent again whole.
  pbf_reader frame = request;
  try {
    while (frame.next()) frame.skip();
  } catch (const protozero::exception& error) {
    const auto left = static_cast<size_t>(frame.data().size());
    return Status(Code::kInvalidArgument, "body is not an OTLP protobuf request: damaged near byte " +
                                              std::to_string(body.size() - left) + ": " + error.what());
  }
  RequestReader(kind, builder).Read(request);
  return {};
}

}  // namespace tocsin::ingest::internal
