#include "investigate/evaluation/rca_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

constexpr size_t kShown = 5;

// "log f.Class#31 -> …" and "Controller.query start -> …" begin at the label's first event.
std::string_view EventOf(std::string_view step) {
  for (const std::string_view prefix : {"log ! ", "log ", "do ", "! "}) {
    if (step.starts_with(prefix)) {
      step.remove_prefix(prefix.size());
      break;
    }
  }
  return step;
}

bool NamesInner(const EvidenceFact& fact, const std::string& label) {
  const std::string lower = LowerAscii(label), subject = LowerAscii(fact.subject);
  if (lower.starts_with("cpu")) {
    return fact.kind == EvidenceKind::kSlowerItself ||
           (fact.kind == EvidenceKind::kSeriesShifted && subject.find("cpu") != std::string::npos);
  }
  if (lower.starts_with("network")) {
    return fact.kind == EvidenceKind::kSlowerExchange ||
           (fact.kind == EvidenceKind::kSeriesShifted && subject.find("latency") != std::string::npos);
  }
  if (fact.kind != EvidenceKind::kNextStepChanged && fact.kind != EvidenceKind::kErrorStep) return false;
  const size_t arrow = fact.subject.find(" -> ");
  const std::string_view from = EventOf(std::string_view(fact.subject).substr(0, arrow));
  return !from.empty() && label.starts_with(std::string(from) + "_");
}

// Rank among the facts of all causes, in the order they are shown.
size_t InnerRank(const RootCauseRanking& ranking, const RcaCase& c) {
  size_t rank = 0;
  for (const RankedCause& cause : ranking.causes) {
    for (const EvidenceFact& fact : cause.supports) {
      ++rank;
      if (cause.service == c.cause && NamesInner(fact, c.inner_cause)) return rank;
    }
  }
  return 0;
}

RcaOutcome OutcomeOf(const RcaCase& c, const RootCauseRanking& ranking) {
  RcaOutcome o{.name = c.name, .cause = c.cause, .fault = c.fault, .first = {}, .why = {}};
  o.declared = ranking.fault;
  o.no_fault_p = ranking.no_fault_p;
  o.onset_s = static_cast<double>(ranking.onset_ns - c.input.start_ns) / 1e9;
  for (size_t i = 0; i < ranking.causes.size(); ++i) {
    const RankedCause& cause = ranking.causes[i];
    if (i < kShown) o.first.emplace_back(cause.service, cause.score);
    if (o.rank == 0 && cause.service == c.cause && cause.evidence > 0.0) o.rank = i + 1;
  }
  if (!ranking.causes.empty() && !ranking.causes.front().supports.empty()) {
    const EvidenceFact& fact = ranking.causes.front().supports.front();
    o.why = fmt::format("{} {} {:.3g} -> {:.3g}", EvidenceKindName(fact.kind), fact.subject, fact.before,
                        fact.after);
  }
  if (!c.inner_cause.empty()) o.inner_rank = InnerRank(ranking, c);
  return o;
}

double Share(const std::vector<RcaOutcome>& outcomes, size_t n, auto counts) {
  const auto hits = std::count_if(outcomes.begin(), outcomes.end(), counts);
  return n == 0 ? 0.0 : static_cast<double>(hits) / static_cast<double>(n);
}

}  // namespace

Result<RcaSummary> EvaluateRca(const std::vector<RcaCase>& cases) {
  RcaSummary s;
  double seconds = 0.0;
  for (const RcaCase& c : cases) {
    const auto start = std::chrono::steady_clock::now();
    auto ranking = RankRootCauses(c.input);
    if (!ranking.has_value()) return Error(ranking.error().WithContext(c.name));
    RcaOutcome o = OutcomeOf(c, *ranking);
    o.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    seconds += o.seconds;
    if (c.cause.empty()) {
      ++s.healthy_cases;
    } else {
      ++s.cases;
      if (!c.inner_cause.empty()) ++s.inner_cases;
    }
    s.outcomes.push_back(std::move(o));
  }
  const auto within = [](size_t k) { return [k](const RcaOutcome& o) { return o.rank > 0 && o.rank <= k; }; };
  const auto inner = [](size_t k) {
    return [k](const RcaOutcome& o) { return o.inner_rank > 0 && o.inner_rank <= k; };
  };
  s.as1 = Share(s.outcomes, s.cases, within(1));
  s.as3 = Share(s.outcomes, s.cases, within(3));
  s.as5 = Share(s.outcomes, s.cases, within(5));
  s.inner_as1 = Share(s.outcomes, s.inner_cases, inner(1));
  s.inner_as3 = Share(s.outcomes, s.inner_cases, inner(3));
  s.inner_as5 = Share(s.outcomes, s.inner_cases, inner(5));
  s.declared = Share(s.outcomes, s.cases, [](const RcaOutcome& o) { return !o.cause.empty() && o.declared; });
  s.as1_declared = Share(s.outcomes, s.cases, [](const RcaOutcome& o) { return o.rank == 1 && o.declared; });
  s.specificity =
      Share(s.outcomes, s.healthy_cases, [](const RcaOutcome& o) { return o.cause.empty() && !o.declared; });
  s.seconds_per_case = cases.empty() ? 0.0 : seconds / static_cast<double>(cases.size());
  return s;
}

}  // namespace tocsin::investigate
