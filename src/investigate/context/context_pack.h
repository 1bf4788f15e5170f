// ContextPack: what is known about one incident, gathered in seconds: what somebody on call would look up in
// a dozen places. Sections of lines; a line that asserts something carries the claim that says it again, so
// that it can be run by anybody (claims/verifier.h). Beside the lines the same as typed values, for code.
//
// A section that could not be had says why (`not_looked_at`) and the rest of the pack stands. Texts of
// telemetry are data: cut and printable in `text`, cut to kMaxContextText in typed values.
//
// Value types; thread-safety as any value. Times are UTC instants; shares 0 … 1; durations in ms.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "claims/claim.h"
#include "kernel/time.h"
#include "signal/incident.h"

namespace tocsin::investigate {

inline constexpr size_t kMaxContextText = 400;  // bytes of one text of telemetry

// Sections, in the order in which a page shows them.
inline constexpr std::string_view kContextSections[] = {
    "onset",      // when it began, as an interval
    "affected",   // services, users, tenants with shares
    "alerts",     // what fires, and the cluster it is in
    "changes",    // before the onset with lag; later ones as refuted
    "logs",       // new, vanished, more and fewer kinds of line; rates
    "calls",      // callers and callees of the affected services
    "metrics",    // series that moved, largest first
    "behavior",   // what answers do differently
    "exemplars",  // the worst trace, and a good one beside it
    "similar",    // past incidents whose cause is confirmed
    "runbooks",   // that match
    "people",     // who has it, who is on call
};

struct ContextLine {
  std::string text;                    // one line for a person; printable
  std::optional<claims::Claim> claim;  // says the same, to be run
  double weight = 0;                   // how much it stands out; comparable within its section only
  std::string note;                    // "refuted: …" and the like; "" for most
};

struct ContextSection {
  std::string name;           // of kContextSections
  std::string not_looked_at;  // why there is nothing; "" when it was looked at
  bool cut = false;           // there was more than the bounds allow
  std::string sampled;        // how records were chosen when not all were read: "one trace in 20"; "" = all
  double seconds = 0;         // to gather
  std::vector<ContextLine> lines;
};

struct ContextWindows {
  claims::Window baseline;  // before the onset
  claims::Window window;    // since the onset
  std::string words;        // how they came about
};

struct ContextAlert {
  std::string fingerprint, name, service, text, severity, url, runbook_url;
  Time starts_at, ends_at;  // end not known: still fires, or nobody said
  bool firing = false;      // now
};

struct AffectedService {
  std::string service;
  std::string why;                     // "the incident names it", "an alert fires", "most failing calls"
  bool has_spans = false;              // telemetry is stored under this name
  uint64_t before_n = 0, after_n = 0;  // calls received (spans when it receives none), as sampled
  double before_errors = 0, after_errors = 0;  // share
  double before_p95_ms = 0, after_p95_ms = 0;
};

struct AffectedPeople {
  std::string of;  // what a row is: "tenant", "region" …
  struct Share {
    std::string value;
    uint64_t requests = 0, bad = 0;  // in the window
  };
  uint64_t users = 0, bad_users = 0;  // distinct; of generations in the window
  uint64_t requests = 0, bad = 0;
  std::vector<Share> tenants;  // most bad first
};

struct ContextChange {
  std::string id, kind, service, subject, summary, before, after, source, link;
  Time time;
  Duration lag;          // onset - time; negative when it came after
  bool refuted = false;  // came after the onset: cannot be its cause
  bool unsure = false;   // within the onset's interval
  bool in_scope = true;  // of an affected service, a neighbour, or of no service in particular
  double score = 0;      // in scope and close in time; for order only
};

struct LogShift {
  std::string service, template_id, text;
  int64_t severity = 0;  // OTLP number; the highest
  std::string state;     // new, returned (seen before the baseline), vanished, more, fewer
  uint64_t before = 0, after = 0;
  double factor = 0;  // of the rates; 0 when there were none before
  Time first_seen, first_in_window;
  double score = 0;
};

struct LogRate {
  std::string service;
  uint64_t before = 0, after = 0, before_errors = 0, after_errors = 0;
  double factor = 0, error_factor = 0;  // of rates; 0 when there were none before
};

// One service calls another (or itself is called from outside: caller "").
struct CallEdge {
  std::string caller, callee;
  int hops = 1;                                // from the affected services
  uint64_t before_n = 0, after_n = 0;          // as sampled
  double before_errors = 0, after_errors = 0;  // share of calls whose callee's span has an error
  double before_p95_ms = 0, after_p95_ms = 0;
  double score = 0;
};

struct MetricShift {
  std::string service, name, unit;
  std::vector<claims::Condition> where;  // attributes of the series; none: all of the name
  std::string statistic;                 // median or mean, of values or of what was added
  double before = 0, after = 0;
  double score = 0;                    // |after - before| in robust standard deviations of the baseline
  bool affected = true;                // of an affected service; else of a neighbour
  uint64_t before_n = 0, after_n = 0;  // points of time compared
  claims::Window window;               // the pack's, or its beginning when it moved only there
};

struct BehaviorChange {
  std::string what, words, unit;  // a monitor's or a column's name; a sentence
  double before = 0, after = 0;
  uint64_t before_n = 0, after_n = 0;
  double score = 0;
};

struct ExemplarSpan {
  std::string span_id, parent_span_id, service, name, status, status_message;
  Time start;
  double duration_ms = 0;
  int depth = 0;
};
struct ExemplarTrace {
  std::string kind;  // worst, good
  std::string trace_id;
  Time start;
  double duration_ms = 0;
  uint64_t spans = 0, errors = 0;
  std::vector<ExemplarSpan> shown;  // in the order of a tree; bounded
};

struct SimilarIncident {
  std::string id, title, service, kind;
  Time opened;
  double similarity = 0;            // 0 … 1
  std::vector<std::string> shared;  // why: "service checkout", "alert HighErrorRate" …
  struct Factor {
    std::string surface, text, claim;
  };
  std::vector<Factor> factors;  // confirmed ones
};

struct RunbookMatch {
  std::string id, title, url, why;
  double score = 0;
};

struct ContextPerson {
  std::string role;  // "has acknowledged it", "on call (primary)", "commander", "is paged"
  std::string person, name;
  Time until;
};

struct ContextPack {
  signal::Incident incident;  // document_json left out
  Time built;
  double seconds = 0;
  Time onset, onset_low, onset_high;
  std::string onset_words;  // where it comes from
  ContextWindows windows;
  std::vector<ContextSection> sections;  // every one of kContextSections, in their order

  std::vector<ContextAlert> alerts;
  uint64_t alerts_total = 0;
  std::vector<std::string> cluster_services;  // by their first alert
  std::vector<AffectedService> affected;
  AffectedPeople people_affected;
  std::vector<ContextChange> changes;
  std::vector<LogShift> logs;
  std::vector<LogRate> log_rates;
  std::vector<CallEdge> calls;
  std::vector<MetricShift> metrics;
  std::vector<BehaviorChange> behavior;
  std::vector<ExemplarTrace> exemplars;
  std::vector<SimilarIncident> similar;
  std::vector<RunbookMatch> runbooks;
  std::vector<ContextPerson> people;

  // The section of this name; the pack has every one.
  const ContextSection* Find(std::string_view name) const {
    for (const auto& section : sections) {
      if (section.name == name) return &section;
    }
    return nullptr;
  }
};

}  // namespace tocsin::investigate
