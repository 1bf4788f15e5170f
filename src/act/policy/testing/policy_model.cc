#include "act/policy/testing/policy_model.h"

#include <cmath>

namespace tocsin::act::testing {
namespace {

constexpr int64_t kHour = 3'600'000'000'000;

bool Listed(const std::vector<std::string>& list, const std::string& action) {
  bool listed = false;
  for (const std::string& entry : list) {
    const size_t n = entry.size();
    const bool family = n > 2 && entry[n - 1] == '*' && entry[n - 2] == '.';
    listed |= entry == action || entry == "*" ||
              (family && action.size() >= n - 1 && action.compare(0, n - 1, entry, 0, n - 1) == 0);
  }
  return listed;
}

// Of a value: is it what the type admits, and could somebody who wants harm have been kept to that?
struct Admission {
  bool admitted = false, bounded = false;
};

Admission Admit(const ParameterPart& part, const Inventory& inventory) {
  const auto& kind = part.type.kind;
  const auto& value = part.value;
  if (kind == "text") return {true, false};
  if (kind == "boolean") return {value.is_boolean(), true};
  if (kind == "choice" || kind == "inventory") {
    std::set<std::string> known(part.type.choices.begin(), part.type.choices.end());
    if (kind == "inventory") {
      known.clear();
      const auto of_kind = inventory.entries().find(part.type.inventory);
      if (of_kind != inventory.entries().end())
        for (const auto& [name, entry] : of_kind->second) known.insert(name);
    }
    return {value.is_string() && known.contains(value.get<std::string>()), true};
  }
  if (kind == "integer" || kind == "number") {
    if (!value.is_number() || (kind == "integer" && value.is_number_float())) return {false, true};
    const double v = value.get<double>(), low = part.type.minimum, high = part.type.maximum;
    return {std::isfinite(v) && low <= v && v <= high, std::isfinite(low) && std::isfinite(high)};
  }
  return {};
}

// Everything a sentence of the policy is about, worked out.
struct Picture {
  bool reads = false, undoes = false, agent = false;
  // Who
  bool known = false, permitted = false, may_reach_people = false;
  Tier tier = Tier::kNever;
  // What
  bool killed = false, nobodys = false, in_catalogue = false;
  bool tainted_parameter = false, wrong_parameter = false;
  // How far
  bool targets_named = false, reach_sane = false, last_healthy = false, redundant = true;
  double traffic = -1, instances = -1, users = -1, money = -1;  // -1: not known
  // How often
  bool same_just_done = false, rate_full = false, budget_spent = false, runbook_full = false;
  bool paused = false, failed_here = false;
  // When
  bool frozen = false, denied = false, two_action = false;
};

void PaintWho(Picture& p, const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call) {
  p.tier = call.tier;
  const auto lower = [&p](Tier most) { p.tier = p.tier > most ? most : p.tier; };
  if (call.advise_only) lower(Tier::kAdvise);
  if (p.agent) {
    lower(facts.trust_ceiling);
    for (const auto& [name, agent] : rules.access.agents) {
      if (name != call.actor) continue;
      p.known = true;
      p.permitted = Listed(agent.actions, call.action);
      p.may_reach_people = agent.may_reach_people;
      lower(agent.ceiling);
    }
  } else {
    for (const auto& [name, person] : rules.access.people) {
      if (name != call.actor) continue;
      p.known = true;
      p.permitted = Listed(person.actions, call.action);
    }
  }
}

void PaintWhat(Picture& p, const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call) {
  std::set<std::string> stops = {"all", "runbook:" + call.runbook, "action:" + call.action,
                                 "incident:" + call.incident};
  if (p.agent) stops.insert({"agents", "agent:" + call.actor});
  for (const KillState& k : facts.killed) {
    const std::string text = k.scope.name.empty() ? k.scope.kind : k.scope.kind + ":" + k.scope.name;
    p.killed |= k.engaged && stops.contains(text);
  }
  p.nobodys = call.tier == Tier::kNever || Listed(rules.never_actions, call.action);
  p.two_action = Listed(rules.two_person_actions, call.action);
  p.in_catalogue = facts.action_known && facts.step_current;
  for (const Parameter& parameter : call.parameters) {
    for (const ParameterPart& part : parameter.parts) {
      const Admission admission = Admit(part, rules.inventory);
      p.wrong_parameter |= !admission.admitted;
      bool outside = false;  // somebody outside could have chosen it
      switch (part.origin) {
        case Origin::kAgent:
        case Origin::kTelemetry:
        case Origin::kOutput:
          outside = true;
          break;
        case Origin::kUndo:
          outside = !p.undoes;
          break;
        case Origin::kRunbook:
        case Origin::kInventory:
        case Origin::kPerson:
          break;
      }
      p.tainted_parameter |= outside && !(admission.admitted && admission.bounded);
    }
  }
  for (const ActiveFreeze& freeze : facts.freezes) p.frozen |= !Listed(freeze.except, call.action);
  for (const GivenApproval& a : facts.approvals) p.denied |= !a.approve && a.call_hash == call.hash;
}

void PaintReach(Picture& p, const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call) {
  const Reach& said = call.reach;
  const auto sane = [](const std::optional<double>& v) { return !v || (std::isfinite(*v) && *v >= 0); };
  p.reach_sane = sane(said.traffic) && sane(said.instances) && sane(said.users) && sane(said.money) &&
                 said.traffic.value_or(0) <= 1;
  p.traffic = said.traffic.value_or(-1), p.instances = said.instances.value_or(-1);
  p.users = said.users.value_or(-1), p.money = said.money.value_or(-1);
  p.targets_named = !call.targets.empty();
  double traffic = -1, users = -1;
  const auto add = [](double& sum, double more) { sum = (sum < 0 ? 0 : sum) + more; };
  for (const Target& target : call.targets) {
    const InventoryEntry* entry = nullptr;
    const auto of_kind = rules.inventory.entries().find(target.kind);
    if (of_kind != rules.inventory.entries().end()) {
      const auto at = of_kind->second.find(target.name);
      if (at != of_kind->second.end()) entry = &at->second;
    }
    p.targets_named &= entry != nullptr;
    const auto seen = facts.targets.find(target);
    const TargetFacts live = seen == facts.targets.end() ? TargetFacts{} : seen->second;
    int whole = entry != nullptr ? entry->instances.value_or(0) : 0;
    if (live.instances) whole = *live.instances;
    // One instance unless the author says otherwise; that it takes none, only when he says so.
    const double takes = said.instances.value_or(1);
    p.last_healthy |= live.healthy && takes > 0 && *live.healthy - takes < 1;
    if (!live.healthy)
      p.redundant &= entry == nullptr || !entry->instances;
    else
      p.redundant &= *live.healthy >= 2 && *live.healthy >= whole;
    if (entry == nullptr) continue;
    double share = 1;
    if (said.instances && *said.instances >= 0 && whole > 0 && *said.instances < whole)
      share = *said.instances / whole;
    if (entry->traffic) add(traffic, share * *entry->traffic);
    if (entry->users) add(users, share * *entry->users);
  }
  if (traffic > 1) traffic = 1;
  if (traffic > p.traffic) p.traffic = traffic;
  if (users > p.users) p.users = users;
}

int Filled(const RateLimit& limit, const PolicyFacts& facts, const ActionCall& call) {
  int n = 0;
  for (const PastAction& past : facts.history) {
    bool same_target = false;
    for (const Target& a : past.targets)
      for (const Target& b : call.targets) same_target |= a.kind == b.kind && a.name == b.name;
    const bool counts = limit.per == "all" || (limit.per == "agent" && past.actor == call.actor) ||
                        (limit.per == "action" && past.action == call.action) ||
                        (limit.per == "target" && same_target) ||
                        (limit.per == "incident" && past.incident == call.incident);
    if (counts && !past.inverse && past.at.ns + limit.window.ns > facts.now.ns) ++n;
  }
  return n;
}

void PaintOften(Picture& p, const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call) {
  for (const RateLimit& limit : rules.rates) {
    if ((limit.per == "agent" && !p.agent) || (limit.per == "incident" && call.incident.empty())) continue;
    p.rate_full |= Filled(limit, facts, call) >= limit.count;
  }
  std::set<std::string> runs_in_hour, runs_in_incident;
  int done = 0;
  double spent = call.reach.money.value_or(0);
  Budget budget{0, 0, Duration{}};
  const auto agent = rules.access.agents.find(call.actor);
  if (p.agent && agent != rules.access.agents.end()) budget = agent->second.budget;
  for (const PastAction& past : facts.history) {
    const int64_t ago = facts.now.ns - past.at.ns;
    const bool same_action = past.action == call.action && !past.inverse;
    bool same_target = false;
    for (const Target& t : past.targets)
      same_target |= std::set(call.targets.begin(), call.targets.end()).contains(t);
    const int64_t cooldown = call.cooldown ? call.cooldown->ns : rules.cooldown.ns;
    p.same_just_done |= same_action && same_target && ago < cooldown;
    p.paused |= same_action && ago < rules.auto_pause.ns;
    const bool here = past.incident == call.incident && !call.incident.empty();
    p.failed_here |= here && past.failed && ago < rules.auto_pause.ns;
    if (past.runbook == call.runbook && past.run != call.run) {
      if (ago < kHour) runs_in_hour.insert(past.run);
      if (here) runs_in_incident.insert(past.run);
    }
    if (past.actor == call.actor && !past.inverse && ago < budget.window.ns) {
      ++done;
      if (past.money > 0) spent += past.money;
    }
  }
  p.budget_spent =
      (budget.actions != 0 && done >= budget.actions) || (budget.money > 0 && !(spent <= budget.money));
  p.runbook_full = (call.runs_per_hour > 0 && std::ssize(runs_in_hour) >= call.runs_per_hour) ||
                   (call.runs_per_incident > 0 && std::ssize(runs_in_incident) >= call.runs_per_incident);
}

bool Exceeds(const Picture& p, const Reach& most) {
  const auto over = [](double value, const std::optional<double>& bound) {
    return bound && !(value <= *bound);
  };
  return over(p.traffic, most.traffic) || over(p.instances, most.instances) || over(p.users, most.users) ||
         over(p.money, most.money);
}

bool Unknown(const Picture& p, const Reach& most) {
  return (p.traffic < 0 && p.instances < 0 && p.users < 0) || (p.traffic < 0 && most.traffic) ||
         (p.instances < 0 && most.instances) || (p.users < 0 && most.users);
}

// Four kinds of call, and for each the sentences that hold for it.
std::set<std::string> Refusals(const Picture& p, const PolicyRules& rules, const PolicyFacts& facts,
                               const ActionCall& call) {
  std::set<std::string> out;
  const auto refuse_if = [&out](bool holds, const char* rule) {
    if (holds) out.insert(rule);
  };
  // Whatever it is
  refuse_if(p.killed, "kill_switch");
  refuse_if(p.nobodys, "never");
  refuse_if(!p.in_catalogue, "catalogue");
  refuse_if(p.tainted_parameter, "untrusted_parameter");
  refuse_if(p.wrong_parameter, "parameter_bounds");
  if (p.undoes) return out;
  // What only reads, too
  refuse_if(p.agent && (!p.known || (!p.permitted && !p.reads)), "agent");
  refuse_if(!p.agent && !p.permitted, "person");
  refuse_if(p.agent && call.reaches_people && !p.may_reach_people, "reach_people");
  refuse_if(facts.claims_required > facts.claims_required_held, "precondition");
  refuse_if(facts.stop_condition, "stop_condition");
  if (p.reads) return out;
  // What has an effect
  refuse_if(call.tier == Tier::kObserve, "observe");
  refuse_if(!p.targets_named, "target");
  refuse_if(!p.reach_sane, "reach_declared");
  refuse_if(p.last_healthy, "only_healthy");
  refuse_if(p.agent && Exceeds(p, rules.agent_reach), "reach");
  refuse_if(p.same_just_done, "cooldown");
  refuse_if(p.rate_full, "rate");
  refuse_if(p.agent && p.budget_spent, "agent_budget");
  refuse_if(p.runbook_full, "runbook_limit");
  refuse_if(p.frozen, "freeze");
  refuse_if(p.agent && facts.breaker_open, "breaker");
  refuse_if(p.denied, "denied");
  return out;
}

std::set<std::string> Questions(const Picture& p, const PolicyRules& rules, const PolicyFacts& facts,
                                const ActionCall& call) {
  if (p.tier != Tier::kAuto) return {"tier"};
  std::set<std::string> out;
  if (Exceeds(p, rules.auto_reach) || Unknown(p, rules.auto_reach)) out.insert("auto_reach");
  if (!call.has_inverse) out.insert("irreversible");
  if (!p.redundant) out.insert("redundancy");
  if (p.paused) out.insert("pause");
  if (rules.auto_claims > facts.claims_verified) out.insert("claims");
  if (facts.incident_global) out.insert("global");
  if (p.failed_here) out.insert("just_failed");
  if (call.reaches_people) out.insert("people");
  if (facts.runbook_stale) out.insert("stale");
  return out;
}

int Agreed(const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call) {
  int n = 0;
  for (const auto& [name, person] : rules.access.people) {
    bool agrees = false;
    for (const GivenApproval& a : facts.approvals)
      agrees |= a.by == name && a.approve && a.call_hash == call.hash && facts.now.ns < a.expires.ns;
    n += agrees && name != call.actor && person.may_approve && Listed(person.actions, call.action) ? 1 : 0;
  }
  return n;
}

}  // namespace

SpecifiedDecision Specified(const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call) {
  Picture p;
  p.reads = call.read_only, p.undoes = call.is_inverse, p.agent = call.by_agent;
  PaintWho(p, rules, facts, call);
  PaintWhat(p, rules, facts, call);
  PaintReach(p, rules, facts, call);
  PaintOften(p, rules, facts, call);
  using enum Decision::Verdict;
  if (auto refusals = Refusals(p, rules, facts, call); !refusals.empty()) return {kRefuse, 0, 0, refusals};
  if (p.reads || p.undoes) return {kAllow, 0, 0, {}};
  if (p.agent && p.tier != Tier::kAuto && p.tier != Tier::kApprove) return {kAdvise, 0, 0, {"tier"}};

  SpecifiedDecision out;
  if (p.agent) out.rules = Questions(p, rules, facts, call);
  out.needed = out.rules.empty() ? 0 : 1;
  std::set<std::string> two;
  if (!call.has_inverse) two.insert("two_irreversible");
  if (Exceeds(p, rules.agent_reach)) two.insert("two_reach");
  if (p.two_action) two.insert("two_action");
  if (!two.empty()) out.needed = p.agent ? 2 : 1;  // a person who proposes is one of the two
  out.rules.merge(two);
  out.given = Agreed(rules, facts, call);
  out.verdict = out.given >= out.needed ? kAllow : kAsk;
  return out;
}

std::string Difference(const SpecifiedDecision& specified, const Decision& decided) {
  std::set<std::string> rules;
  for (const PolicyReason& reason : decided.reasons) rules.insert(reason.rule);
  if (specified.verdict == decided.verdict && specified.needed == decided.approvals_needed &&
      specified.given == decided.approvals_given && specified.rules == rules)
    return "";
  const auto words = [](Decision::Verdict verdict, int given, int needed,
                        const std::set<std::string>& names) {
    std::string out =
        std::string(VerdictName(verdict)) + " " + std::to_string(given) + "/" + std::to_string(needed);
    for (const std::string& name : names) out += " " + name;
    return out;
  };
  return "specified: " + words(specified.verdict, specified.given, specified.needed, specified.rules) +
         "; decided: " + words(decided.verdict, decided.approvals_given, decided.approvals_needed, rules);
}

}  // namespace tocsin::act::testing
