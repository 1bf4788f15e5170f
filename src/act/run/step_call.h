// StepCall: one step of a plan with everything filled in that is known by now, as the policy and the executor
// get it. What a placeholder becomes, and who could have chosen it, is decided here and nowhere else.
//
// Pure but for the lookups given; thread-safe. Errors: kInvalidArgument, kNotFound, with the place.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/plan/placeholder.h"
#include "act/policy/decide.h"
#include "act/run/run_state.h"
#include "signal/incident.h"

namespace tocsin::act {

struct StepContext {
  const RunState& run;
  const std::optional<signal::Incident>& incident;  // what {{ incident.x }} is of; its values are untrusted
};

// With `undo`, {{ undo.x }} is known; with `with`, {{ with.x }} is.
Lookup LookupFor(const StepContext& context, const nlohmann::json* undo = nullptr,
                 const nlohmann::json* with = nullptr);

struct StepCall {
  CallTemplate call;                  // resolved
  std::vector<Target> targets;        // resolved
  std::vector<Parameter> parameters;  // of call and targets
};
Result<StepCall> ResolveStep(const PlanStep& step, const StepContext& context);
// Adds the inverse's parameters to `parameters`, but for {{ undo.x }}. Nothing when the step has none.
Result<std::optional<CallTemplate>> ResolveInverse(const PlanStep& step, const StepContext& context,
                                                   const StepCall& call, const nlohmann::json& undo,
                                                   std::vector<Parameter>& parameters);

// Who answers for what the step does next: who wants the run undone, else who adopted the step, else who
// proposed the run.
struct StepActor {
  std::string name;
  bool agent = false;
};
StepActor ActorOf(const RunState& run, const std::string& step);

// What the policy is asked about; `spec` null: nothing is known of the action.
ActionCall PolicyCall(const PlanStep& step, const RunState& run, const StepCall& call,
                      const std::optional<CallTemplate>& inverse, const ActionSpec* spec);
// The same for the step's inverse, as it was resolved before the effect left.
ActionCall PolicyUndoCall(const PlanStep& step, const RunState& run, const ActionSpec* spec);
// "kubernetes.scale deployment=checkout replicas=4": the exact call, on one line, at most 1,000 bytes.
std::string CallText(const CallTemplate& call);
// A manual step's instructions with what is known filled in: for people to read, never a call.
std::string InstructionsOf(const PlanStep& step, const StepContext& context);
// The same for every try of a step. [A-Za-z0-9._-], at most 96 bytes.
std::string KeyOf(const RunState& run, const std::string& step, bool inverse);

}  // namespace tocsin::act
