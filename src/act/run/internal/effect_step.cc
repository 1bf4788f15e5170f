// A step from its effect on: the receipt, the proof by claim, the inverse, and recovery after a crash.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "act/policy/call_hash.h"
#include "act/run/internal/engine_core.h"
#include "act/trust/trust_book.h"
#include "claims/claim_text.h"
#include "respond/json_text.h"

namespace tocsin::act::internal {
namespace {

using nlohmann::json;
constexpr int kMostTries = 3;
constexpr auto kStorePause = std::chrono::milliseconds(100);

Status Trust(const RunState& run, const std::string& step, const TrustNews& news,
             store::LedgerTransaction& transaction, Time now) {
  const PlanStep& planned = *FindStep(*run.plan, step);
  if (!run.by_agent || planned.call.action.empty()) return {};
  return NoteTrust(transaction, run.by, ActionClass(planned.call.action), news, now);
}

// How a receipt came about.
struct ReceiptOf {
  bool halted = false;     // no further try
  bool recovered = false;  // by another process than the one that sent it
};

// What becomes of the step when its effect ended so.
Status TakeReceipt(EngineCore& core, RunState& run, const std::string& id, const Receipt& receipt,
                   const ReceiptOf& of, store::LedgerTransaction& transaction) {
  const PlanStep& step = *FindStep(*run.plan, id);
  StepState& s = run.steps.at(id);
  const Time now = core.Now();
  const std::string key = s.effect->key;
  s.effect->receipt = receipt;
  s.what = claims::Printable(receipt.text, 500);
  switch (receipt.outcome) {
    case Receipt::Outcome::kDone:
      s.moved = s.inverse.has_value() || !step.expects.empty() || !step.no_inverse.empty();
      s.state = step.expects.empty() ? "done" : "proving";
      if (step.expects.empty()) s.ended = now;
      s.prove_until = now + step.effect_within;
      return Trust(run, id, {.executed = 1}, transaction, now);
    case Receipt::Outcome::kFailed:
      s.state = "failed";
      s.ended = now;
      core.log.Failed(key);
      TOCSIN_RETURN_IF_ERROR(core.log.Put(transaction, key));
      TOCSIN_RETURN_IF_ERROR(Trust(run, id, {.executed = 1, .failed = 1}, transaction, now));
      if (step.go_on_if_failed) return {};
      return core.CallPerson(run, id + " failed: " + s.what, transaction);
    case Receipt::Outcome::kNotDone:
      TOCSIN_RETURN_IF_ERROR(core.log.Drop(transaction, key));
      if (of.halted) {
        s.state = "stopped";
        s.ended = now;
        return {};
      }
      if (of.recovered) {  // the process ended before it left: decided and sent as for the first time
        s.state = "waiting";
        s.effect.reset();
        return {};
      }
      if (++s.tries >= kMostTries) {
        s.state = "failed";
        s.ended = now;
        return core.CallPerson(run, id + " could not be begun: " + s.what, transaction);
      }
      s.state = "waiting";
      s.effect.reset();
      s.not_before = now + Duration::Seconds(int64_t{1} << s.tries);
      return {};
    case Receipt::Outcome::kUnknown:
      s.state = "unknown";
      s.moved = true;
      return core.CallPerson(run, id + ": nobody knows whether it happened: " + s.what, transaction);
  }
  return {};
}

json ReceiptBody(const std::string& step, const std::string& key, const Receipt& receipt) {
  return {{"step", step},
          {"key", key},
          {"outcome", OutcomeName(receipt.outcome)},
          {"text", claims::Printable(receipt.text, 500)},
          {"evidence", receipt.evidence}};
}

// Until it is stored, or the engine stops: an effect without a stored receipt is recovered by the next
// process.
Status StoreUntil(EngineCore& core, ActiveRun& run, const Change& change) {
  for (;;) {
    const Status status = core.Apply(run, change);
    if (status.ok() || core.stopping.stop_requested()) return status;
    spdlog::error("a receipt could not be stored: {}; it is tried again", status.message());
    std::this_thread::sleep_for(kStorePause);
  }
}

Status NotProven(EngineCore& core, ActiveRun& run, const std::string& id, const std::string& why) {
  return core.Apply(
      run,
      [&](RunState& state, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
        StepState& s = state.steps.at(id);
        s.state = "failed";
        s.ended = core.Now();
        s.what = claims::Printable(why, 500);
        events.push_back({"run.step", "", {{"step", id}, {"state", "failed"}, {"what", s.what}}});
        core.log.Failed(s.effect->key);
        TOCSIN_RETURN_IF_ERROR(core.log.Put(transaction, s.effect->key));
        TOCSIN_RETURN_IF_ERROR(Trust(state, id, {.failed = 1}, transaction, core.Now()));
        return core.CallPerson(state, id + ": " + why + "; nothing can undo it", transaction);
      });
}

// The end of an inverse, from its receipt.
Status TakeUndone(EngineCore& core, RunState& run, const std::string& id, const Receipt& receipt, bool proof,
                  store::LedgerTransaction& transaction) {
  StepState& s = run.steps.at(id);
  s.undo->receipt = receipt;
  s.ended = core.Now();
  const std::string text = claims::Printable(receipt.text, 400);
  if (receipt.outcome == Receipt::Outcome::kDone) {
    s.state = "undone";
    s.moved = false;
    s.what = (proof ? "no effect was proven, so it was undone: " : "undone: ") + text;
    if (!proof) return {};
    TOCSIN_RETURN_IF_ERROR(Trust(run, id, {.undone = 1}, transaction, core.Now()));
    return core.CallPerson(run, id + " had no effect and was undone", transaction);
  }
  s.state = "undo_failed";
  s.what = fmt::format("could not be undone ({}): {}", OutcomeName(receipt.outcome), text);
  return core.CallPerson(run, id + " " + s.what, transaction);
}

}  // namespace

Status StoreReceipt(EngineCore& core, ActiveRun& run, const std::string& step, const Receipt& receipt,
                    bool recovered) {
  ReceiptOf of{false, recovered};
  {
    const std::lock_guard lock(run.mutex);
    const auto effect = run.effects.find(step);
    of.halted = run.stopping || (effect != run.effects.end() && effect->second.stop.stop_requested());
    if (effect != run.effects.end()) run.effects.erase(effect);
    if (receipt.outcome == Receipt::Outcome::kNotDone) core.log.Forget(run.state.steps.at(step).effect->key);
  }
  const Status status = StoreUntil(
      core, run, [&](RunState& state, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) {
        events.push_back({"run.receipt", "", ReceiptBody(step, state.steps.at(step).effect->key, receipt)});
        return TakeReceipt(core, state, step, receipt, of, transaction);
      });
  core.Boundary("receipt", step);
  return status;
}

void ProveStep(EngineCore& core, const RunPointer& run, const std::string& id) {
  const RunState state = core.Copy(*run);
  const PlanStep& step = *FindStep(*state.plan, id);
  const StepState& s = state.steps.at(id);
  const auto incident = core.IncidentOf(state);
  const auto checked = core.CheckTemplates(step.expects, {state, incident}, s.effect->at);
  const auto missing = std::find_if(checked.begin(), checked.end(), [](const auto& c) { return !c.held(); });
  Status status;
  if (missing == checked.end()) {
    status = core.Apply(
        *run,
        [&](RunState& next, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
          StepState& proven = next.steps.at(id);
          proven.state = "done";
          proven.ended = core.Now();
          proven.what = claims::Printable("proven: " + checked.front().text, 500);
          events.push_back({"run.step", "", {{"step", id}, {"state", "done"}, {"what", proven.what}}});
          return Trust(next, id, {.helped = 1}, transaction, core.Now());
        });
    core.Boundary("proved", id);
  } else if (core.Now() < s.prove_until) {
    const Duration pause{
        std::clamp(step.effect_within.ns / 20, Duration::Millis(250).ns, Duration::Seconds(30).ns)};
    const std::lock_guard lock(run->mutex);
    run->probe_at[id] = std::min(core.Now() + pause, s.prove_until);
    return;
  } else if (s.inverse) {
    UndoStep(core, run, id, true);
    return;
  } else {
    status = NotProven(core, *run, id,
                       fmt::format("no effect within {}: {}: {}", FormatDuration(step.effect_within),
                                   missing->verdict, missing->text));
  }
  if (!status.ok()) spdlog::error("{} of {}: {}; it is tried again", id, state.id, status.message());
}

namespace {

// The policy and the switch, on an inverse as it would leave; why not, or nothing.
std::optional<std::string> UndoForbidden(EngineCore& core, const RunState& state, const PlanStep& step,
                                         const ActionCall& call, const std::string& key) {
  const Decision decision =
      core.log.DecideAndReserve(core.sources.settings()->rules, core.Facts(state, step, call), call, key);
  if (decision.verdict == Decision::Verdict::kAllow) return {};
  return decision.reasons.empty() ? std::string(VerdictName(decision.verdict))
                                  : decision.reasons.front().text;
}

Status StoreUndone(EngineCore& core, const RunPointer& run, const std::string& id, const Receipt& receipt,
                   bool proof) {
  {
    const std::lock_guard lock(run->mutex);
    run->effects.erase(id);
  }
  const Status status = StoreUntil(
      core, *run, [&](RunState& state, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) {
        events.push_back({"run.receipt", "", ReceiptBody(id, state.steps.at(id).undo->key, receipt)});
        return TakeUndone(core, state, id, receipt, proof, transaction);
      });
  core.Boundary("undo_receipt", id);
  return status;
}

Status BeginUndo(EngineCore& core, const RunPointer& run, const std::string& id, const std::string& key) {
  return core.Apply(
      *run,
      [&](RunState& state, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
        StepState& s = state.steps.at(id);
        s.undo = CommittedCall{*s.inverse, key, s.effect ? s.effect->hash : "", core.Now(), {}};
        s.state = "undoing";
        s.ended = {};
        events.push_back({"run.intent",
                          state.undo_by,
                          {{"step", id},
                           {"key", key},
                           {"action", s.inverse->action},
                           {"with", s.inverse->with},
                           {"undoes", s.effect->key}}});
        return core.log.Put(transaction, key);
      });
}

}  // namespace

void UndoStep(EngineCore& core, const RunPointer& run, const std::string& id, bool proof) {
  const RunState state = core.Copy(*run);
  const PlanStep& step = *FindStep(*state.plan, id);
  const StepState& s = state.steps.at(id);
  const std::string key = KeyOf(state, id, true);
  const ActionCall call = core.UndoCallOf(state, step);
  const auto forbidden = UndoForbidden(core, state, step, call, key);
  Status status = BeginUndo(core, run, id, key);
  if (!status.ok()) {
    spdlog::error("{} of {}: {}; it is tried again", id, state.id, status.message());
    return;
  }
  core.Boundary("undo_intent", id);
  const KillSubject subject = SubjectOf(call);
  std::stop_source stop;
  {
    const std::lock_guard lock(run->mutex);
    run->effects[id] = {stop, subject};
  }
  Receipt receipt;
  Executor* executor = core.sources.executors.Find(s.inverse->action);
  if (forbidden || executor == nullptr) {
    receipt = {Receipt::Outcome::kNotDone, forbidden.value_or("no executor is configured for it"), {}, {}};
  } else {
    for (int tries = 0; tries < kMostTries && !stop.stop_requested() && !core.stopping.stop_requested();
         ++tries) {
      if (const auto blocked = core.sources.kill.Blocks(subject, true)) {
        receipt = {
            Receipt::Outcome::kNotDone, "the kill switch '" + blocked->scope.ToText() + "' is on", {}, {}};
        break;
      }
      receipt =
          executor->Run({s.inverse->action, s.inverse->with, key, s.inverse->timeout}, stop.get_token());
      if (receipt.outcome != Receipt::Outcome::kNotDone) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(200 << tries));
    }
  }
  core.Boundary("undo_effect", id);
  status = StoreUndone(core, run, id, receipt, proof);
  if (!status.ok())
    spdlog::error("the receipt of {} of {} is not stored: {}", id, state.id, status.message());
}

