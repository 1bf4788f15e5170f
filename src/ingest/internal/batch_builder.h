// BatchBuilder: takes raw items one by one and makes the rows of a Batch: ids, times and texts made sane,
// attributes written as JSON, conventions normalised. Both encodings end here, so they cannot disagree.
//
// An item that cannot be stored throws ItemError from the decoder or is refused here; either way it is
// counted by Reject with its place and the next item is taken. Ownership: borrows the options; owns the batch
// until Finish. Thread-safety: none; one request.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "ingest/internal/json_text.h"
#include "ingest/internal/json_writer.h"
#include "ingest/internal/node.h"
#include "ingest/internal/raw_item.h"
#include "ingest/internal/text_cleaner.h"

namespace tocsin::ingest::internal {

// Why one item cannot be taken. Thrown inside a decoder only, never across Decode.
struct ItemError {
  std::string why;
};

// resourceSpans[i].scopeSpans[j].spans[k]
struct Place {
  int64_t resource = -1, scope = -1, item = -1, point = -1;
};

// What the resource and scope of the current items say, worked out once for all of them.
struct ItemContext {
  std::string service, scope, resource_json = "{}";
  std::string service_version, environment, region, host, tenant;
};

// Shared tools of the normalisers.
struct Workbench {
  Workbench(const DecodeOptions& o, const Redactor& redactor)
      : options(o), cleaner(redactor), writer(cleaner, o.limits) {}
  const DecodeOptions& options;
  TextCleaner cleaner;
  JsonWriter writer;
  Arena arena;                            // nodes of the current item
  Arena context_arena;                    // nodes of the current resource
  JsonText json;                          // JSON inside attribute values
  std::string last_system, last_version;  // the system text hashed last, and its version

  std::string Text(std::string_view text, size_t max, Redactor::Kind kind = Redactor::Kind::kText) {
    return std::string(cleaner.Clean(text, max, kind));
  }
  std::string Name(std::string_view text) { return Text(text, options.limits.max_name_bytes); }
  // A time that cannot be true becomes 0.
  Time SaneTime(uint64_t ns) const;
};

class MessageLog;

class BatchBuilder {
 public:
  BatchBuilder(SignalKind kind, const DecodeOptions& options);
  ~BatchBuilder();

  const Limits& limits() const { return bench_.options.limits; }
  Arena& item_arena() { return bench_.arena; }
  Arena& context_arena() { return bench_.context_arena; }

  // A new resource: forgets the previous one. Then its attributes, then its scopes.
  void BeginResource(const Node& attributes);
  void BeginScope(std::string_view name);
  // Call before decoding an item: false when the request has had its share (the item is then rejected).
  bool BeginItem();

  void AddSpan(const RawSpan& span);
  void AddLog(const RawLog& log);
  void AddPoint(const RawMetric& metric, const RawPoint& point);
  void Reject(const std::string& why, int64_t count = 1);
  void CountDroppedAttribute() { ++outcome_.dropped_attributes; }

  Place place;
  DecodeOutcome Finish();

 private:
  std::string Where() const;

  SignalKind kind_;
  std::shared_ptr<const Redactor> redactor_;
  Workbench bench_;
  ItemContext context_;
  DecodeOutcome outcome_;
  std::unique_ptr<MessageLog> messages_;
  size_t items_ = 0;
  int64_t reasons_ = 0;
};

}  // namespace tocsin::ingest::internal
