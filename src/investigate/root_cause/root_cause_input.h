// What the root-cause ranking is given: one window of telemetry of a service graph, and a reference before
// it.
//
// The window [start_ns, start_ns + buckets * bucket_ns) is suspected, not known, to hold a fault; when it
// began is not given. The reference is time believed healthy (it may hold past incidents, and it may be hours
// or days away). Everything is counts and moments, so that a store can compute it with one GROUP BY a table.
//
// Two sequences a request leaves behind, its log lines and its calls, are kept apart as two chains of steps:
// they are stamped by two clocks (the log shipper's and the tracer's), and their order against each other is
// noise. Value types. Bounded by RootCauseLimits: the ranking refuses more with kOutOfRange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace tocsin::investigate {

// What a rise means. kTraffic and kResource may move either way; the others are bad in one direction only.
enum class SeriesKind : uint8_t { kLatency, kErrors, kAvailability, kTraffic, kResource };

struct SeriesPoint {
  int64_t at_ns;  // end of the interval the value describes
  double value;   // NaN: nothing measured
};

// One metric of one service, in equal steps. `reference` holds one value a step, NaN where nothing was
// measured.
struct MetricSeries {
  std::string service;
  std::string name;  // the metric and its statistic; series of one name are comparable across services
  SeriesKind kind = SeriesKind::kResource;
  std::vector<double> reference;
  std::vector<SeriesPoint> window;
};

// Moments of ln(1 + microseconds) of the spans of one group.
struct LogMoments {
  uint64_t n = 0;
  double sum = 0.0;
  double squares = 0.0;

  void Add(double log_value) {
    ++n;
    sum += log_value;
    squares += log_value * log_value;
  }
  void Add(const LogMoments& other) {
    n += other.n;
    sum += other.sum;
    squares += other.squares;
  }
};

// Time spent in one operation itself, without the spans below it. With a `peer`, the operation is a call of
// another service and its own time is what the callee's span does not account for: the network between them.
struct SpanTimes {
  std::string service;
  std::string operation;
  std::string peer;  // empty: own work
  LogMoments reference;
  std::vector<LogMoments> buckets;
};

struct BucketCounts {
  uint32_t reference = 0;
  std::vector<uint32_t> buckets;
};

// What followed a step. `error`: an error-level line or a failed or error-handling span. `end`: nothing, the
// operation was over.
struct FlowOutcome {
  std::string to;
  bool error = false;
  bool end = false;
  BucketCounts traces;  // traces in which `to` followed `from`
};

// A step (a log statement or a call) of an operation, in the context of the path of operations that led
// there.
struct FlowState {
  std::string service;
  std::string context;
  std::string from;
  BucketCounts traces;  // traces that came by
  std::vector<FlowOutcome> outcomes;
};

// A log template without trace ids: in how many intervals it was seen, so that one chatty second counts once.
struct LogTemplatePresence {
  std::string service;
  std::string text;
  bool error = false;
  uint32_t reference_seen = 0;
  uint32_t reference_intervals = 0;
  std::vector<uint8_t> seen;  // one a bucket, 0 or 1
};

struct ServiceEdge {
  std::string caller;
  std::string callee;
};

struct RecordedChange {
  int64_t at_ns;
  std::string service;
  std::string kind;  // deploy, prompt, model, index, flag, …
  std::string summary;
};

struct RootCauseInput {
  int64_t start_ns = 0;
  int64_t bucket_ns = 0;
  size_t buckets = 0;
  std::vector<MetricSeries> series;
  std::vector<SpanTimes> spans;
  std::vector<FlowState> flows;
  std::vector<LogTemplatePresence> templates;
  std::vector<ServiceEdge> edges;
  std::vector<RecordedChange> changes;
  // Endpoints seen from their callers only, never from inside. Their figures are their callers' view.
  std::vector<std::string> seen_from_outside;
  // The service an alert names; empty when nobody said. Only what it reaches can be its cause.
  std::string symptom;
};

struct RootCauseLimits {
  size_t buckets = 400;
  size_t series = 20'000;
  size_t reference_steps = 20'000;
  size_t spans = 100'000;
  size_t flows = 300'000;
  size_t outcomes = 1'000'000;
  size_t templates = 100'000;
  size_t edges = 200'000;
  size_t changes = 10'000;
};

}  // namespace tocsin::investigate
