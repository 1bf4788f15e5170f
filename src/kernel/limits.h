// Limits: every bound on what comes from outside, in one place, with the defaults a small machine can carry.
// Value type, read-only after start. Units are in the names.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tocsin {

struct Limits {
  // One request.
  size_t max_request_bytes = 16u << 20;    // on the wire, compressed or not
  size_t max_inflated_bytes = 64u << 20;   // after gzip: a zip bomb ends here
  size_t max_inflate_ratio = 200;          // inflated / wire, checked once 1 MiB is out
  int max_depth = 32;                      // nested AnyValue, JSON or protobuf groups
  size_t max_items_per_request = 100'000;  // spans, log records or data points
  // One item.
  size_t max_attributes = 512;              // per span, log record or resource; more are dropped and counted
  size_t max_attribute_bytes = 256u << 10;  // a longer text is cut at a UTF-8 boundary and marked
  size_t max_text_bytes = 1u << 20;         // input or output text of one generation
  size_t max_name_bytes = 4096;             // span names, keys, ids
  // Queues.
  size_t max_inflight_bytes = 64u << 20;  // request bodies being decoded
  size_t max_backlog_bytes = 512u << 20;  // journalled but not yet in the telemetry store
  size_t max_detect_queue = 20'000;       // generations waiting for the monitors; beyond it they are sampled
  size_t max_connections = 4096;
  int64_t request_timeout_ms = 30'000;
};

}  // namespace tocsin
