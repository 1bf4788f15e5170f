// A step on its way to its effect: conditions, resolution, policy, a look, the question to people.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "act/run/internal/engine_core.h"
#include "act/trust/trust_book.h"
#include "claims/claim_text.h"
#include "respond/json_text.h"

namespace tocsin::act::internal {
namespace {

using nlohmann::json;
constexpr int kMostTries = 3;
constexpr int kMostQuestions = 5;

// One step while a worker has it.
struct Advance {
  EngineCore& core;
  const RunPointer& run;
  const RunState state;  // as it was when the worker took it
  const PlanStep& step;
  const std::optional<signal::Incident> incident;
  std::shared_ptr<const ActSettings> settings;

  StepContext context() const { return {state, incident}; }
  const StepState& now_state() const { return state.steps.at(step.id); }
};

void Later(const Advance& a, Duration pause) {
  const std::lock_guard lock(a.run->mutex);
  a.run->probe_at[a.step.id] = a.core.Now() + pause;
}

std::string EndedAs(const std::string& state) {
  if (state == "done" || state == "skipped") return state;
  return IsStepOver(state) ? "failed" : "";
}

// Errors: it cannot be told.
Result<bool> Holds(const Advance& a, const PlanCondition& condition) {
  bool holds = false;
  if (!condition.claim.is_null()) {
    const auto checked = a.core.CheckTemplates({condition.claim}, a.context(), {});
    if (checked.front().verdict == "unverifiable" || checked.front().verdict == kBrokenClaim)
      return Error(Code::kFailedPrecondition, checked.front().text + ": " + checked.front().why);
    holds = checked.front().held();
  } else if (!condition.step.empty()) {
    holds = EndedAs(a.state.steps.at(condition.step).state) == condition.ended;
  } else {
    TOCSIN_ASSIGN_OR_RETURN(const Resolved value,
                            ResolvePlaceholders(condition.value, LookupFor(a.context()), "value"));
    holds = TextOf(value.json) == condition.is;
  }
  return holds != condition.negate;
}

Status Refuse(const Advance& a, const std::string& what, const std::vector<PolicyReason>& reasons,
              const ActionCall& call) {
  const bool killed =
      std::any_of(reasons.begin(), reasons.end(), [](const auto& r) { return r.rule == "kill_switch"; });
  return a.core.Apply(
      *a.run,
      [&](RunState& run, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
        StepState& s = run.steps.at(a.step.id);
        s.state = killed ? "stopped" : "refused";
        s.what = claims::Printable(what, 500);
        s.ended = a.core.Now();
        s.reasons.clear();
        json why = json::array(), parameters = json::array();
        for (const PolicyReason& reason : reasons) {
          s.reasons.push_back(claims::Printable(reason.text, 500));
          why.push_back({{"rule", reason.rule}, {"text", claims::Printable(reason.text, 500)}});
        }
        for (const Parameter& parameter : call.parameters) {
          for (const ParameterPart& part : parameter.parts)
            parameters.push_back({{"name", parameter.name},
                                  {"origin", OriginName(part.origin)},
                                  {"value", claims::Printable(TextOf(part.value), 200)}});
        }
        events.push_back({"run.refused",
                          "",
                          {{"step", a.step.id},
                           {"action", a.step.call.action},
                           {"actor", call.actor},
                           {"what", s.what},
                           {"reasons", std::move(why)},
                           {"parameters", std::move(parameters)}}});
        if (call.by_agent) {
          TOCSIN_RETURN_IF_ERROR(
              a.core.log.Refused(transaction, call.actor, KeyOf(run, a.step.id, false), a.core.Now()));
          TOCSIN_RETURN_IF_ERROR(NoteTrust(transaction, call.actor, ActionClass(a.step.call.action),
                                           {.refused = 1}, a.core.Now()));
        }
        const bool half =
            std::any_of(run.steps.begin(), run.steps.end(), [](const auto& e) { return e.second.moved; });
        if (half)
          return a.core.CallPerson(run, "stopped half way, at " + a.step.id + ": " + s.what, transaction);
        return {};
      });
}

Status Fail(const Advance& a, const std::string& what) {
  return a.core.Apply(
      *a.run,
      [&](RunState& run, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
        StepState& s = run.steps.at(a.step.id);
        s.state = "failed";
        s.what = claims::Printable(what, 500);
        s.ended = a.core.Now();
        events.push_back({"run.step", "", {{"step", a.step.id}, {"state", "failed"}, {"what", s.what}}});
        return a.core.CallPerson(run, a.step.id + ": " + s.what, transaction);
      });
}

std::string InverseText(const PlanStep& step, const std::optional<CallTemplate>& inverse) {
  if (inverse) return CallText(*inverse);
  return step.no_inverse.empty() ? "there is none" : "there is none: " + step.no_inverse;
}

json EvidenceOf(const RunState& run, const std::vector<CheckedClaim>& required) {
  json evidence = json::array();
  for (const CheckedClaim& claim : required)
    evidence.push_back({{"text", claim.text}, {"verdict", claim.verdict}, {"why", claim.why}});
  for (const json& claim : run.evidence) {
    evidence.push_back({{"text", claim.value("text", "")},
                        {"verdict", claim.value("verdict", "")},
                        {"why", claim.value("why", "")}});
  }
  return evidence;
}

// Everything that was found out about the call.
struct Found {
  StepCall resolved;
  std::optional<CallTemplate> inverse;
  Preview preview;
  std::vector<CheckedClaim> required;
  ActionCall call;
};

Approval QuestionOf(const Advance& a, const Found& found, const Decision& decision) {
  const bool adopts = decision.verdict == Decision::Verdict::kAdvise;
  Approval q;
  q.run = a.state.id;
  q.step = a.step.id;
  q.runbook = a.state.plan->runbook;
  q.incident = a.state.incident;
  q.call_hash = found.call.hash;
  q.action = found.call.action;
  q.state = "open";
  q.title = a.step.title.empty() ? a.step.id : a.step.title;
  q.call = CallText(found.resolved.call);
  q.preview = claims::Printable(found.preview.text, 500);
  q.inverse = InverseText(a.step, found.inverse);
  q.proposed_by = found.call.actor;
  q.why = a.state.why;
  q.proposed_by_agent = found.call.by_agent;
  q.adopts = adopts;
  q.targets = found.resolved.targets;
  q.reach = found.call.reach;
  for (const PolicyReason& reason : decision.reasons)
    q.reasons.push_back(claims::Printable(reason.text, 300));
  q.evidence = EvidenceOf(a.state, found.required);
  q.needed = adopts ? 1 : decision.approvals_needed;
  q.asked = a.core.Now();
  q.expires = q.asked + a.settings->rules.approval_expires;
  return q;
}

Status Ask(const Advance& a, const Found& found, const Decision& decision) {
  if (a.now_state().questions >= kMostQuestions)
    return Refuse(a, fmt::format("what is there keeps changing: it was asked {} times", kMostQuestions), {},
                  found.call);
  Approval question = QuestionOf(a, found, decision);
  const Status applied = a.core.Apply(
      *a.run,
      [&](RunState& run, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
        StepState& s = run.steps.at(a.step.id);
        if (!s.approval.empty()) {
          TOCSIN_RETURN_IF_ERROR(WithdrawApproval(transaction, s.approval, "withdrawn"));
        }
        TOCSIN_ASSIGN_OR_RETURN(question.id, FreshActId(transaction, "AP-", "approvals"));
        TOCSIN_RETURN_IF_ERROR(PutApproval(transaction, question));
        s.state = "asking";
        s.approval = question.id;
        ++s.questions;
        s.targets = question.targets;
        s.reasons = question.reasons;
        s.what =
            fmt::format("waits for {} to approve, until {}", question.needed == 1 ? "a person" : "two people",
                        FormatTimeForPeople(question.expires));
        events.push_back({"run.asked", "", ApprovalToJson(question)});
        return {};
      });
  if (!applied.ok()) return applied;
  {
    const std::lock_guard lock(a.run->mutex);
    a.run->expires[a.step.id] = question.expires;
  }
  if (a.core.sources.asked) a.core.sources.asked(question);
  return {};
}

Status Execute(const Advance& a, const Found& found, const Decision& decision, Executor& executor) {
  EngineCore& core = a.core;
  const std::string key = KeyOf(a.state, a.step.id, false);
  const bool read_only = found.call.read_only;
  const Status stored = core.Apply(
      *a.run,
      [&](RunState& run, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
        StepState& s = run.steps.at(a.step.id);
        s.state = "running";
        s.effect = CommittedCall{found.resolved.call, key, found.call.hash, core.Now(), {}};
        s.inverse = found.inverse;
        s.targets = found.resolved.targets;
        s.what = claims::Printable(found.preview.text, 500);
        s.reasons.clear();
        if (!s.began.known()) s.began = core.Now();
        json targets = json::array(), approvals = json::array();
        for (const Target& t : s.targets) targets.push_back({{"kind", t.kind}, {"name", t.name}});
        if (decision.approvals_needed > 0) approvals.push_back(s.approval);
        events.push_back({"run.intent",
                          "",
                          {{"step", a.step.id},
                           {"key", key},
                           {"action", found.resolved.call.action},
                           {"with", found.resolved.call.with},
                           {"targets", std::move(targets)},
                           {"hash", found.call.hash},
                           {"actor", found.call.actor},
                           {"approved_by", std::move(approvals)},
                           {"inverse", InverseText(a.step, found.inverse)}}});
        return read_only ? Status() : core.log.Put(transaction, key);
      });
  if (!stored.ok()) {
    core.log.Forget(key);
    return stored;
  }
  core.Boundary("intent", a.step.id);
  const KillSubject subject = SubjectOf(found.call);
  std::stop_source stop;
  bool stopping = false;
  {
    const std::lock_guard lock(a.run->mutex);
    a.run->effects[a.step.id] = {stop, subject};
    stopping = a.run->stopping;
  }
  Receipt receipt;
  if (stopping || core.stopping.stop_requested()) {
    receipt = {Receipt::Outcome::kNotDone, "stopped before anything left", {}, {}};
  } else if (const auto blocked = core.sources.kill.Blocks(subject, true); blocked) {
    receipt = {Receipt::Outcome::kNotDone, "the kill switch '" + blocked->scope.ToText() + "' is on", {}, {}};
    stop.request_stop();
  } else {
    receipt =
        executor.Run({found.resolved.call.action, found.resolved.call.with, key, found.resolved.call.timeout},
                     stop.get_token());
  }
  core.Boundary("effect", a.step.id);
  return StoreReceipt(core, *a.run, a.step.id, receipt);
}

// The decision after everything is known, and what follows.
Status DecideStep(const Advance& a, const Found& found, Executor& executor) {
  EngineCore& core = a.core;
  PolicyFacts facts = core.Facts(a.state, a.step, found.call);
  facts.claims_required = static_cast<int>(found.required.size());
  for (const CheckedClaim& claim : found.required) facts.claims_required_held += claim.held() ? 1 : 0;
  facts.claims_verified += facts.claims_required_held;
  for (const Target& target : found.resolved.targets) facts.targets[target] = found.preview.facts;
  const std::string key = KeyOf(a.state, a.step.id, false);
  Decision decision = core.log.DecideAndReserve(a.settings->rules, std::move(facts), found.call, key);
  core.Boundary("decided", a.step.id);
  if (decision.verdict == Decision::Verdict::kRefuse) {
    for (const CheckedClaim& claim : found.required) {
      if (!claim.held())
        decision.reasons.push_back({"precondition", claim.verdict + ": " + claim.text + ": " + claim.why});
    }
    return Refuse(a, decision.reasons.front().text, decision.reasons, found.call);
  }
  if (found.preview.no_change && !found.call.read_only) {
    core.log.Forget(key);
    return core.SetStep(*a.run, a.step.id, [&](StepState& s) {
      s.state = "done";
      s.what = claims::Printable("already so: " + found.preview.text, 500);
      s.reasons.clear();
    });
  }
  if (decision.verdict != Decision::Verdict::kAllow) return Ask(a, found, decision);
  return Execute(a, found, decision, executor);
}

Status ActOn(const Advance& a) {
  EngineCore& core = a.core;
  Executor* executor = core.sources.executors.Find(a.step.call.action);
  Found found;
  auto resolved = ResolveStep(a.step, a.context());
  if (!resolved) return Refuse(a, resolved.error().message(), {}, core.CallOf(a.state, a.step, {}, {}));
  found.resolved = std::move(*resolved);
  found.call = core.CallOf(a.state, a.step, found.resolved, {});
  // Before anybody is asked anything, the executor included: what is refused already goes nowhere.
  if (const Decision early =
          core.log.DecideOnly(a.settings->rules, core.Facts(a.state, a.step, found.call), found.call);
      early.verdict == Decision::Verdict::kRefuse)
    return Refuse(a, early.reasons.front().text, early.reasons, found.call);
  const ExecutorCall call{found.resolved.call.action, found.resolved.call.with,
                          KeyOf(a.state, a.step.id, false), found.resolved.call.timeout};
  if (const Status checked = executor->Check(call); !checked.ok())
    return Refuse(a, checked.message(), {}, found.call);
  const TargetHold hold(core, found.resolved.targets, a.state.id + " " + a.step.id);
  if (!hold.held()) {
    Later(a, Duration::Millis(500));
    return {};
  }
  auto preview = executor->Look(call, core.stopping.get_token());
  if (!preview) {
    if (!preview.error().retryable()) return Refuse(a, preview.error().message(), {}, found.call);
    if (a.now_state().tries + 1 >= kMostTries)
      return Fail(a, "cannot be looked at: " + preview.error().message());
    return core.SetStep(*a.run, a.step.id, [&](StepState& s) {
      ++s.tries;
      s.what = claims::Printable("is tried again: " + preview.error().message(), 500);
      s.not_before = core.Now() + Duration::Seconds(int64_t{1} << s.tries);
    });
  }
  found.preview = std::move(*preview);
  found.required = core.CheckTemplates(a.step.requires_claims, a.context(), {});
  std::vector<Parameter> parameters = found.resolved.parameters;
  auto inverse = ResolveInverse(a.step, a.context(), found.resolved, found.preview.undo, parameters);
  if (!inverse) return Refuse(a, inverse.error().message(), {}, found.call);
  found.inverse = std::move(*inverse);
  found.resolved.parameters = std::move(parameters);
  found.call = core.CallOf(a.state, a.step, found.resolved, found.inverse);
  return DecideStep(a, found, *executor);
}

// Whether a stop condition of the runbook holds; the run then stops.
Result<bool> StopsHere(const Advance& a) {
  if (a.state.plan->stop_when.empty()) return false;
  for (const CheckedClaim& claim : a.core.CheckTemplates(a.state.plan->stop_when, a.context(), {})) {
    if (claim.verdict == kBrokenClaim) return Error(Code::kInvalidArgument, "stop_when: " + claim.why);
    if (!claim.held()) continue;
    const Status applied = a.core.Apply(
        *a.run,
        [&](RunState& run, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
          run.stop_reason = claims::Printable("a stop condition is met: " + claim.text, 500);
          events.push_back({"run.stopped", "", {{"reason", run.stop_reason}}});
          return a.core.CallPerson(run, run.stop_reason, transaction);
        });
    if (!applied.ok()) return Error(applied);
    return true;
  }
  return false;
}

Status Begin(const Advance& a) {
  if (a.now_state().state == "waiting") {
    for (const PlanCondition& condition : a.step.when) {
      const auto holds = Holds(a, condition);
      if (!holds) return Fail(a, "cannot be decided: " + holds.error().message());
      if (*holds) continue;
      return a.core.SetStep(*a.run, a.step.id, [&](StepState& s) {
        s.state = "skipped";
        s.what = "its condition does not hold";
      });
    }
    if (!a.step.manual && a.step.call.action.empty())
      return a.core.SetStep(*a.run, a.step.id, [](StepState& s) { s.state = "done"; });
    const auto stops = StopsHere(a);
    if (!stops && stops.error().code() == Code::kInvalidArgument) return Fail(a, stops.error().message());
    if (!stops) return stops.error();
    if (*stops) return {};
  }
  if (!a.step.manual) return ActOn(a);
  return a.core.Apply(
      *a.run,
      [&](RunState& run, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
        StepState& s = run.steps.at(a.step.id);
        s.state = "manual";
        s.what = InstructionsOf(a.step, a.context());
        s.began = a.core.Now();
        events.push_back({"run.step", "", {{"step", a.step.id}, {"state", "manual"}, {"what", s.what}}});
        if (!run.by_agent) return {};
        return a.core.CallPerson(run, "a person must do step " + a.step.id, transaction);
      });
}

}  // namespace

void AdvanceStep(EngineCore& core, const RunPointer& run, const std::string& id) {
  RunState state = core.Copy(*run);
  const PlanStep* step = FindStep(*state.plan, id);
  std::optional<signal::Incident> incident = core.IncidentOf(state);
  const Advance a{core, run, std::move(state), *step, std::move(incident), core.sources.settings()};
  const Status status = a.now_state().state == "asking" ? Reconsider(core, run, id) : Begin(a);
  if (status.ok()) return;
  spdlog::error("{} of {}: {}; it is tried again", id, a.state.id, status.message());
  Later(a, Duration::Seconds(1));
}

}  // namespace tocsin::act::internal
