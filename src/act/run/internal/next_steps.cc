#include "act/run/internal/next_steps.h"

#include <algorithm>

namespace tocsin::act::internal {
namespace {

bool Halts(const PlanStep& step, const StepState& s) {
  if (s.state == "stopped") return true;
  return (s.state == "failed" || s.state == "refused" || s.state == "undone" || s.state == "undo_failed") &&
         !step.go_on_if_failed;
}

// `halted`: nothing further begins; `held`: not until a person has said what became of a step.
void LookAtStep(const ActiveRun& run, const PlanStep& step, bool halted, bool held, Time now,
                NextSteps& next) {
  const StepState& s = run.state.steps.at(step.id);
  const auto probe = run.probe_at.find(step.id);
  const bool early = (probe != run.probe_at.end() && now < probe->second) || now < s.not_before;
  if (s.state == "waiting") {
    if (halted) {
      next.skip.push_back(step.id);
      return;
    }
    const bool ready = std::all_of(step.after.begin(), step.after.end(), [&](const std::string& before) {
      return IsStepOver(run.state.steps.at(before).state);
    });
    if (ready && !early && !held) next.give.emplace_back(step.id, AdvanceStep);
  } else if (s.state == "asking" || s.state == "manual") {
    const auto expires = run.expires.find(step.id);
    if (halted) {
      next.skip.push_back(step.id);
    } else if (s.state == "asking" &&
               (run.woken.contains(step.id) || (expires != run.expires.end() && now >= expires->second))) {
      next.give.emplace_back(step.id, AdvanceStep);
    }
  } else if (s.state == "proving" && !early) {
    next.give.emplace_back(step.id, ProveStep);
  } else if (s.state == "undoing" && run.state.undo_by.empty()) {
    next.give.emplace_back(step.id, RecoverStep);  // its worker could not store it
  }
}

// The next steps to undo: in the reverse of the order in which they began, one at a time.
void LookForUndo(const ActiveRun& run, NextSteps& next) {
  const StepState* last = nullptr;
  std::string id;
  for (const auto& [name, s] : run.state.steps) {
    if (s.state == "undoing") {
      if (s.undo && !s.undo->receipt) next.give.emplace_back(name, RecoverStep);
      return;
    }
    if (!s.moved || !s.inverse || s.state == "undo_failed") continue;
    if (last == nullptr || s.effect->at > last->effect->at) last = &s, id = name;
  }
  if (last != nullptr) next.undo = id;
}

}  // namespace

NextSteps NextOf(const ActiveRun& run, Time now) {
  NextSteps next;
  const RunState& state = run.state;
  if (!state.undo_by.empty()) {
    if (run.busy.empty()) LookForUndo(run, next);
  } else {
    bool halted = !state.stop_reason.empty();
    bool held = false;
    for (const PlanStep& step : state.plan->steps) {
      halted = halted || Halts(step, state.steps.at(step.id));
      held = held || state.steps.at(step.id).state == "unknown";
    }
    next.overtime = !halted && now - state.began > state.plan->limits.timeout;
    for (const PlanStep& step : state.plan->steps) {
      if (!run.busy.contains(step.id)) LookAtStep(run, step, halted, held, now, next);
    }
  }
  next.idle =
      run.busy.empty() && next.give.empty() && next.undo.empty() && next.skip.empty() && !next.overtime;
  return next;
}

std::pair<std::string, std::string> OutcomeOf(const RunState& run) {
  bool moving = false, waiting = false, unknown = false, idle = false;
  const StepState* bad = nullptr;
  std::string bad_id;
  for (const PlanStep& step : run.plan->steps) {
    const StepState& s = run.steps.at(step.id);
    unknown = unknown || s.state == "unknown";
    waiting = waiting || s.state == "asking" || s.state == "manual";
    idle = idle || s.state == "waiting";
    if (s.state == "unknown" && bad == nullptr) bad = &s, bad_id = step.id;
    moving = moving || s.state == "running" || s.state == "proving" || s.state == "undoing";
    if (bad == nullptr && (Halts(step, s) || s.state == "undo_failed")) bad = &s, bad_id = step.id;
  }
  if (moving) return {run.undo_by.empty() ? "running" : "undoing", ""};
  if (unknown) return {"unknown", bad_id + ": " + bad->what};
  if (waiting) return {"waiting", "waits for people"};
  if (idle) return {run.undo_by.empty() ? "running" : "undoing", ""};
  if (!run.undo_by.empty()) {
    if (bad != nullptr && bad->state == "undo_failed") return {"failed", bad_id + ": " + bad->what};
    return {"undone", "undone by " + run.undo_by + (run.undo_reason.empty() ? "" : ": " + run.undo_reason)};
  }
  if (!run.stop_reason.empty()) return {"stopped", run.stop_reason};
  if (bad == nullptr) return {"done", "every step is done"};
  const std::string state = bad->state == "refused" || bad->state == "stopped" ? bad->state : "failed";
  return {state, bad_id + ": " + bad->what};
}

}  // namespace tocsin::act::internal
