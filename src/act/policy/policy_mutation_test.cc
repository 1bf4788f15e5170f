// Whether the comparison with the model would notice: each rule in turn is taken out, applied always, turned
// around, held for inverses and readers or not, and its bounds are shifted by one unit. Every one of these
// policies must be told from the right one within kCases cases.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "act/policy/internal/rule_table.h"
#include "act/policy/testing/policy_cases.h"
#include "act/policy/testing/policy_model.h"

namespace tocsin::act {
namespace {

using internal::Rule;
using internal::RuleInput;
using internal::RuleTables;
using testing::PolicyCase;
using Why = std::optional<std::string>;

constexpr int kCases = 50'000;

// The rule that the mutant at hand stands for, and how it sees the world: rules have no state of their own.
const Rule* original = nullptr;
void (*shift)(PolicyCase&) = nullptr;

Why Never(const RuleInput&) { return {}; }
Why Always(const RuleInput&) { return "always"; }
Why Turned(const RuleInput& in) { return original->applies(in) ? Why() : Why("turned"); }
Why Shifted(const RuleInput& in) {
  PolicyCase c{in.rules, in.facts, in.call};
  shift(c);
  return original->applies({c.rules, c.facts, c.call});
}

// After how many cases the comparison notices; kCases: not at all.
int CaughtAfter(const RuleTables& tables) {
  Rng rng(99);
  for (int i = 0; i < kCases; ++i) {
    const PolicyCase c = testing::RandomCase(rng);
    const auto decided = internal::DecideBy(tables, {c.rules, c.facts, c.call});
    if (!Difference(testing::Specified(c.rules, c.facts, c.call), decided).empty()) return i;
  }
  return kCases;
}

class PolicyMutationTest : public ::testing::Test {
 protected:
  // The table of number `which` with one rule replaced.
  void MustBeCaught(int which, size_t index, const Rule& mutant, const std::string& how) {
    const RuleTables right;
    const std::span<const Rule> tables[] = {right.refusals, right.asking, right.two_person};
    std::vector<Rule> changed(tables[which].begin(), tables[which].end());
    original = &tables[which][index];
    changed[index] = mutant;
    RuleTables mutated;
    (which == 0 ? mutated.refusals : which == 1 ? mutated.asking : mutated.two_person) = changed;
    const int after = CaughtAfter(mutated);
    EXPECT_LT(after, kCases) << mutant.name << " " << how << ": nothing notices";
    ++mutants_;
    worst_ = std::max(worst_, after);
  }
  void TearDown() override {
    RecordProperty("mutants", mutants_);
    RecordProperty("cases_until_the_last_was_caught", worst_);
    RecordProperty("of_cases", kCases);
  }

