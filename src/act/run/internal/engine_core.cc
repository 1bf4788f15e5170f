#include "act/run/internal/engine_core.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "act/plan/claim_template.h"
#include "act/trust/trust_book.h"
#include "claims/claim_text.h"
#include "respond/json_text.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/timeline.h"

namespace tocsin::act::internal {

using nlohmann::json;

Status EngineCore::Apply(ActiveRun& run, const Change& change) {
  const std::lock_guard lock(run.mutex);
  RunState next = run.state;
  const Status status = sources.ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
    next = run.state;
    std::vector<RunEvent> events;
    TOCSIN_RETURN_IF_ERROR(change(next, events, transaction));
    for (RunEvent& event : events) {
      event.body["run"] = next.id;
      event.body["runbook"] = next.plan->runbook;
      TOCSIN_RETURN_IF_ERROR(
          respond::AppendEvent(transaction, event.kind, next.incident.empty() ? next.id : next.incident,
                               event.actor.empty() ? "tocsin" : event.actor, event.body, Now()));
    }
    return transaction.PutDocument({"runs", next.id, IsRunOver(next.state) ? Time{} : next.began,
                                    respond::DumpJson(RunStateToJson(next))});
  });
  if (!status.ok()) return status;
  const bool called = next.escalation != run.state.escalation;
  run.state = std::move(next);
  if (called && sources.called) sources.called();
  Wake();
  return status;
}

Status EngineCore::SetStep(ActiveRun& run, const std::string& step,
                           const std::function<void(StepState&)>& change) {
  return Apply(run, [&](RunState& state, std::vector<RunEvent>& events, store::LedgerTransaction&) -> Status {
    StepState& s = state.steps.at(step);
    change(s);
    if (IsStepOver(s.state) && !s.ended.known()) s.ended = Now();
    json body = {{"step", step}, {"state", s.state}};
    if (!s.what.empty()) body["what"] = s.what;
    if (!s.reasons.empty()) body["reasons"] = s.reasons;
    events.push_back({"run.step", "", std::move(body)});
    return {};
  });
}

Status EngineCore::CallPerson(RunState& run, const std::string& what, store::LedgerTransaction& transaction) {
  if (!run.escalation.empty()) return {};
  respond::Declaration declaration;
  declaration.kind = "runbook";
  declaration.key = "run/" + run.id;
  declaration.severity = "sev2";
  declaration.title = claims::Printable(
      fmt::format("{}{}: {}", run.plan->title, run.incident.empty() ? "" : " for " + run.incident, what),
      300);
  declaration.document_json = respond::DumpJson(
      {{"run", run.id}, {"runbook", run.plan->runbook}, {"incident", run.incident}, {"what", what}});
  declaration.onset = Now();
  if (!run.incident.empty()) {
    TOCSIN_ASSIGN_OR_RETURN(const auto incident, transaction.FindIncident(IncidentId{run.incident}));
    if (incident) declaration.service = incident->service, declaration.severity = incident->severity;
  }
  TOCSIN_ASSIGN_OR_RETURN(const signal::Incident opened,
                          respond::DeclareIncident(transaction, declaration, {"tocsin", false, true}, Now()));
  run.escalation = opened.id.value;
  return {};
}

std::optional<signal::Incident> EngineCore::IncidentOf(const RunState& run) const {
  if (run.incident.empty()) return {};
  auto incident = sources.ledger.FindIncident(IncidentId{run.incident});
  return incident ? *incident : std::nullopt;
}

RunState EngineCore::Copy(ActiveRun& run) const {
  const std::lock_guard lock(run.mutex);
  return run.state;
}

ActionCall EngineCore::CallOf(const RunState& run, const PlanStep& step, const StepCall& call,
                              const std::optional<CallTemplate>& inverse) const {
  ActionCall out = PolicyCall(step, run, call, inverse, sources.executors.Spec(step.call.action));
  const auto library = sources.runbooks();
  const Runbook* runbook = library ? library->Find(run.plan->runbook) : nullptr;
  out.advise_only = runbook != nullptr && runbook->advise_only;
  return out;
}

