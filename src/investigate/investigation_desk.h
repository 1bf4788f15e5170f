// InvestigationDesk: what the surfaces ask of an investigation: claims run, context packs, briefs made,
// stored, and run again.
//
// A brief is stored with its incident in the ledger (documents "briefs", one an incident, the newest) and
// each making is an event on the timeline; what was said to and by a model is kept beside it ("exchanges").
// Ownership: refers to its sources, which must outlive it. Thread-safety: all methods; they block for
// seconds, so not on an I/O thread. One brief is made and one model asked at a time. Errors: kNotFound,
// kResourceExhausted (another brief is being made), the stores'.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "claims/claim.h"
#include "claims/verifier.h"
#include "investigate/brief/brief.h"
#include "investigate/context/build_context.h"
#include "kernel/id.h"
#include "ports/clock.h"

namespace tocsin::investigate {

class Investigator;

struct InvestigationSources {
  ContextSources context;  // its `dispatch` is left out: see on_call
  const claims::BehaviorSource* behavior = nullptr;
  const ports::Clock& clock;
  Investigator* investigator = nullptr;                                     // null: no model is configured
  std::function<std::shared_ptr<const respond::DispatchConfig>()> on_call;  // as configured now
};

// A brief's claims run again.
struct BriefRecheck {
  Brief brief;  // with the new verdicts
  struct Change {
    size_t line = 0;
    std::string before, now;  // parts: "proven", "refuted" …
    std::string why;
  };
  std::vector<Change> changed;
  uint64_t run = 0, held = 0;
};

class InvestigationDesk {
 public:
  explicit InvestigationDesk(const InvestigationSources& sources) : sources_(sources) {}

  // Each claim run now, in order, as lines of a brief.
  std::vector<BriefLine> Check(const std::vector<claims::Claim>& claims) const;
  Result<ContextPack> Context(const IncidentId& id) const;

  // Makes and stores. With `ask_model`, a configured model is asked as well; what it says is verified.
  Result<Brief> Make(const IncidentId& id, bool ask_model, std::stop_token stop = {});
  Result<std::optional<Brief>> Stored(const IncidentId& id) const;
  Result<BriefRecheck> Recheck(const IncidentId& id) const;
  bool has_model() const { return sources_.investigator != nullptr; }

  // Incidents that are not over and have no brief, oldest first. `briefed` remembers, from call to
  // call, those that have one, so that a brief is not read again to see that it is there.
  Result<std::vector<IncidentId>> WithoutBrief(std::set<std::string>& briefed) const;

 private:
  claims::VerifierSources Sources() const;
  Status Store(const Brief& brief, const std::vector<std::string>& exchanges);

  InvestigationSources sources_;
  std::mutex making_;
  std::mutex asking_;
};

}  // namespace tocsin::investigate
