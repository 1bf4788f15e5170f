#include "investigate/root_cause/flow_evidence.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <tuple>

namespace tocsin::investigate {
namespace {

// How far the mix of requests alone moves a share between two windows of minutes: a beta of concentration 10
// around one half has a standard deviation of 0.15. Rankings hold from 5 to 20.
constexpr double kMixConcentration = 10.0;
// A step that most traces took already in the reference is not a new behaviour when more take it.
constexpr double kUsualShare = 0.5;

struct Split {
  double reference = 0.0, before = 0.0, after = 0.0;
};

Split SplitAt(const BucketCounts& counts, size_t onset) {
  Split s;
  s.reference = counts.reference;
  for (size_t i = 0; i < counts.buckets.size(); ++i) (i < onset ? s.before : s.after) += counts.buckets[i];
  return s;
}

double LogBeta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

struct Rise {
  double nats = 0.0;
  double hits_before = 0.0, n_before = 0.0, hits_after = 0.0, n_after = 0.0;
  bool error = false;
};

// Shares of traces that erred or ended here, before and after.
struct Shares {
  double error_drop = 0.0, end_drop = 0.0;
};

Shares DropsOf(const FlowState& state, size_t onset, double n_before, double n_after) {
  Shares s;
  for (const FlowOutcome& o : state.outcomes) {
    if (!o.error && !o.end) continue;
    const Split c = SplitAt(o.traces, onset);
    const double drop = (c.reference + c.before) / n_before - c.after / n_after;
    if (o.error) s.error_drop += drop;
    if (o.end) s.end_drop += drop;
  }
  return s;
}

using StepKey = std::tuple<std::string_view, std::string_view, std::string_view>;  // service, from, to

void AddState(const FlowState& state, size_t onset, std::map<StepKey, Rise>& rises) {
  const Split visits = SplitAt(state.traces, onset);
  const double n_before = visits.reference + visits.before;
  if (n_before <= 0.0 || visits.after <= 0.0) return;
  const Shares drops = DropsOf(state, onset, n_before, visits.after);
  for (const FlowOutcome& o : state.outcomes) {
    const Split c = SplitAt(o.traces, onset);
    const double hits_before = c.reference + c.before;
    const double rise = c.after / visits.after - hits_before / n_before;
    if (rise <= 0.0) continue;
    if (visits.reference > 0.0 && c.reference / visits.reference >= kUsualShare) continue;
    if (!o.error && drops.error_drop > 0.5 * rise) continue;
    if (!o.error && !o.end && drops.end_drop > 0.5 * rise) continue;
    Rise& r = rises[{state.service, state.from, o.to}];
    r.nats += ShareChangeNats(hits_before, n_before, c.after, visits.after);
    r.hits_before += hits_before;
    r.n_before += n_before;
    r.hits_after += c.after;
    r.n_after += visits.after;
    r.error = r.error || o.error;
  }
}

EvidenceFact FactOf(const StepKey& key, const Rise& r) {
  EvidenceFact fact{.kind = r.error ? EvidenceKind::kErrorStep : EvidenceKind::kNextStepChanged,
                    .service = std::string(std::get<0>(key)),
                    .subject = std::string(std::get<1>(key)) + " -> " + std::string(std::get<2>(key)),
                    .peer = {}};
  fact.before = r.hits_before / r.n_before;
  fact.after = r.hits_after / r.n_after;
  fact.n_before = static_cast<uint64_t>(r.n_before);
  fact.n_after = static_cast<uint64_t>(r.n_after);
  fact.nats = r.nats;
  return fact;
}

void Keep(EvidenceByService& all, EvidenceFact fact) {
  ChannelEvidence& evidence = all[fact.service];
  evidence.nats = std::max(evidence.nats, fact.nats);
  evidence.facts.push_back(std::move(fact));
}

void AddTemplates(const RootCauseInput& input, size_t onset, EvidenceByService& all) {
  for (const LogTemplatePresence& t : input.templates) {
    const size_t cut = std::min(onset, t.seen.size());
    const auto middle = t.seen.begin() + static_cast<std::ptrdiff_t>(cut);
    const double before = t.reference_seen + std::accumulate(t.seen.begin(), middle, 0.0);
    const double n_before = static_cast<double>(t.reference_intervals) + static_cast<double>(cut);
    const double after = std::accumulate(middle, t.seen.end(), 0.0);
    const auto n_after = static_cast<double>(t.seen.size() - cut);
    if (n_before <= 0.0 || n_after <= 0.0 || before / n_before >= kUsualShare) continue;
    if (after / n_after <= before / n_before) continue;
    EvidenceFact fact{
        .kind = EvidenceKind::kTemplateAppeared, .service = t.service, .subject = t.text, .peer = {}};
    fact.before = before / n_before;
    fact.after = after / n_after;
    fact.n_before = static_cast<uint64_t>(n_before);
    fact.n_after = static_cast<uint64_t>(n_after);
    fact.nats = ShareChangeNats(before, n_before, after, n_after);
    if (fact.nats > 0.0) Keep(all, std::move(fact));
  }
}

}  // namespace

double ShareChangeNats(double hits1, double n1, double hits2, double n2) {
  const double share = (hits1 + 0.5) / (n1 + 1.0);  // Jeffreys: never 0 or 1
  const double a = kMixConcentration * share, b = kMixConcentration * (1.0 - share);
  const double changed = LogBeta(hits2 + 1.0, n2 - hits2 + 1.0);
  const double same = LogBeta(hits2 + a, n2 - hits2 + b) - LogBeta(a, b);
  return changed - same;
}

EvidenceByService FlowEvidence(const RootCauseInput& input, size_t onset) {
  std::map<StepKey, Rise> rises;
  for (const FlowState& state : input.flows) AddState(state, onset, rises);
  EvidenceByService all;
  for (const auto& [key, rise] : rises) {
    if (rise.nats > 0.0) Keep(all, FactOf(key, rise));
  }
  AddTemplates(input, onset, all);
  for (auto& [service, evidence] : all) {
    std::stable_sort(evidence.facts.begin(), evidence.facts.end(),
                     [](const EvidenceFact& x, const EvidenceFact& y) { return x.nats > y.nats; });
    if (evidence.facts.size() > kFactsPerChannel) evidence.facts.resize(kFactsPerChannel);
  }
  return all;
}

}  // namespace tocsin::investigate
