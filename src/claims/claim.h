// Claim: a typed statement about stored telemetry that can be run again by anybody and comes out the same.
//
// A claim names what is measured (Measure), when (Window, half open, nanoseconds since the epoch) and what
// must hold (Bounds, direction). Nothing in it is prose and nothing is executed: every name is looked up in a
// fixed list, every value becomes a query parameter. The JSON form is in docs/formats/claim.md.
//
// Value types; thread-safety as any value. Unset texts are "", unset times unknown.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernel/time.h"

namespace tocsin::claims {

struct Window {
  Time from, to;
  Duration length() const { return to - from; }
  friend bool operator==(const Window&, const Window&) = default;
};

// A record's field is, is not, or contains a text. Fields are columns (docs/formats/telemetry-tables.md),
// "attributes.KEY" or "resource.KEY".
struct Condition {
  std::string field;
  std::string op = "is";  // is, is_not, contains
  std::string value;
  friend bool operator==(const Condition&, const Condition&) = default;
};

// low <= value <= high; an open side is infinite.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool Hold(double value) const { return value >= low && value <= high; }
  friend bool operator==(const Bounds&, const Bounds&) = default;
};

// A number per record, and how many of them become one.
struct Measure {
  std::string of;  // spans, logs, metrics, generations, retrievals, tool_executions, evaluations, feedbacks
  std::string value;  // duration_ms, error …, a metric's name, a behaviour feature; "" with count, per_minute
  std::string statistic;  // mean, median, p90, p95, p99, min, max, sum, share, count, per_minute
  std::string service;    // "" = any
  std::vector<Condition> where;
  friend bool operator==(const Measure&, const Measure&) = default;
};

// The measure lies within bounds, over all records of the window.
struct MetricLevel {
  Measure measure;
  Window window;
  Bounds expect;
};
// The measure moved from the baseline to the window, and not by chance.
struct MetricChange {
  Measure measure;
  Window window, baseline;
  std::string direction;             // up, down
  std::optional<Bounds> factor;      // of window / baseline
  std::optional<Bounds> difference;  // of window - baseline
  std::vector<Condition>
      against;  // the baseline's records, instead of measure.where: one segment with another
};
// As MetricChange over generations, and also within like prompts: not explained by other questions.
struct BehaviorShift {
  Measure measure;
  Window window, baseline;
  std::string direction;
  std::optional<Bounds> factor, difference;
  std::vector<Condition> against;
};
// The measure moved once within the window, at a time within the tolerance of `at`.
struct Onset {
  Measure measure;
  Window window;
  Time at;
  Duration tolerance;
};
// A recorded change came before the onset (of the measure in the window, or of an incident), by at most
// max_lag.
struct ChangePrecedes {
  std::string change;  // its id
  std::optional<Measure> measure;
  std::optional<Window> window;
  std::string incident;
  Duration max_lag;
};
// Log lines of one kind appeared, vanished, became more or fewer, are there or are not.
struct LogTemplate {
  std::string service;
  std::string template_id;  // or
  std::string text;         // a part of the line
  std::string state;        // new, vanished, more, fewer, present, absent
  Window window;
  std::optional<Window> baseline;
  std::optional<Bounds> factor;
};
// Traces pass through these services, each called by the one before it.
struct TracePath {
  std::vector<std::string> path;
  Window window;
  std::optional<bool> failed;  // only traces with (or without) an error on the path's last service
  Bounds expect;               // how many traces
};
// Of the traces in which `service` fails, a share also fails in `callee`; more than when it does not fail.
struct ErrorPropagation {
  std::string service, callee;
  Window window;
  Bounds expect;
};
// An answer names an identifier that nothing it was given contains.
struct IdentifierUnsupported {
  std::string identifier;
  std::string trace_id, span_id;
};
// The share of generations that match, as a rate with an exact interval.
struct Prevalence {
  std::string service;
  std::vector<Condition> match;
  std::vector<Condition> where;
  Window window;
  Bounds expect;
};
// The measure is within ± delta of its baseline: proven alike, not merely not shown different.
struct Equivalence {
  Measure measure;
  Window window, baseline;
  double delta = 0;
};
// An alert with these labels was firing at some time in the window, or none was.
struct AlertFiring {
  std::vector<Condition> labels;
  Window window;
  bool firing = true;
};
struct RecordCount {
  std::string of;
  std::string service;
  std::vector<Condition> where;
  Window window;
  Bounds expect;
};
struct Exists {
  std::string of;
  std::string service;
  std::vector<Condition> where;
  Window window;
  bool exists = true;
};
// Among records that satisfy `bad`, the share that satisfies `have` is in bounds, and higher than among the
// rest.
struct Concentration {
  std::string of;
  std::string service;
  std::vector<Condition> bad;
  std::vector<Condition> have;
  Window window;
  Bounds expect;
};

using Claim = std::variant<MetricLevel, MetricChange, BehaviorShift, Onset, ChangePrecedes, LogTemplate,
                           TracePath, ErrorPropagation, IdentifierUnsupported, Prevalence, Equivalence,
                           AlertFiring, RecordCount, Exists, Concentration>;

}  // namespace tocsin::claims
