#include "investigate/root_cause/root_cause_ranking.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "investigate/root_cause/flow_evidence.h"
#include "investigate/root_cause/series_evidence.h"
#include "investigate/root_cause/service_graph.h"
#include "investigate/root_cause/span_evidence.h"

namespace tocsin::investigate {
namespace {

// Evidence below one in twenty is not evidence.
const double kBar = std::log(20.0);
// Kinds of evidence of one service are not independent (an error also saves time): the best counts in full,
// the others by half.
constexpr double kFurtherKinds = 0.5;
// Of what a service shows as strongly as something it calls, half is taken to be the callee's.
constexpr double kExplainedShare = 0.5;
// Services asked for more make a surge from here, if they are most of all.
constexpr size_t kLeastSurging = 3;
// A healthy window is called faulty at most this often.
constexpr double kFalseAlarm = 0.1;
// Reference windows from which "how often does health look like this" is counted rather than bounded.
constexpr size_t kCountedWindows = 60;
constexpr size_t kMostCountedWindows = 400;
// Seven of ten outages come from a change to a live system (Beyer et al., "Site Reliability Engineering",
// 2016, ch. 1): the prior of services changed within the hour before the onset.
constexpr double kChangeShare = 0.7;
constexpr int64_t kChangeMemoryNs = 3'600'000'000'000;

struct Candidate {
  double own = 0.0;
  double strongest = 0.0;  // kind, bar aside
  size_t onset = 0;
  std::vector<EvidenceFact> facts;
  bool traces = false, series = false;  // which kinds rose above the bar
};

struct Scan {
  std::map<std::string, Candidate> candidates;
  std::vector<std::map<std::string, double>> profile;  // own score of each service by onset
};

Status Check(const RootCauseInput& in, const RootCauseLimits& limits) {
  if (in.buckets == 0 || in.bucket_ns <= 0) return {Code::kInvalidArgument, "a window needs buckets"};
  const auto refuse = [](std::string_view what, size_t have, size_t limit) -> Status {
    return {Code::kOutOfRange, fmt::format("{} {}, limit {}", have, what, limit)};
  };
  if (in.buckets > limits.buckets) return refuse("buckets", in.buckets, limits.buckets);
  if (in.series.size() > limits.series) return refuse("series", in.series.size(), limits.series);
  if (in.spans.size() > limits.spans) return refuse("span groups", in.spans.size(), limits.spans);
  if (in.flows.size() > limits.flows) return refuse("steps", in.flows.size(), limits.flows);
  if (in.templates.size() > limits.templates)
    return refuse("templates", in.templates.size(), limits.templates);
  if (in.edges.size() > limits.edges) return refuse("edges", in.edges.size(), limits.edges);
  if (in.changes.size() > limits.changes) return refuse("changes", in.changes.size(), limits.changes);
  for (const MetricSeries& s : in.series) {
    if (s.reference.size() > limits.reference_steps || s.window.size() > limits.buckets) {
      return refuse(fmt::format("values of {} of {}", s.name, s.service),
                    s.reference.size() + s.window.size(), limits.reference_steps);
    }
    for (size_t i = 1; i < s.window.size(); ++i) {
      if (s.window[i].at_ns <= s.window[i - 1].at_ns) {
        return {Code::kInvalidArgument, fmt::format("{} of {}: values out of order", s.name, s.service)};
      }
    }
  }
  size_t outcomes = 0;
  for (const FlowState& f : in.flows) {
    outcomes += f.outcomes.size();
    bool fits = f.traces.buckets.size() <= in.buckets;
    for (const FlowOutcome& o : f.outcomes) fits = fits && o.traces.buckets.size() <= in.buckets;
    if (!fits) return {Code::kInvalidArgument, fmt::format("{}: more buckets than the window", f.from)};
  }
  if (outcomes > limits.outcomes) return refuse("outcomes of steps", outcomes, limits.outcomes);
  for (const SpanTimes& s : in.spans) {
    if (s.buckets.size() > in.buckets) {
      return {Code::kInvalidArgument, fmt::format("{}: more buckets than the window", s.operation)};
    }
  }
  return Status::Ok();
}

// Services that can be a cause: what the symptom reaches; else what takes part in calls; else all.
std::set<std::string> CandidatesOf(const RootCauseInput& in, const ServiceGraph& graph) {
  std::set<std::string> all;
  for (const SpanTimes& s : in.spans) all.insert(s.service);
  for (const FlowState& f : in.flows) all.insert(f.service);
  for (const LogTemplatePresence& t : in.templates) all.insert(t.service);
  const bool traced = !all.empty();
  for (const MetricSeries& s : in.series) {
    if (!traced || graph.Has(s.service)) all.insert(s.service);
  }
  if (in.symptom.empty() || !graph.Has(in.symptom)) return all;
  std::set<std::string> reached;
  for (const std::string& service : graph.Reach(in.symptom)) {
    if (all.contains(service)) reached.insert(service);
  }
  return reached;
}

double Combine(std::initializer_list<double> kinds) {
  double best = 0.0, sum = 0.0;
  for (const double nats : kinds) {
    const double above = std::max(0.0, nats - kBar);
    best = std::max(best, above);
    sum += above;
  }
  return best + kFurtherKinds * (sum - best);
}

const ChannelEvidence* Find(const EvidenceByService& all, const std::string& service) {
  const auto entry = all.find(service);
  return entry == all.end() ? nullptr : &entry->second;
}

void TakeFacts(const ChannelEvidence* evidence, std::vector<EvidenceFact>& out) {
  if (evidence == nullptr || evidence->nats <= kBar) return;
  for (const EvidenceFact& fact : evidence->facts) {
    if (fact.nats > 1.0) out.push_back(fact);
  }
}

Scan ScanOnsets(const RootCauseInput& in, const std::set<std::string>& services,
                SeriesEvidenceSource& series) {
  Scan scan;
  for (const std::string& service : services) scan.candidates[service];
  scan.profile.resize(in.buckets);
  for (size_t onset = 0; onset < in.buckets; ++onset) {
    const EvidenceByService flow = FlowEvidence(in, onset);
    const SpanEvidence span = SpanEvidenceAt(in, onset);
    const EvidenceByService shifts = series.At(in.start_ns + static_cast<int64_t>(onset) * in.bucket_ns);
    const auto nats = [](const ChannelEvidence* e) { return e == nullptr ? 0.0 : e->nats; };
    for (auto& [service, candidate] : scan.candidates) {
      const ChannelEvidence* kinds[] = {Find(flow, service), Find(span.work, service),
                                        Find(span.calls, service), Find(shifts, service)};
      const double own = Combine({nats(kinds[0]), nats(kinds[1]), nats(kinds[2]), nats(kinds[3])});
      candidate.strongest =
          std::max({candidate.strongest, nats(kinds[0]), nats(kinds[1]), nats(kinds[2]), nats(kinds[3])});
      if (own > 0.0) scan.profile[onset][service] = own;
      if (own <= candidate.own) continue;
      candidate.own = own;
      candidate.onset = onset;
      candidate.facts.clear();
      for (const ChannelEvidence* kind : kinds) TakeFacts(kind, candidate.facts);
      candidate.traces = std::max({nats(kinds[0]), nats(kinds[1]), nats(kinds[2])}) > kBar;
      candidate.series = nats(kinds[3]) > kBar;
    }
  }
  return scan;
}

// What a recorded change touches.
std::string SurfaceOfChange(const std::string& kind) {
  static const std::set<std::string> kSurfaces{"model", "prompt",  "retrieval", "tools",     "sampling",
                                               "data",  "traffic", "evaluator", "dependency"};
  if (kSurfaces.contains(kind)) return kind;
  if (kind == "index") return "retrieval";
  if (kind == "provider") return "model";
  return "dependency";
}

void WeighChanges(const RootCauseInput& in, size_t services, RankedCause& cause) {
  std::set<std::string> changed;
  const auto recent = [&](const RecordedChange& c) {
    return c.at_ns <= cause.onset_ns + in.bucket_ns && c.at_ns >= cause.onset_ns - kChangeMemoryNs;
  };
  for (const RecordedChange& c : in.changes) {
    if (recent(c)) changed.insert(c.service);
  }
  if (cause.score <= 0.0 || !changed.contains(cause.service)) return;
  const double share = kChangeShare / static_cast<double>(changed.size());
  const double nats = std::max(0.0, std::log(share * static_cast<double>(services) / (1.0 - kChangeShare)));
  for (const RecordedChange& c : in.changes) {
    if (!recent(c) || c.service != cause.service) continue;
    EvidenceFact fact{.kind = EvidenceKind::kChangedBefore,
                      .service = c.service,
                      .subject = c.kind + ": " + c.summary,
                      .peer = {}};
    fact.before = static_cast<double>(cause.onset_ns - c.at_ns) / 1e9;
    fact.nats = nats;
    cause.supports.push_back(std::move(fact));
    cause.surface = SurfaceOfChange(c.kind);
  }
  cause.score += nats;
}

// Where a surge enters, when most of the services are asked for more; null otherwise.
const std::string* SurgeEntry(const RootCauseInput& in, const Scan& scan) {
  std::set<std::string> called;
  for (const ServiceEdge& edge : in.edges) called.insert(edge.callee);
  size_t risen = 0;
  const std::string* entry = nullptr;
  for (const auto& [service, candidate] : scan.candidates) {
    const bool rose = std::any_of(candidate.facts.begin(), candidate.facts.end(), [](const EvidenceFact& f) {
      return f.kind == EvidenceKind::kTrafficShifted && f.after > f.before;
    });
    if (!rose) continue;
    ++risen;
    if (!called.contains(service)) entry = &service;
  }
  return risen >= kLeastSurging && 2 * risen > scan.candidates.size() ? entry : nullptr;
}

void ExplainBySurge(const Scan& scan, const std::string& entry, RankedCause& cause) {
  if (cause.service == entry) {
    cause.surface = "traffic";
    return;
  }
  const double explained = kExplainedShare * std::min(cause.score, scan.candidates.at(entry).own);
  if (explained <= 0.0) return;
  cause.score -= explained;
  EvidenceFact fact{
      .kind = EvidenceKind::kExplainedBySurge, .service = cause.service, .subject = {}, .peer = entry};
  fact.nats = explained;
  cause.against.push_back(std::move(fact));
}

void Explain(const ServiceGraph& graph, const Scan& scan, RankedCause& cause) {
  const std::string* heaviest = nullptr;
  double below = 0.0;
  for (const std::string& callee : graph.Below(cause.service)) {
    const auto entry = scan.candidates.find(callee);
    if (entry == scan.candidates.end() || entry->second.own <= below) continue;
    below = entry->second.own;
    heaviest = &callee;
  }
  const double explained = kExplainedShare * std::min(cause.score, below);
  if (heaviest == nullptr || explained <= 0.0) return;
  cause.score -= explained;
  EvidenceFact fact{
      .kind = EvidenceKind::kExplainedByCallee, .service = cause.service, .subject = {}, .peer = *heaviest};
  fact.nats = explained;
  cause.against.push_back(std::move(fact));
}

RankedCause CauseOf(const RootCauseInput& in, const std::string& service, const Candidate& candidate) {
  RankedCause cause{.service = service, .surface = "dependency", .supports = {}, .against = {}};
  cause.score = candidate.own;
  cause.evidence = candidate.strongest;
  cause.onset_ns = in.start_ns + static_cast<int64_t>(candidate.onset) * in.bucket_ns;
  cause.supports = candidate.facts;
  std::stable_sort(cause.supports.begin(), cause.supports.end(),
                   [](const EvidenceFact& x, const EvidenceFact& y) { return x.nats > y.nats; });
  if (!cause.supports.empty() && cause.supports.front().kind == EvidenceKind::kTrafficShifted) {
    cause.surface = "traffic";
  }
  const auto calm = [&](EvidenceKind kind) {
    cause.against.push_back({.kind = kind, .service = service, .subject = {}, .peer = {}});
  };
  if (!candidate.series && !in.series.empty()) calm(EvidenceKind::kCalmSeries);
  if (!candidate.traces && !(in.spans.empty() && in.flows.empty())) calm(EvidenceKind::kCalmTraces);
  return cause;
}

// Chance that health shows a best service as bad as `own`: counted over the reference's own windows where the
// evidence is metrics and there are enough of them, else a union bound over the candidates.
double HealthyChance(const RootCauseInput& in, double own, const std::set<std::string>& services,
                     SeriesEvidenceSource& series) {
  if (own <= 0.0) return 1.0;
  if (in.spans.empty() && in.flows.empty()) {
    const std::vector<double> healthy = series.HealthyBest(kMostCountedWindows, services);
    if (healthy.size() >= kCountedWindows) {
      const auto as_bad =
          std::count_if(healthy.begin(), healthy.end(), [&](double nats) { return Combine({nats}) >= own; });
      return (static_cast<double>(as_bad) + 1.0) / (static_cast<double>(healthy.size()) + 1.0);
    }
  }
  return std::min(1.0, static_cast<double>(services.size()) * std::exp(-own - kBar));
}

void LocateOnset(const RootCauseInput& in, const Scan& scan, RootCauseRanking& ranking) {
  const std::string& service = ranking.causes.front().service;
  const double best = scan.candidates.at(service).own;
  size_t low = in.buckets, high = 0;
  for (size_t onset = 0; onset < in.buckets; ++onset) {
    const auto entry = scan.profile[onset].find(service);
    if (entry == scan.profile[onset].end() || entry->second < best - kBar) continue;
    low = std::min(low, onset);
    high = onset;
  }
  const auto at = [&](size_t bucket) { return in.start_ns + static_cast<int64_t>(bucket) * in.bucket_ns; };
  ranking.onset_ns = ranking.causes.front().onset_ns;
  ranking.onset_low_ns = at(std::min(low, high));
  ranking.onset_high_ns = at(high + 1);
}

}  // namespace

std::string_view EvidenceKindName(EvidenceKind kind) {
  switch (kind) {
    case EvidenceKind::kNextStepChanged:
      return "next_step_changed";
    case EvidenceKind::kErrorStep:
      return "error_step";
    case EvidenceKind::kTemplateAppeared:
      return "template_appeared";
    case EvidenceKind::kSlowerItself:
      return "slower_itself";
    case EvidenceKind::kSlowerExchange:
      return "slower_exchange";
    case EvidenceKind::kSeriesShifted:
      return "series_shifted";
    case EvidenceKind::kTrafficShifted:
      return "traffic_shifted";
    case EvidenceKind::kChangedBefore:
      return "changed_before";
    case EvidenceKind::kExplainedByCallee:
      return "explained_by_callee";
    case EvidenceKind::kExplainedBySurge:
      return "explained_by_surge";
    case EvidenceKind::kCalmSeries:
      return "calm_series";
    case EvidenceKind::kCalmTraces:
      return "calm_traces";
  }
  return "unknown";
}

Result<RootCauseRanking> RankRootCauses(const RootCauseInput& input, const RootCauseLimits& limits) {
  TOCSIN_RETURN_IF_ERROR(Check(input, limits));
  const ServiceGraph graph(input);
  std::set<std::string> services = CandidatesOf(input, graph);
  RootCauseRanking ranking;
  if (services.empty()) return ranking;
  SeriesEvidenceSource series(input);
  if (input.spans.empty() && input.flows.empty()) {
    // What was never called before is called now because its caller does something new.
    std::erase_if(services, [&](const std::string& service) { return series.Idle(service); });
  }
  const Scan scan = ScanOnsets(input, services, series);
  const std::string* surge = SurgeEntry(input, scan);
  for (const auto& [service, candidate] : scan.candidates) {
    RankedCause cause = CauseOf(input, service, candidate);
    if (surge == nullptr) {
      Explain(graph, scan, cause);
    } else {
      ExplainBySurge(scan, *surge, cause);
    }
    WeighChanges(input, services.size(), cause);
    ranking.causes.push_back(std::move(cause));
  }
  std::stable_sort(ranking.causes.begin(), ranking.causes.end(),
                   [](const RankedCause& x, const RankedCause& y) {
                     return std::tie(x.score, x.evidence) > std::tie(y.score, y.evidence);
                   });
  double own = 0.0;
  for (const auto& [service, candidate] : scan.candidates) own = std::max(own, candidate.own);
  ranking.no_fault_p = HealthyChance(input, own, services, series);
  ranking.fault = ranking.no_fault_p <= kFalseAlarm;
  LocateOnset(input, scan, ranking);
  return ranking;
}

}  // namespace tocsin::investigate
