// Decide: may this call, exactly as it would leave, have its effect now? One pure function: the same call,
// rules and facts give the same decision, with a reason for every part of it. No model, no clock, no store.
//
//   refused by any rule ──► refuse                   the rules in order: policy/README.md
//   else an agent at tier advise ──► advise          a person may do it
//   else approvals missing ──► ask (how many)        an agent at tier approve, or auto without its
//   conditions; else ──► allow                                   anybody where two must agree
//
// An inverse of a step that has run was decided with the step: it passes what bounds reach, rate and time,
// not the kill switch, what is nobody's to do, or what holds for parameters. What only reads needs no target,
// tier or reach, but its parameters and preconditions are held to the same. Source: the gate values are those
// of runbook automation in practice (docs/guides/policy.md). Thread-safe. Cost: linear in history;
// microseconds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "act/execute/executor.h"
#include "act/kill/kill_switch.h"
#include "act/plan/placeholder.h"
#include "act/plan/plan.h"
#include "act/policy/policy_rules.h"

namespace tocsin::act {

// The call, fully resolved.
struct ActionCall {
  std::string run, runbook, step, incident;
  std::string action;
  std::string hash;            // CallHash
  Tier tier = Tier::kApprove;  // as the step declares
  bool advise_only = false;    // the runbook is an import nobody has adopted
  bool read_only = false, reaches_people = false;
  bool has_inverse = false;
  bool is_inverse = false;  // undoes a step that has run
  std::vector<Parameter> parameters;
  std::vector<Target> targets;
  Reach reach;
  std::optional<Duration> cooldown;
  int runs_per_hour = 0, runs_per_incident = 0;  // of the runbook; 0 = no bound of its own
  std::string actor;                             // who proposed it
  bool by_agent = false;
};

// What the kill switch is asked about it.
KillSubject SubjectOf(const ActionCall& call);

struct PastAction {
  Time at;
  std::string run, runbook, action, actor, incident;
  std::vector<Target> targets;
  bool failed = false;
  bool inverse = false;
  double money = 0;
};

struct ActiveFreeze {
  std::string name, reason;
  std::vector<std::string> except;  // patterns of actions
};

// An answer of a person that is there for this step.
struct GivenApproval {
  std::string by;
  bool approve = false;
  std::string call_hash;
  Time expires;
};

struct PolicyFacts {
  Time now;
  std::vector<KillState> killed;
  std::vector<ActiveFreeze> freezes;  // those that are on
  bool action_known = false;          // an executor is configured that speaks it
  bool step_current = false;          // the runbook still has this step, unchanged since the run began
  bool runbook_stale = false;         // not validated within its time
  std::vector<PastAction> history;    // of the last day
  std::map<Target, TargetFacts> targets;
  int claims_required = 0, claims_required_held = 0;  // preconditions
  int claims_verified = 0;      // distinct claims about the incident that hold, preconditions included
  bool stop_condition = false;  // one of the runbook's is met
  bool breaker_open = false;    // the agent's circuit breaker
  std::string breaker_why;
  Tier trust_ceiling = Tier::kAuto;  // of this agent in this class of action
  bool incident_global = false;      // everything is affected: people lead
  std::vector<GivenApproval> approvals;
};

struct PolicyReason {
  std::string rule;  // "kill_switch"
  std::string text;  // one line, with what would help
};

struct Decision {
  enum class Verdict { kAllow, kAsk, kAdvise, kRefuse };
  Verdict verdict = Verdict::kRefuse;
  int approvals_needed = 0;           // in all; with kAsk, more than are given
  int approvals_given = 0;            // those that count
  std::vector<PolicyReason> reasons;  // why it is refused, or asked, or only advised
};
std::string_view VerdictName(Decision::Verdict verdict);

Decision Decide(const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call);

// The reach that counts: what is declared, and at least what the inventory says of the targets.
Reach EffectiveReach(const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call);
// True when the value's type is closed and holds it.
bool IsClosed(const Inventory& inventory, const ParameterPart& part);

}  // namespace tocsin::act
