// Raw items: one span, log record or data point as it came, whatever the encoding. Ids are raw bytes, times
// as received; texts are views. Reused from item to item (Clear). Value types of one decoder.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ingest/internal/node.h"

namespace tocsin::ingest::internal {

struct RawEvent {
  uint64_t time = 0;
  std::string_view name;
  Node attributes;
};
struct RawLink {
  std::string_view trace_id, span_id;
  Node attributes;
};
struct RawSpan {
  std::string_view trace_id, span_id, parent_span_id, name, status_message;
  int64_t kind = 0, status = 0;
  uint64_t start = 0, end = 0;
  Node attributes;
  std::vector<RawEvent> events;
  std::vector<RawLink> links;
  void Clear() {
    auto e = std::move(events);
    auto l = std::move(links);
    e.clear();
    l.clear();
    *this = RawSpan{};
    events = std::move(e);
    links = std::move(l);
  }
};

struct RawLog {
  uint64_t time = 0, observed = 0;
  int64_t severity = 0;
  std::string_view severity_text, event_name, trace_id, span_id;
  Node body, attributes;
};

enum class MetricKind : uint8_t { kNone, kGauge, kSum, kHistogram, kExponentialHistogram, kSummary };

struct RawMetric {
  std::string_view name, unit;
  MetricKind kind = MetricKind::kNone;
  int64_t temporality = 0;
  bool monotonic = false;
};
struct RawExemplar {
  uint64_t time = 0;
  std::string_view trace_id, span_id;
  std::optional<double> as_double;
  std::optional<int64_t> as_int;
  Node attributes;
};
struct RawBuckets {
  int64_t offset = 0;
  std::vector<uint64_t> counts;
};
struct RawPoint {
  uint64_t start = 0, time = 0, zero_count = 0;
  std::optional<double> as_double, sum, min, max;
  std::optional<int64_t> as_int;
  std::optional<uint64_t> count;
  int64_t scale = 0;
  std::vector<uint64_t> bucket_counts;
  std::vector<double> bounds;
  std::vector<std::pair<double, double>> quantiles;
  RawBuckets positive, negative;
  std::vector<RawExemplar> exemplars;
  Node attributes;
};

}  // namespace tocsin::ingest::internal
