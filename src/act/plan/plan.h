// Plan: a runbook with its inputs, made flat: every sub-runbook written out, every branch a condition on its
// steps, an order between steps by name. A plan does not change once a run has begun; what is not known yet
// (outputs of earlier steps, what was there before) stays a placeholder until its step is about to run.
//
//   steps [a] [b after a] [c after a] [d after b, c]        b and c side by side
//
// Value types; JSON form in plan_json.h.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "act/plan/value.h"
#include "kernel/time.h"

namespace tocsin::act {

// How much freedom an action has, whoever wants it. Ordered: what is later is freer; kNever is nobody's.
enum class Tier { kNever, kObserve, kAdvise, kApprove, kAuto };
std::string_view TierName(Tier tier);
bool ParseTier(std::string_view name, Tier& tier);

struct Target {
  std::string kind, name;  // an entry of the inventory: "deployment", "checkout"
  friend bool operator==(const Target&, const Target&) = default;
  friend auto operator<=>(const Target&, const Target&) = default;
};

// How far a step can reach at most, as its author declares. Nothing: not declared.
struct Reach {
  std::optional<double> traffic;    // share of requests, 0 … 1
  std::optional<double> instances;  // how many of the target
  std::optional<double> users;
  std::optional<double> money;  // in the currency of the policy
  friend bool operator==(const Reach&, const Reach&) = default;
};

// One call of an executor, possibly with placeholders in its texts.
struct CallTemplate {
  std::string action;                              // "kubernetes.scale", docs/formats/runbook.md
  nlohmann::json with = nlohmann::json::object();  // the action's parameters
  Duration timeout = Duration::Seconds(60);
};

// Holds or not when its step is reached; all of a step's must hold, else the step is skipped.
struct PlanCondition {
  // One of: a claim (template) that must be verified; a value, "{{ inputs.x }}" or "{{ steps.a.outputs.y }}",
  // compared with a text; how an earlier step ended.
  nlohmann::json claim;  // null: none
  std::string value, is;
  std::string step, ended;  // ended: done, failed, skipped
  bool negate = false;      // the `else` of a branch
};

// What later steps may use of what this one was answered. Its value is untrusted: a parameter only when the
// type is closed and holds it.
struct StepOutput {
  std::string pointer;  // JSON pointer (RFC 6901) into the receipt's outputs
  ValueType type;
  friend bool operator==(const StepOutput&, const StepOutput&) = default;
};

// Without an action and not manual: a decision, which has no effect and ends done when its `when` holds, else
// skipped.
struct PlanStep {
  std::string id;  // unique: "scale", "drain/scale" within the sub-runbook called by step drain
  std::string title;
  std::string runbook, version;  // whose step it is: id and content hash of that runbook
  bool manual = false;           // a person does it: `instructions`, no call
  std::string instructions, who;
  CallTemplate call;
  Tier tier = Tier::kApprove;
  std::vector<Target> targets;  // names may hold placeholders
  Reach reach;
  std::vector<nlohmann::json> requires_claims;  // claim templates: verified, or the step is refused
  std::vector<nlohmann::json> expects;          // claim templates: verified within effect_within, else undone
  Duration effect_within;
  std::optional<CallTemplate> inverse;  // may use {{ undo.x }}
  std::string no_inverse;               // why there is none
  std::optional<Duration> cooldown;     // of the same action on the same target; nothing: the policy's
  std::vector<std::string> after;       // ids of steps that must be over
  std::vector<PlanCondition> when;
  bool go_on_if_failed = false;
  std::map<std::string, StepOutput> outputs;  // by name
};

struct PlanLimits {
  int per_hour = 0;  // runs of this runbook; 0 = the policy's only
  int per_incident = 0;
  Duration timeout = Duration::Hours(4);  // of a whole run, waiting for people included
};

struct Plan {
  std::string runbook, title, version;  // version: hex SHA-256 of the runbook and all it calls, 16 digits
  std::string owner;
  std::map<std::string, Value> inputs;
  std::vector<PlanStep> steps;            // in an order in which each comes after what it is after
  std::vector<nlohmann::json> stop_when;  // claim templates: once one is verified, no further step begins
  PlanLimits limits;
  std::string escalate_to;                            // a policy or person; "": the incident's own
  nlohmann::json outputs = nlohmann::json::object();  // name → template
};

inline constexpr size_t kMaxPlanSteps = 200;

}  // namespace tocsin::act