void RecoverStep(EngineCore& core, const RunPointer& run, const std::string& id) {
  const RunState state = core.Copy(*run);
  const StepState& s = state.steps.at(id);
  const bool undoing = s.state == "undoing";
  const CommittedCall& committed = undoing ? *s.undo : *s.effect;
  Executor* executor = core.sources.executors.Find(committed.call.action);
  Receipt receipt{Receipt::Outcome::kUnknown, "no executor is configured that could tell", {}, {}};
  if (executor != nullptr)
    receipt =
        executor->Recover({committed.call.action, committed.call.with, committed.key, committed.call.timeout},
                          core.stopping.get_token());
  if (!undoing) {
    (void)StoreReceipt(core, *run, id, receipt, true);
  } else if (receipt.outcome == Receipt::Outcome::kNotDone) {
    UndoStep(core, run, id, state.undo_by.empty());
  } else {
    (void)StoreUndone(core, run, id, receipt, state.undo_by.empty());
  }
}

Status Reconsider(EngineCore& core, const RunPointer& run, const std::string& id) {
  const RunState state = core.Copy(*run);
  TOCSIN_ASSIGN_OR_RETURN(const auto asked, ReadApproval(core.sources.ledger, state.steps.at(id).approval));
  if (!asked) return {Code::kDataLoss, "the approval " + state.steps.at(id).approval + " is gone"};
  const bool expired = asked->state == "open" && core.Now() >= asked->expires;
  if (asked->state == "open" && !expired) {
    {
      const std::lock_guard lock(run->mutex);
      run->expires[id] = asked->expires;
    }
    // The process that asked may have ended before people were told; who was, is not told twice.
    if (core.sources.asked) core.sources.asked(*asked);
    return {};
  }
  return core.Apply(
      *run,
      [&](RunState& next, std::vector<RunEvent>& events, store::LedgerTransaction& transaction) -> Status {
        StepState& s = next.steps.at(id);
        const std::string by = asked->answers.empty() ? "" : asked->answers.back().by;
        if (asked->state == "approved") {
          if (asked->adopts && s.adopted_by.empty()) s.adopted_by = by;
          s.state = "waiting";  // for the policy, which looks at the answers
          s.what = "approved by " + by;
          events.push_back({"run.step", by, {{"step", id}, {"state", "approved"}, {"approval", asked->id}}});
          return Trust(next, id, {.approved = 1}, transaction, core.Now());
        }
        s.state = "refused";
        s.ended = core.Now();
        if (asked->state == "denied") {
          const std::string& reason = asked->answers.back().reason;
          s.what = "denied by " + by + (reason.empty() ? "" : ": " + reason);
          events.push_back({"run.refused", by, {{"step", id}, {"what", s.what}, {"approval", asked->id}}});
          return Trust(next, id, {.denied = 1}, transaction, core.Now());
        }
        s.what = "nobody answered in time";
        events.push_back({"run.refused", "", {{"step", id}, {"what", s.what}, {"approval", asked->id}}});
        TOCSIN_RETURN_IF_ERROR(WithdrawApproval(transaction, asked->id, "expired"));
        return core.CallPerson(next, "nobody answered " + asked->id + " (" + id + ") in time", transaction);
      });
}

}  // namespace tocsin::act::internal
