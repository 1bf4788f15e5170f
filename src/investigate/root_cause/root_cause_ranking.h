// Which service a fault began in, without being told when, and "none" as an answer.
//
// RankRootCauses weighs four independent kinds of evidence for every service and every possible onset:
//   steps   what the service does next: a log statement or call that used to follow no longer does, an error
//   or
//           an early end takes its place (after Nezha, Yu et al., ESEC/FSE 2023), as a Bayes factor
//   work    its own operations take longer, the operations below them taken out
//   calls   every exchange with its neighbours takes longer than the neighbour's own span accounts for
//   series  one of its metrics leaves what the reference ever did (robust scale as BARO, Pham et al., FSE
//   2024;
//           conformal against the reference's own windows)
// in nats (logarithms of how much likelier the data are under a fault in this service). A service whose
// callees show as much is explained by them in part. Pure, deterministic, thread-safe. O(onsets x input).
//
// Errors: kInvalidArgument (no window, counts that do not fit it, unsorted points), kOutOfRange (beyond
// limits).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "investigate/root_cause/root_cause_input.h"
#include "kernel/status.h"

namespace tocsin::investigate {

enum class EvidenceKind : uint8_t {
  kNextStepChanged,    // subject: "from -> to"; before, after: share of traces; n: traces
  kErrorStep,          // the same, and `to` is an error
  kTemplateAppeared,   // subject: the log template; before, after: share of intervals
  kSlowerItself,       // before, after: geometric mean of own time, microseconds; n: spans
  kSlowerExchange,     // subject: caller -> callee; the same for the time between their spans
  kSeriesShifted,      // subject: metric; before: reference median, after: the farthest value
  kTrafficShifted,     // the same, of how much the service is asked to do
  kChangedBefore,      // subject: the change; before: seconds before the onset
  kExplainedByCallee,  // against; peer: the service below that shows as much
  kExplainedBySurge,   // against; peer: where more requests than ever enter
  kCalmSeries,         // against; no metric of the service left its reference
  kCalmTraces,         // against; the service does the same things as fast as before
};

std::string_view EvidenceKindName(EvidenceKind kind);

struct EvidenceFact {
  EvidenceKind kind;
  std::string service;
  std::string subject;
  std::string peer;
  double before = 0.0;
  double after = 0.0;
  uint64_t n_before = 0;
  uint64_t n_after = 0;
  double nats = 0.0;  // how much it weighs
};

struct RankedCause {
  std::string service;
  std::string surface;    // dependency, data, traffic, or what a recorded change names (prompt, model, …)
  double score = 0.0;     // nats above the bar of one in twenty, after what its callees explain
  double evidence = 0.0;  // nats of the strongest kind, bar and callees aside; orders equal scores
  int64_t onset_ns = 0;
  std::vector<EvidenceFact> supports;  // heaviest first
  std::vector<EvidenceFact> against;
};

struct RootCauseRanking {
  bool fault = false;
  // Chance that a healthy system shows a best score as high as this one's; fault is "at most 0.1".
  double no_fault_p = 1.0;
  int64_t onset_ns = 0;  // of the first cause; the interval holds the onsets within ln 20 of the best
  int64_t onset_low_ns = 0;
  int64_t onset_high_ns = 0;
  std::vector<RankedCause> causes;  // best first, every candidate service
};

Result<RootCauseRanking> RankRootCauses(const RootCauseInput& input, const RootCauseLimits& limits = {});

}  // namespace tocsin::investigate
