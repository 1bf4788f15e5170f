// The rules against the policy written a second time (testing/policy_model.h), and one test for each bug that
// this has found.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "act/policy/decide.h"
#include "act/policy/internal/rule_table.h"
#include "act/policy/testing/policy_cases.h"
#include "act/policy/testing/policy_model.h"

namespace tocsin::act {
namespace {

using testing::CalmCase;
using testing::PolicyCase;
using Verdict = Decision::Verdict;

Decision Of(const PolicyCase& c) { return Decide(c.rules, c.facts, c.call); }
bool Gives(const Decision& decision, std::string_view rule) {
  for (const auto& reason : decision.reasons) {
    if (reason.rule == rule) return true;
  }
  return false;
}

TEST(PolicyModelTest, AMillionCasesWithoutADivergence) {
  constexpr int kCases = 1'000'000;
  Rng rng(20261124);
  std::map<Verdict, int> verdicts;
  std::map<std::string, int> alone;  // how often a rule was the only reason
  for (int i = 0; i < kCases; ++i) {
    const PolicyCase c = testing::RandomCase(rng);
    const Decision decided = Of(c);
    const auto specified = testing::Specified(c.rules, c.facts, c.call);
    ASSERT_EQ(Difference(specified, decided), "") << "case " << i << ": " << Describe(c);
    ++verdicts[decided.verdict];
    if (decided.reasons.size() == 1) ++alone[decided.reasons[0].rule];
  }
  // That they agree says nothing unless everything happens.
  for (const Verdict v : {Verdict::kAllow, Verdict::kAsk, Verdict::kAdvise, Verdict::kRefuse})
    EXPECT_GT(verdicts[v], kCases / 100) << VerdictName(v);
  for (const auto table : {internal::RefusalRules(), internal::AskingRules(), internal::TwoPersonRules()}) {
    for (const auto& rule : table) {
      // An agent that asks because nothing can undo it needs two people as well.
      const int least = rule.name == std::string_view("irreversible") ? 0 : 100;
      EXPECT_GE(alone[rule.name], least) << rule.name;
    }
  }
}

TEST(PolicyTest, ACalmCallIsAllowed) {
  const Decision decision = Of(CalmCase());
  EXPECT_EQ(decision.verdict, Verdict::kAllow);
  EXPECT_TRUE(decision.reasons.empty());
}

TEST(PolicyTest, EveryReasonSaysSomething) {
  Rng rng(7);
  for (int i = 0; i < 20'000; ++i) {
    const PolicyCase c = testing::RandomCase(rng);
    const Decision decision = Of(c);
    EXPECT_EQ(decision.verdict == Verdict::kRefuse || decision.verdict == Verdict::kAdvise ||
                  decision.approvals_needed > 0,
              !decision.reasons.empty());
    for (const auto& reason : decision.reasons) {
      EXPECT_FALSE(reason.text.empty()) << reason.rule;
      EXPECT_EQ(reason.text.find('\n'), std::string::npos) << reason.text;
    }
  }
}

// A reach of NaN was within every bound, and one below zero took from what the inventory says.
TEST(PolicyTest, AReachThatIsNoNumberIsRefused) {
  for (const double value : {std::nan(""), -1.0, std::numeric_limits<double>::infinity()}) {
    for (const auto of : {&Reach::traffic, &Reach::instances, &Reach::users, &Reach::money}) {
      PolicyCase c = CalmCase();
      c.call.reach.*of = value;
      EXPECT_EQ(Of(c).verdict, Verdict::kRefuse) << value;
      c.call.by_agent = false;
      c.call.actor = "ada";
      EXPECT_TRUE(Gives(Of(c), "reach_declared")) << value;
    }
  }
  PolicyCase c = CalmCase();
  c.call.reach.instances = -1'000'000;
  EXPECT_EQ(EffectiveReach(c.rules, c.facts, c.call).traffic, 0.04) << "as if it reached all of the target";
}

// The bound is a share of traffic, instances were declared, the share was not known: it was let pass.
TEST(PolicyTest, WhatNobodyKnowsIsNotWithinABound) {
  PolicyCase c = CalmCase();
  c.call.targets = {{"flag", "new-ui"}};
  EXPECT_TRUE(Gives(Of(c), "auto_reach"));
  EXPECT_EQ(Of(c).verdict, Verdict::kAsk);
  c.call.reach.traffic = 0.05;
  EXPECT_EQ(Of(c).verdict, Verdict::kAllow);
  c.rules.auto_reach.users = 10;
  EXPECT_EQ(Of(c).verdict, Verdict::kAsk);
  c.call.reach.users = 10;
  EXPECT_EQ(Of(c).verdict, Verdict::kAllow);
}

// A value that was there before a step is another program's text; only the step's own inverse may send it
// back.
TEST(PolicyTest, WhatWasThereBeforeIsForTheInverseOnly) {
  PolicyCase c = CalmCase();
  c.call.parameters = {{"with.image", {{"undo.image", "evil:latest", Origin::kUndo, {}}}}};
  EXPECT_TRUE(Gives(Of(c), "untrusted_parameter"));
  c.call.is_inverse = true;
  EXPECT_EQ(Of(c).verdict, Verdict::kAllow);
}

// The action of an inverse was held to nothing that its step was not.
TEST(PolicyTest, WhatIsNobodysIsNoInverseEither) {
  PolicyCase c = CalmCase();
  c.call.is_inverse = true;
  c.rules.never_actions = {"kubernetes.*"};
  EXPECT_TRUE(Gives(Of(c), "never"));
}

// A step that only reads ran without its preconditions.
TEST(PolicyTest, PreconditionsHoldForWhatOnlyReads) {
  PolicyCase c = CalmCase();
  c.call.read_only = true;
  c.facts.claims_required = 2;
  c.facts.claims_required_held = 1;
  EXPECT_TRUE(Gives(Of(c), "precondition"));
}

// The bounds of the money that an agent may spend were passed by what is no number.
TEST(PolicyTest, MoneyThatCameBackFreesNoBudget) {
  PolicyCase c = CalmCase();
  c.rules.access.agents["fixer"].budget.money = 10;
  c.call.reach.money = 6;
  PastAction past;
  past.at = c.facts.now - Duration::Minutes(59);
  past.actor = "fixer";
  past.money = 5;
  c.facts.history = {past};
  EXPECT_TRUE(Gives(Of(c), "agent_budget"));
  past.money = -5;
  c.facts.history.push_back(past);
  EXPECT_TRUE(Gives(Of(c), "agent_budget"));
}

}  // namespace
}  // namespace tocsin::act
