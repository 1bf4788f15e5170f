#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "act/policy/internal/rule_table.h"
#include "claims/claim_text.h"

namespace tocsin::act::internal {
namespace {

using Why = std::optional<std::string>;

// What a value is shown as: it may be anything.
std::string Shown(const nlohmann::json& value) { return claims::Printable(TextOf(value), 60); }
std::string Name(const Target& target) {
  return target.kind + " '" + claims::Printable(target.name, 60) + "'";
}

Why KillSwitchRule(const RuleInput& in) {
  const KillSubject subject = SubjectOf(in.call);
  for (const KillState& state : in.facts.killed) {
    if (state.engaged && Covers(state.scope, subject))
      return fmt::format("the kill switch '{}' is on, by {}: {}", state.scope.ToText(), state.by,
                         state.reason);
  }
  return {};
}

Why NeverRule(const RuleInput& in) {
  if (in.call.tier == Tier::kNever) return "the runbook says never";
  if (MatchesAction(in.rules.never_actions, in.call.action))
    return fmt::format("'{}' is among the actions that nobody may do", in.call.action);
  return {};
}

Why CatalogueRule(const RuleInput& in) {
  if (!in.facts.action_known)
    return fmt::format("no executor is configured for '{}'", claims::Printable(in.call.action, 60));
  if (!in.facts.step_current)
    return fmt::format("step '{}' is not in runbook '{}' as it is now", claims::Printable(in.call.step, 60),
                       claims::Printable(in.call.runbook, 60));
  return {};
}

Why ObserveRule(const RuleInput& in) {
  if (in.call.tier == Tier::kObserve) return "tier observe, but the action has an effect";
  return {};
}

Why AgentRule(const RuleInput& in) {
  if (!in.call.by_agent) return {};
  const auto agent = in.rules.access.agents.find(in.call.actor);
  if (agent == in.rules.access.agents.end())
    return fmt::format("no agent '{}' is configured", claims::Printable(in.call.actor, 60));
  if (!in.call.read_only && !MatchesAction(agent->second.actions, in.call.action))
    return fmt::format("agent {} may not do '{}'", in.call.actor, in.call.action);
  return {};
}

Why PersonRule(const RuleInput& in) {
  if (in.call.by_agent) return {};
  const auto person = in.rules.access.people.find(in.call.actor);
  if (person == in.rules.access.people.end())
    return fmt::format("no person '{}' has access", claims::Printable(in.call.actor, 60));
  if (!MatchesAction(person->second.actions, in.call.action))
    return fmt::format("{} may not do '{}'", in.call.actor, in.call.action);
  return {};
}

Why PeopleRule(const RuleInput& in) {
  if (!in.call.by_agent || !in.call.reaches_people) return {};
  const auto agent = in.rules.access.agents.find(in.call.actor);
  if (agent != in.rules.access.agents.end() && agent->second.may_reach_people) return {};
  return fmt::format("agent {} has no permission to reach people", claims::Printable(in.call.actor, 60));
}

Why TaintRule(const RuleInput& in) {
  for (const Parameter& parameter : in.call.parameters) {
    for (const ParameterPart& part : parameter.parts) {
      // What was there before is for the step's own inverse: elsewhere, another program wrote it.
      const bool untrusted =
          IsUntrusted(part.origin) || (part.origin == Origin::kUndo && !in.call.is_inverse);
      if (!untrusted || IsClosed(in.rules.inventory, part)) continue;
      return fmt::format(
          "{} is '{}' from {} ({}), which is not in the inventory{}", parameter.name, Shown(part.value),
          part.source, OriginName(part.origin),
          part.type.kind == "inventory" ? " as a " + part.type.inventory : ", nor of a type with bounds");
    }
  }
  return {};
}

Why BoundsRule(const RuleInput& in) {
  for (const Parameter& parameter : in.call.parameters) {
    for (const ParameterPart& part : parameter.parts) {
      ParameterPart bounded = part;
      const ValueType& type = part.type;
      if (type.kind == "text") continue;
      if (type.kind == "integer" || type.kind == "number") {
        // Without bounds a person may choose any.
        if (!std::isfinite(type.minimum)) bounded.type.minimum = -1e300;
        if (!std::isfinite(type.maximum)) bounded.type.maximum = 1e300;
      }
      if (!IsClosed(in.rules.inventory, bounded))
        return fmt::format("{} is '{}' from {}, which is no {} that the runbook allows", parameter.name,
                           Shown(part.value), part.source,
                           type.kind == "inventory" ? type.inventory : type.kind);
    }
  }
  return {};
}

Why TargetRule(const RuleInput& in) {
  if (in.call.targets.empty()) return "the step names no target, so nobody knows what it reaches";
  for (const Target& target : in.call.targets) {
    if (EntryOf(in, target) == nullptr)
      return fmt::format("{} is not in the inventory: add it under act.inventory", Name(target));
  }
  return {};
}

// A reach that is no number is within no bound, and would pass every one.
Why ReachDeclaredRule(const RuleInput& in) {
  const Reach& reach = in.call.reach;
  const auto wrong = [](const std::optional<double>& value, double most) {
    return value && !(*value >= 0 && *value <= most);
  };
  constexpr double kMost = std::numeric_limits<double>::max();
  if (wrong(reach.traffic, 1))
    return fmt::format("reach.traffic is {}, no share from 0 to 1", *reach.traffic);
  if (wrong(reach.instances, kMost) || wrong(reach.users, kMost) || wrong(reach.money, kMost))
    return "the declared reach is no number from 0 up";
  return {};
}

Why OnlyHealthyRule(const RuleInput& in) {
  const double taken = in.call.reach.instances.value_or(1);
  if (taken <= 0) return {};
  for (const Target& target : in.call.targets) {
    const auto it = in.facts.targets.find(target);
    if (it == in.facts.targets.end() || !it->second.healthy) continue;
    if (static_cast<double>(*it->second.healthy) - taken < 1)
      return fmt::format("{} has {} healthy instance{}, and this may take {:g}: none would be left",
                         Name(target), *it->second.healthy, *it->second.healthy == 1 ? "" : "s", taken);
  }
  return {};
}

Why ReachRule(const RuleInput& in) {
  if (!in.call.by_agent) return {};
  const auto beyond = Beyond(EffectiveReach(in.rules, in.facts, in.call), in.rules.agent_reach);
  if (beyond) return "it may reach " + *beyond + " of an agent";
  return {};
}

Why CooldownRule(const RuleInput& in) {
  const Duration pause = in.call.cooldown.value_or(in.rules.cooldown);
  const TargetSet targets(in.call.targets);
  for (const PastAction& past : in.facts.history) {
    if (past.inverse || past.action != in.call.action || in.facts.now - past.at >= pause) continue;
    if (targets.Meets(past))
      return fmt::format("the same was done to the same target {} s ago; the pause is {} s",
                         (in.facts.now - past.at).ns / 1'000'000'000, pause.ns / 1'000'000'000);
  }
  return {};
}

bool Counted(const PastAction& past, const ActionCall& call, const TargetSet& targets,
             const std::string& per) {
  if (past.inverse) return false;
  if (per == "all") return true;
  if (per == "agent") return call.by_agent && past.actor == call.actor;
  if (per == "action") return past.action == call.action;
  if (per == "target") return targets.Meets(past);
  return per == "incident" && !call.incident.empty() && past.incident == call.incident;
}

Why RateRule(const RuleInput& in) {
  const TargetSet targets(in.call.targets);
  for (const RateLimit& limit : in.rules.rates) {
    const auto count = std::count_if(in.facts.history.begin(), in.facts.history.end(), [&](const auto& past) {
      return in.facts.now - past.at < limit.window && Counted(past, in.call, targets, limit.per);
    });
    if (count >= limit.count && (limit.per != "agent" || in.call.by_agent) &&
        (limit.per != "incident" || !in.call.incident.empty()))
      return fmt::format("{} actions within {} min, counted by {}: the bound is {}", count,
                         limit.window.ns / 60'000'000'000, limit.per, limit.count);
  }
  return {};
}

Why AgentBudgetRule(const RuleInput& in) {
  if (!in.call.by_agent) return {};
  const auto agent = in.rules.access.agents.find(in.call.actor);
  if (agent == in.rules.access.agents.end()) return {};
  const Budget& budget = agent->second.budget;
  int actions = 0;
  double money = in.call.reach.money.value_or(0);
  for (const PastAction& past : in.facts.history) {
    if (past.actor != in.call.actor || past.inverse || in.facts.now - past.at >= budget.window) continue;
    ++actions;
    money += std::max(past.money, 0.0);
  }
  if (budget.actions > 0 && actions >= budget.actions)
    return fmt::format("agent {} has used up its {} actions", in.call.actor, budget.actions);
  if (budget.money > 0 && !(money <= budget.money))
    return fmt::format("agent {} would have spent {:g} of {:g}", in.call.actor, money, budget.money);
  return {};
}

Why RunbookLimitRule(const RuleInput& in) {
  std::set<std::string> in_hour, in_incident;  // other runs of this runbook
  for (const PastAction& past : in.facts.history) {
    if (past.runbook != in.call.runbook || past.run == in.call.run) continue;
    if (in.facts.now - past.at < Duration::Hours(1)) in_hour.insert(past.run);
    if (!in.call.incident.empty() && past.incident == in.call.incident) in_incident.insert(past.run);
  }
  const auto full = [](const std::set<std::string>& runs, int most) {
    return most > 0 && runs.size() >= static_cast<size_t>(most);
  };
  if (full(in_hour, in.call.runs_per_hour))
    return fmt::format("the runbook ran {} times within the hour, its bound", in_hour.size());
  if (full(in_incident, in.call.runs_per_incident))
    return fmt::format("the runbook ran {} times for this incident, its bound", in_incident.size());
  return {};
}

Why FreezeRule(const RuleInput& in) {
  for (const ActiveFreeze& freeze : in.facts.freezes) {
    if (!MatchesAction(freeze.except, in.call.action))
      return fmt::format("the freeze '{}' is on: {}", freeze.name, freeze.reason);
  }
  return {};
}

Why BreakerRule(const RuleInput& in) {
  if (in.call.by_agent && in.facts.breaker_open)
    return "the agent's circuit breaker is open: " + in.facts.breaker_why;
  return {};
}

Why PreconditionRule(const RuleInput& in) {
  if (in.facts.claims_required_held < in.facts.claims_required)
    return fmt::format("{} of {} preconditions hold", in.facts.claims_required_held,
                       in.facts.claims_required);
  return {};
}

Why StopConditionRule(const RuleInput& in) {
  if (in.facts.stop_condition) return "a stop condition of the runbook is met";
  return {};
}

Why DeniedRule(const RuleInput& in) {
  for (const GivenApproval& answer : in.facts.approvals) {
    if (!answer.approve && answer.call_hash == in.call.hash) return "denied by " + answer.by;
  }
  return {};
}

constexpr std::array kRefusals = {
    Rule{"kill_switch", KillSwitchRule, true, true},
    Rule{"never", NeverRule, true, true},
    Rule{"catalogue", CatalogueRule, true, true},
    Rule{"observe", ObserveRule},
    Rule{"agent", AgentRule, false, true},
    Rule{"person", PersonRule, false, true},
    Rule{"reach_people", PeopleRule, false, true},
    Rule{"untrusted_parameter", TaintRule, true, true},
    Rule{"parameter_bounds", BoundsRule, true, true},
    Rule{"target", TargetRule},
    Rule{"reach_declared", ReachDeclaredRule},
    Rule{"only_healthy", OnlyHealthyRule},
    Rule{"reach", ReachRule},
    Rule{"cooldown", CooldownRule},
    Rule{"rate", RateRule},
    Rule{"agent_budget", AgentBudgetRule},
    Rule{"runbook_limit", RunbookLimitRule},
    Rule{"freeze", FreezeRule},
    Rule{"breaker", BreakerRule},
    Rule{"precondition", PreconditionRule, false, true},
    Rule{"stop_condition", StopConditionRule, false, true},
    Rule{"denied", DeniedRule},
};

}  // namespace

std::span<const Rule> RefusalRules() { return kRefusals; }

}  // namespace tocsin::act::internal
