#include "act/policy/decide.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "act/policy/internal/rule_table.h"

namespace tocsin::act {
namespace {

using internal::Rule;
using internal::RuleInput;
using internal::RuleTables;

std::vector<PolicyReason> Applying(std::span<const Rule> table, const RuleInput& input) {
  std::vector<PolicyReason> reasons;
  for (const Rule& rule : table) {
    if (input.call.is_inverse && !rule.on_inverse) continue;
    if (input.call.read_only && !rule.on_read_only) continue;
    if (auto why = rule.applies(input)) reasons.push_back({rule.name, std::move(*why)});
  }
  return reasons;
}

// The freest that step, agent and record allow together.
Tier TierOf(const RuleInput& in) {
  Tier tier = in.call.advise_only ? std::min(in.call.tier, Tier::kAdvise) : in.call.tier;
  if (!in.call.by_agent) return tier;
  const auto agent = in.rules.access.agents.find(in.call.actor);
  if (agent != in.rules.access.agents.end()) tier = std::min(tier, agent->second.ceiling);
  return std::min(tier, in.facts.trust_ceiling);
}

// Different people, not who proposed it, permitted, for exactly this call, in time.
int Counting(const RuleInput& in) {
  std::set<std::string> people;
  for (const GivenApproval& a : in.facts.approvals) {
    if (!a.approve || a.call_hash != in.call.hash || in.facts.now >= a.expires || a.by == in.call.actor)
      continue;
    const auto person = in.rules.access.people.find(a.by);
    if (person == in.rules.access.people.end() || !person->second.may_approve ||
        !MatchesAction(person->second.actions, in.call.action))
      continue;
    people.insert(a.by);
  }
  return static_cast<int>(people.size());
}

void Append(std::vector<PolicyReason>& to, std::vector<PolicyReason> more) {
  std::move(more.begin(), more.end(), std::back_inserter(to));
}

}  // namespace

std::string_view VerdictName(Decision::Verdict verdict) {
  constexpr std::array<std::string_view, 4> kNames = {"allow", "ask", "advise", "refuse"};
  return kNames.at(static_cast<size_t>(verdict));
}

Decision internal::DecideBy(const RuleTables& tables, const RuleInput& in) {
  Decision decision;
  decision.reasons = Applying(tables.refusals, in);
  if (!decision.reasons.empty()) return decision;
  decision.verdict = Decision::Verdict::kAllow;
  if (in.call.read_only || in.call.is_inverse) return decision;
  const Tier tier = TierOf(in);
  if (in.call.by_agent && tier <= Tier::kAdvise) {
    decision.verdict = Decision::Verdict::kAdvise;
    decision.reasons = {
        {"tier", fmt::format("tier {} here: an agent proposes it, a person starts it", TierName(tier))}};
    return decision;
  }
  if (in.call.by_agent) {
    auto asking = tier == Tier::kAuto
                      ? Applying(tables.asking, in)
                      : std::vector<PolicyReason>{{"tier", "tier approve: a person approves exactly this"}};
    decision.approvals_needed = asking.empty() ? 0 : 1;
    Append(decision.reasons, std::move(asking));
  }
  auto two = Applying(tables.two_person, in);
  if (!two.empty()) decision.approvals_needed = in.call.by_agent ? 2 : 1;
  Append(decision.reasons, std::move(two));
  decision.approvals_given = Counting(in);
  if (decision.approvals_given < decision.approvals_needed) decision.verdict = Decision::Verdict::kAsk;
  return decision;
}

KillSubject SubjectOf(const ActionCall& call) {
  return {call.by_agent ? call.actor : "", call.runbook, call.action, call.incident};
}

Decision Decide(const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call) {
  return internal::DecideBy({}, {rules, facts, call});
}

Reach EffectiveReach(const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call) {
  Reach reach = call.reach;
  double traffic = 0, users = 0;
  bool has_traffic = false, has_users = false;
  for (const Target& target : call.targets) {
    const InventoryEntry* entry = rules.inventory.Find(target.kind, target.name);
    if (entry == nullptr) continue;
    // A part of a target's instances carries a part of its traffic.
    double part = 1;
    const auto facts_of = facts.targets.find(target);
    const std::optional<int> total = facts_of != facts.targets.end() && facts_of->second.instances
                                         ? facts_of->second.instances
                                         : entry->instances;
    if (call.reach.instances && *call.reach.instances >= 0 && total && *total > 0)
      part = std::min(1.0, *call.reach.instances / static_cast<double>(*total));
    if (entry->traffic) traffic += *entry->traffic * part, has_traffic = true;
    if (entry->users) users += *entry->users * part, has_users = true;
  }
  if (has_traffic) reach.traffic = std::max(reach.traffic.value_or(0), std::min(traffic, 1.0));
  if (has_users) reach.users = std::max(reach.users.value_or(0), users);
  return reach;
}

bool IsClosed(const Inventory& inventory, const ParameterPart& part) {
  const ValueType& type = part.type;
  if (type.kind == "inventory")
    return part.value.is_string() &&
           inventory.Find(type.inventory, part.value.get_ref<const std::string&>()) != nullptr;
  if (type.kind == "choice")
    return part.value.is_string() &&
           std::find(type.choices.begin(), type.choices.end(), part.value.get_ref<const std::string&>()) !=
               type.choices.end();
  if (type.kind == "boolean") return part.value.is_boolean();
  if (type.kind != "integer" && type.kind != "number") return false;
  if (!part.value.is_number() || (type.kind == "integer" && !part.value.is_number_integer())) return false;
  const double value = part.value.get<double>();
  // A number without bounds is not closed: an agent would choose how many.
  return std::isfinite(type.minimum) && std::isfinite(type.maximum) && value >= type.minimum &&
         value <= type.maximum;
}

}  // namespace tocsin::act