  int mutants_ = 0, worst_ = 0;
};

TEST_F(PolicyMutationTest, TheRightPolicyIsNotCaught) { EXPECT_EQ(CaughtAfter({}), kCases); }

TEST_F(PolicyMutationTest, EveryRuleTakenOutAlwaysOnOrTurnedAround) {
  const RuleTables right;
  int which = 0;
  for (const auto table : {right.refusals, right.asking, right.two_person}) {
    for (size_t i = 0; i < table.size(); ++i) {
      Rule rule = table[i];
      rule.applies = Never;
      MustBeCaught(which, i, rule, "taken out");
      rule.applies = Always;
      MustBeCaught(which, i, rule, "always on");
      rule.applies = Turned;
      MustBeCaught(which, i, rule, "turned around");
    }
    ++which;
  }
}

TEST_F(PolicyMutationTest, EveryRefusalForOtherKindsOfCall) {
  const auto table = internal::RefusalRules();
  for (size_t i = 0; i < table.size(); ++i) {
    Rule rule = table[i];
    rule.on_inverse = !rule.on_inverse;
    MustBeCaught(0, i, rule, "for inverses or not");
    rule = table[i];
    rule.on_read_only = !rule.on_read_only;
    MustBeCaught(0, i, rule, "for what only reads or not");
  }
}

void Up(std::optional<double>& value) {
  if (value) value = std::nextafter(*value, std::numeric_limits<double>::infinity());
}
void Down(std::optional<double>& value) {
  if (value) value = std::nextafter(*value, -std::numeric_limits<double>::infinity());
}
template <int kBy>
void ShiftHealthy(PolicyCase& c) {
  for (auto& [target, facts] : c.facts.targets) {
    if (facts.healthy) *facts.healthy += kBy;
  }
}
template <int kBy>
void ShiftInstances(PolicyCase& c) {
  for (auto& [target, facts] : c.facts.targets) {
    if (facts.instances) *facts.instances += kBy;
  }
}
template <int kBy>
void ShiftPast(PolicyCase& c) {
  for (PastAction& past : c.facts.history) past.at.ns += kBy;
}
template <int kBy>
void ShiftCount(PolicyCase& c) {
  for (RateLimit& limit : c.rules.rates) limit.count += kBy;
}
template <int kBy>
void ShiftWindow(PolicyCase& c) {
  for (RateLimit& limit : c.rules.rates) limit.window.ns += kBy;
}
template <int kBy>
void ShiftBudget(PolicyCase& c) {
  for (auto& [name, agent] : c.rules.access.agents) {
    if (agent.budget.actions > 0) agent.budget.actions = std::max(1, agent.budget.actions + kBy);
  }
}
template <int kBy>
void ShiftMoney(PolicyCase& c) {
  for (auto& [name, agent] : c.rules.access.agents) {
    if (agent.budget.money <= 0) continue;
    agent.budget.money = std::nextafter(agent.budget.money, kBy * std::numeric_limits<double>::infinity());
  }
}
template <int kBy>
void ShiftParameters(PolicyCase& c) {
  for (Parameter& parameter : c.call.parameters) {
    for (ParameterPart& part : parameter.parts) {
      if (std::isfinite(part.type.minimum))
        part.type.minimum = std::nextafter(part.type.minimum, -kBy * std::numeric_limits<double>::infinity());
      if (std::isfinite(part.type.maximum))
        part.type.maximum = std::nextafter(part.type.maximum, kBy * std::numeric_limits<double>::infinity());
    }
  }
}

struct Mutant {
  const char* rule;
  const char* how;
  void (*shift)(PolicyCase&);
};
const Mutant kShifts[] = {
    {"untrusted_parameter", "wider", ShiftParameters<1>},
    {"untrusted_parameter", "narrower", ShiftParameters<-1>},
    {"parameter_bounds", "wider", ShiftParameters<1>},
    {"parameter_bounds", "narrower", ShiftParameters<-1>},
    {"reach_declared", "traffic up", [](PolicyCase& c) { Up(c.call.reach.traffic); }},
    {"reach_declared", "instances down", [](PolicyCase& c) { Down(c.call.reach.instances); }},
    {"only_healthy", "one more", ShiftHealthy<1>},
    {"only_healthy", "one less", ShiftHealthy<-1>},
    {"reach", "traffic up", [](PolicyCase& c) { Up(c.rules.agent_reach.traffic); }},
    {"reach", "traffic down", [](PolicyCase& c) { Down(c.rules.agent_reach.traffic); }},
    {"reach", "instances up", [](PolicyCase& c) { Up(c.rules.agent_reach.instances); }},
    {"reach", "instances down", [](PolicyCase& c) { Down(c.rules.agent_reach.instances); }},
    {"reach", "users up", [](PolicyCase& c) { Up(c.rules.agent_reach.users); }},
    {"reach", "users down", [](PolicyCase& c) { Down(c.rules.agent_reach.users); }},
    {"reach", "money up", [](PolicyCase& c) { Up(c.rules.agent_reach.money); }},
    {"reach", "money down", [](PolicyCase& c) { Down(c.rules.agent_reach.money); }},
    {"reach", "no share of the target", [](PolicyCase& c) { c.facts.targets.clear(); }},
    {"reach", "without the inventory", [](PolicyCase& c) { c.rules.inventory = {}; }},
    {"cooldown", "later", ShiftPast<1>},
    {"cooldown", "earlier", ShiftPast<-1>},
    {"cooldown", "the step's ignored", [](PolicyCase& c) { c.call.cooldown.reset(); }},
    {"cooldown", "the policy's longer", [](PolicyCase& c) { c.rules.cooldown.ns += 1; }},
    {"rate", "one more", ShiftCount<1>},
    {"rate", "one less", ShiftCount<-1>},
    {"rate", "longer", ShiftWindow<1>},
    {"rate", "shorter", ShiftWindow<-1>},
    {"agent_budget", "one more", ShiftBudget<1>},
    {"agent_budget", "one less", ShiftBudget<-1>},
    {"agent_budget", "more money", ShiftMoney<1>},
    {"agent_budget", "less money", ShiftMoney<-1>},
    {"agent_budget", "later", ShiftPast<1>},
    {"agent_budget", "earlier", ShiftPast<-1>},
    {"runbook_limit", "one more an hour",
     [](PolicyCase& c) { c.call.runs_per_hour += c.call.runs_per_hour > 0 ? 1 : 0; }},
    {"runbook_limit", "one less an hour",
     [](PolicyCase& c) { c.call.runs_per_hour -= c.call.runs_per_hour > 1 ? 1 : 0; }},
    {"runbook_limit", "one more an incident",
     [](PolicyCase& c) { c.call.runs_per_incident += c.call.runs_per_incident > 0 ? 1 : 0; }},
    {"runbook_limit", "one less an incident",
     [](PolicyCase& c) { c.call.runs_per_incident -= c.call.runs_per_incident > 1 ? 1 : 0; }},
    {"runbook_limit", "later", ShiftPast<1>},
    {"runbook_limit", "earlier", ShiftPast<-1>},
    {"precondition", "one more", [](PolicyCase& c) { ++c.facts.claims_required; }},
    {"precondition", "one less", [](PolicyCase& c) { --c.facts.claims_required; }},
    {"auto_reach", "traffic up", [](PolicyCase& c) { Up(c.rules.auto_reach.traffic); }},
    {"auto_reach", "traffic down", [](PolicyCase& c) { Down(c.rules.auto_reach.traffic); }},
    {"auto_reach", "instances up", [](PolicyCase& c) { Up(c.rules.auto_reach.instances); }},
    {"auto_reach", "instances down", [](PolicyCase& c) { Down(c.rules.auto_reach.instances); }},
    {"auto_reach", "users up", [](PolicyCase& c) { Up(c.rules.auto_reach.users); }},
    {"auto_reach", "users down", [](PolicyCase& c) { Down(c.rules.auto_reach.users); }},
    {"auto_reach", "money up", [](PolicyCase& c) { Up(c.rules.auto_reach.money); }},
    {"auto_reach", "money down", [](PolicyCase& c) { Down(c.rules.auto_reach.money); }},
    {"redundancy", "one more healthy", ShiftHealthy<1>},
    {"redundancy", "one less healthy", ShiftHealthy<-1>},
    {"redundancy", "one more instance", ShiftInstances<1>},
    {"redundancy", "one less instance", ShiftInstances<-1>},
    {"redundancy", "without the inventory", [](PolicyCase& c) { c.rules.inventory = {}; }},
    {"pause", "later", ShiftPast<1>},
    {"pause", "earlier", ShiftPast<-1>},
    {"claims", "one more", [](PolicyCase& c) { ++c.facts.claims_verified; }},
    {"claims", "one less", [](PolicyCase& c) { --c.facts.claims_verified; }},
    {"just_failed", "later", ShiftPast<1>},
    {"just_failed", "earlier", ShiftPast<-1>},
    {"two_reach", "traffic up", [](PolicyCase& c) { Up(c.rules.agent_reach.traffic); }},
    {"two_reach", "traffic down", [](PolicyCase& c) { Down(c.rules.agent_reach.traffic); }},
    {"two_reach", "instances up", [](PolicyCase& c) { Up(c.rules.agent_reach.instances); }},
    {"two_reach", "users down", [](PolicyCase& c) { Down(c.rules.agent_reach.users); }},
    {"two_reach", "money up", [](PolicyCase& c) { Up(c.rules.agent_reach.money); }},
};

TEST_F(PolicyMutationTest, EveryBoundShiftedByTheLeastThereIs) {
  const RuleTables right;
  size_t found = 0;
  for (const Mutant& mutant : kShifts) {
    int which = 0;
    for (const auto table : {right.refusals, right.asking, right.two_person}) {
      for (size_t i = 0; i < table.size(); ++i) {
        if (std::strcmp(table[i].name, mutant.rule) != 0) continue;
        ++found;
        shift = mutant.shift;
        Rule rule = table[i];
        rule.applies = Shifted;
        MustBeCaught(which, i, rule, mutant.how);
      }
      ++which;
    }
  }
  EXPECT_EQ(found, std::size(kShifts)) << "a mutant of a rule that there is no longer";
}

}  // namespace
}  // namespace tocsin::act
