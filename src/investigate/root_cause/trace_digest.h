// From spans and the log lines written inside them to what the root-cause ranking compares: steps, own times,
// and the service graph.
//
// Add everything, reference and window, then call Finish once. Spans and lines seen twice count once. A
// client span whose only child belongs to another service is that service's call and no operation of its own.
// A trace counts once for a step, in the bucket in which it first came by. Spans outside the window's
// buckets, other than the reference's, are dropped. Own time is duration without the union of the children's
// spans. Owns copies of what is added. Not thread-safe. O(n log n).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "investigate/root_cause/root_cause_input.h"

namespace tocsin::investigate {

struct DigestSpan {
  std::string_view trace_id, span_id, parent_id;  // parent_id unknown in the trace: a root
  std::string_view service, operation;
  int64_t start_ns = 0, end_ns = 0;
  bool error = false;
};

struct DigestLine {
  std::string_view trace_id, span_id;
  std::string_view service;
  std::string_view text;  // the template, or whatever names the statement
  int64_t at_ns = 0;
  bool error = false;
};

class TraceDigest {
 public:
  TraceDigest();
  ~TraceDigest();
  TraceDigest(TraceDigest&&) noexcept;
  TraceDigest& operator=(TraceDigest&&) noexcept;

  void AddSpan(const DigestSpan& span, bool reference);
  void AddLine(const DigestLine& line, bool reference);
  // Fills flows, spans and edges of `input`, whose window is set.
  void Finish(RootCauseInput& input) const;

 private:
  struct Data;
  std::unique_ptr<Data> data_;
};

}  // namespace tocsin::investigate
