// MakeBrief: the deterministic brief: every claim of the context pack run, the surfaces of a language-model
// feature tried one after another, causes ranked. No model is asked.
//
// Cost: the pack's claims and some thirty of its own, each bounded by the verifier, none begun after
// `budget`; what was not run is unchecked and says so. Thread-safety: as the verifier's. Blocks.
#pragma once

#include "claims/verifier.h"
#include "investigate/brief/brief.h"
#include "investigate/context/context_pack.h"
#include "investigate/root_cause/root_cause_ranking.h"

namespace tocsin::investigate {

struct BriefOptions {
  Time now;
  Duration budget = Duration::Seconds(20);
  size_t max_claims = 120;
  size_t max_causes = 3;
};

// `ranking` may be null: then causes come from changes, surfaces and the incident's own evidence.
Brief MakeBrief(const ContextPack& pack, const RootCauseRanking* ranking, store::TelemetryStore& telemetry,
                claims::Verifier& verifier, const BriefOptions& options);

// Runs a claim and puts it where its verdict says. `by` names who stated it.
BriefLine CheckLine(claims::Verifier& verifier, std::string section, claims::Claim claim, std::string by);

// How a hypothesis stands by the verdicts of its lines: refuted when something against it holds or everything
// for it was refuted, supported when something for it holds.
void JudgeHypothesis(const Brief& brief, Hypothesis& hypothesis);
// Supported first, then by score.
void OrderHypotheses(Brief& brief);

}  // namespace tocsin::investigate