ActionCall EngineCore::UndoCallOf(const RunState& run, const PlanStep& step) const {
  return PolicyUndoCall(step, run, sources.executors.Spec(run.steps.at(step.id).inverse->action));
}

PolicyFacts EngineCore::Facts(const RunState& run, const PlanStep& step, const ActionCall& call) const {
  const auto settings = sources.settings();
  const auto library = sources.runbooks();
  PolicyFacts facts;
  facts.now = Now();
  facts.killed = sources.kill.Engaged();
  for (const Freeze& freeze : settings->freezes) {
    bool on = freeze.intervals.empty();
    for (const auto& interval : freeze.intervals) on = on || interval.Contains(facts.now);
    if (on) facts.freezes.push_back({freeze.name, freeze.reason, freeze.except});
  }
  facts.action_known = sources.executors.Find(call.action) != nullptr;
  if (call.is_inverse || run.plan->runbook == kDrillRunbook) {
    facts.step_current = true;  // it was decided with its step; a drill is in no library
  } else if (library) {
    const Runbook* runbook = library->Find(run.plan->runbook);
    facts.step_current = runbook != nullptr && library->VersionOf(run.plan->runbook) == run.plan->version;
    facts.runbook_stale =
        runbook != nullptr &&
        (!runbook->last_validated.known() || facts.now - runbook->last_validated > runbook->validate_every);
  }
  if (call.by_agent) {
    const AgentTrouble trouble = log.Breaker(call.actor, settings->breaker, facts.now);
    facts.breaker_open = trouble.open;
    facts.breaker_why = trouble.why;
    const auto trust = ReadTrust(sources.ledger, call.actor, ActionClass(call.action));
    // A record that cannot be read allows nothing by itself.
    facts.trust_ceiling = trust ? trust->ceiling : Tier::kObserve;
  }
  if (const auto incident = IncidentOf(run)) facts.incident_global = incident->severity == "sev1";
  facts.claims_verified = run.evidence_held;
  const std::string& approval = run.steps.at(step.id).approval;
  if (!approval.empty()) {
    const auto asked = ReadApproval(sources.ledger, approval);
    if (asked && *asked) facts.approvals = GivenOf(**asked);
  }
  return facts;
}

std::vector<CheckedClaim> EngineCore::CheckTemplates(const std::vector<json>& templates,
                                                     const StepContext& context, Time step_began) const {
  std::vector<CheckedClaim> out(templates.size());
  std::vector<claims::Claim> whole;
  std::vector<size_t> places;
  for (size_t i = 0; i < templates.size(); ++i) {
    auto claim = ResolveClaim(templates[i], LookupFor(context), {Now(), step_began});
    if (!claim) {
      out[i].verdict = kBrokenClaim;
      out[i].text = "a claim of the runbook cannot be run";
      out[i].why = claim.error().message();
      continue;
    }
    whole.push_back(std::move(*claim));
    places.push_back(i);
  }
  if (whole.empty()) return out;
  const auto checked = sources.check(whole);
  for (size_t k = 0; k < places.size() && k < checked.size(); ++k) out[places[k]] = checked[k];
  return out;
}

void EngineCore::Wake() {
  {
    const std::lock_guard lock(mutex);
    woken = true;
  }
  wake.notify_all();
}

TargetHold::TargetHold(EngineCore& core, const std::vector<Target>& targets, const std::string& owner)
    : core_(core), targets_(targets) {
  const std::lock_guard lock(core_.mutex);
  for (const Target& target : targets_) {
    if (const auto it = core_.targets.find(target); it != core_.targets.end()) {
      by_ = it->second;
      return;
    }
  }
  for (const Target& target : targets_) core_.targets.emplace(target, owner);
  held_ = true;
}

TargetHold::~TargetHold() {
  if (!held_) return;
  {
    const std::lock_guard lock(core_.mutex);
    for (const Target& target : targets_) core_.targets.erase(target);
    core_.woken = true;
  }
  core_.wake.notify_all();
}

}  // namespace tocsin::act::internal
