#include "respond/oncall/escalation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tocsin::respond {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Time kStart{1'780'000'000'000'000'000};
Time After(int minutes) { return kStart + Duration::Minutes(minutes); }

EscalationPolicy Policy() {
  EscalationPolicy policy;
  policy.name = "default";
  policy.steps = {{Duration{}, {{"schedule", "primary"}}},
                  {Duration::Minutes(5), {{"schedule", "secondary"}, {"person", "bob"}}},
                  {Duration::Minutes(10), {{"person", "cto"}}}};
  policy.repeat = 1;
  policy.repeat_after = Duration::Minutes(15);
  return policy;
}

TargetResolver Resolver(std::string primary = "ada") {
  TargetResolver resolver;
  resolver.on_call = [primary](const std::string& schedule, Time) {
    return std::vector<std::string>{schedule == "primary" ? primary : "bob"};
  };
  resolver.members = [](const std::string& schedule) {
    return schedule == "primary" ? std::vector<std::string>{"ada", "eve"} : std::vector<std::string>{"bob"};
  };
  return resolver;
}

std::vector<std::string> Keys(const EscalationOutcome& outcome) {
  std::vector<std::string> out;
  for (const auto& order : outcome.orders) out.push_back(order.key);
  return out;
}
std::vector<std::string> Kinds(const EscalationOutcome& outcome) {
  std::vector<std::string> out;
  for (const auto& event : outcome.events) out.push_back(event.kind);
  return out;
}

struct Escalation : ::testing::Test {
  EscalationPolicy policy = Policy();
  TargetResolver resolver = Resolver();
  EscalationOutcome started;
  EscalationRun run = EscalationRun::Start("INC-1", 1, policy, kStart, started);
  EscalationOutcome Advance(int minutes) { return run.Advance(After(minutes), policy, resolver); }
  Status Acknowledge(const std::string& by, bool person = true, int64_t of_run = 0) {
    const auto outcome = run.Acknowledge(by, person, of_run, After(1), policy, resolver);
    return outcome ? Status::Ok() : outcome.error();
  }
};

TEST_F(Escalation, ClimbsRepeatsAndEnds) {
  EXPECT_THAT(Keys(Advance(0)), ElementsAre("page/INC-1/1/0/0/ada"));
  EXPECT_EQ(run.NextDeadline(), After(5));
  EXPECT_FALSE(Advance(4).changed);
  const auto second = Advance(5);
  EXPECT_THAT(Keys(second), ElementsAre("page/INC-1/1/0/1/bob"));  // by schedule and by name: once
  EXPECT_FALSE(second.orders[0].last_step);
  const auto third = Advance(15);
  EXPECT_THAT(Keys(third), ElementsAre("page/INC-1/1/0/2/cto"));
  EXPECT_TRUE(third.orders[0].last_step);
  const auto again = Advance(30);
  EXPECT_THAT(Kinds(again), ElementsAre("repeated", "paged"));
  EXPECT_THAT(Keys(again), ElementsAre("page/INC-1/1/1/0/ada"));
  EXPECT_THAT(Keys(Advance(35)), ElementsAre("page/INC-1/1/1/1/bob"));
  EXPECT_THAT(Keys(Advance(45)), ElementsAre("page/INC-1/1/1/2/cto"));
  EXPECT_EQ(run.NextDeadline(), After(60));
  EXPECT_EQ(After(60), kStart + MaxLength(policy));
  const auto end = Advance(60);
  EXPECT_THAT(Kinds(end), ElementsAre("ended"));
  EXPECT_THAT(end.events[0].text, HasSubstr("nobody acknowledged; told were ada, bob, cto"));
  EXPECT_EQ(run.NextDeadline(), std::nullopt);
  EXPECT_FALSE(Advance(100).changed);
  EXPECT_TRUE(Acknowledge("cto").ok());  // late is better than never
}

TEST_F(Escalation, AnEmptyStepGoesOnAtOnceAndSaysSo) {
  resolver = Resolver("");
  const auto outcome = Advance(0);
  EXPECT_THAT(Kinds(outcome), ElementsAre("step_empty", "paged"));
  EXPECT_THAT(outcome.events[0].text, HasSubstr("nobody is on call in primary"));
  EXPECT_THAT(Keys(outcome), ElementsAre("page/INC-1/1/0/1/bob"));
  EXPECT_EQ(run.NextDeadline(), After(10));
}

TEST_F(Escalation, AProcessThatWasDownDoesNotWakeEverybodyAtOnce) {
  EXPECT_THAT(Keys(Advance(300)), ElementsAre("page/INC-1/1/0/0/ada"));
  EXPECT_EQ(run.NextDeadline(), After(305));
}

TEST_F(Escalation, AClockThatGoesBackPagesNobodyAndKeepsTheWait) {
  (void)Advance(0);
  (void)Advance(3);
  const auto back = Advance(-600);
  EXPECT_THAT(back.orders, IsEmpty());
  EXPECT_THAT(Kinds(back), ElementsAre("clock_back"));
  EXPECT_EQ(run.NextDeadline(), After(-598));
  EXPECT_THAT(Keys(Advance(-598)), ElementsAre("page/INC-1/1/0/1/bob"));
}

TEST_F(Escalation, OnlyAPersonOnThePolicyAcknowledges) {
  (void)Advance(0);
  const Status bot = Acknowledge("ada", false);
  EXPECT_EQ(bot.code(), Code::kPermissionDenied);
  EXPECT_EQ(bot.message(), "only a person can acknowledge INC-1; 'ada' is a program");
  const Status stranger = Acknowledge("mallory");
  EXPECT_EQ(stranger.code(), Code::kPermissionDenied);
  EXPECT_EQ(stranger.message(), "'mallory' is not on policy 'default' of INC-1, so cannot acknowledge it");
  EXPECT_EQ(Acknowledge("ada", true, 2).code(), Code::kFailedPrecondition);
  EXPECT_EQ(run.state(), "running");
  EXPECT_TRUE(Acknowledge("eve").ok());  // not on call, but of the schedule
  EXPECT_EQ(run.state(), "acknowledged");
  EXPECT_EQ(Acknowledge("eve").code(), Code::kAlreadyExists);
  EXPECT_EQ(Acknowledge("ada").code(), Code::kFailedPrecondition);
  EXPECT_THAT(run.pending(), IsEmpty());  // the page not sent yet is withdrawn
  EXPECT_FALSE(Advance(100).changed);
  EXPECT_TRUE(run.Resolve(After(5)).has_value());
  EXPECT_EQ(run.Resolve(After(5)).error().code(), Code::kAlreadyExists);
  EXPECT_EQ(Acknowledge("ada").message(), "INC-1 is resolved");
}

TEST_F(Escalation, ARestartGoesOnWhereItWasStored) {
  (void)Advance(0);
  (void)Advance(5);
  EXPECT_TRUE(run.Confirm("page/INC-1/1/0/0/ada"));
  EXPECT_FALSE(run.Confirm("page/INC-1/1/0/0/ada"));
  auto restarted = *EscalationRun::FromJson(nlohmann::json::parse(run.ToJson().dump()));
  EXPECT_EQ(restarted.ToJson(), run.ToJson());
  ASSERT_EQ(restarted.pending(), run.pending());
  EXPECT_EQ(restarted.pending().at(0).key, "page/INC-1/1/0/1/bob");
  EXPECT_EQ(Keys(restarted.Advance(After(15), policy, resolver)), Keys(Advance(15)));
}

TEST_F(Escalation, DamagedStateIsRefused) {
  const auto good = run.ToJson();
  for (const auto& [key, value] : good.items()) {
    auto bad = good;
    bad.erase(key);
    EXPECT_EQ(EscalationRun::FromJson(bad).error().code(), Code::kInvalidArgument) << key;
    bad[key] = nlohmann::json::object({{"a", nullptr}});
    EXPECT_FALSE(EscalationRun::FromJson(bad).has_value()) << key;
  }
  EXPECT_FALSE(EscalationRun::FromJson(nlohmann::json::array()).has_value());
  auto bad = good;
  bad["state"] = "asleep";
  EXPECT_THAT(EscalationRun::FromJson(bad).error().message(), HasSubstr("unknown state 'asleep'"));
}

TEST_F(Escalation, APolicyThatGotShorterEndsThePass) {
  (void)Advance(0);
  (void)Advance(5);
  policy.steps.resize(1);
  policy.repeat = 0;
  EXPECT_THAT(Kinds(Advance(15)), ElementsAre("ended"));
}

TEST_F(Escalation, KeysAreSafeWhateverTheName) {
  policy.steps[0].targets = {{"person", "a/b c\xc3\xa9"}};
  EXPECT_THAT(Keys(Advance(0)), ElementsAre("page/INC-1/1/0/0/a%2Fb%20c%C3%A9"));
}

TEST_F(Escalation, PoliciesAreChecked) {
  EXPECT_TRUE(CheckPolicy(policy).ok());
  policy.steps[1].targets.clear();
  EXPECT_EQ(CheckPolicy(policy).message(), "steps[1].targets is empty");
  policy = Policy();
  policy.repeat = 21;
  EXPECT_EQ(CheckPolicy(policy).message(), "repeat is not from 0 to 20");
  policy = Policy();
  policy.steps[2].targets[0].kind = "bot";
  EXPECT_EQ(CheckPolicy(policy).message(), "steps[2].targets[0] is neither a person nor a schedule");
}

TEST_F(Escalation, WhenNobodyOfAStepCanBeToldTheNextStepNeedNotWait) {
  Advance(0);
  EXPECT_FALSE(run.CouldNotTell("page/INC-1/1/0/0/eve", After(1))) << "not a page of this step";
  EXPECT_TRUE(run.CouldNotTell("page/INC-1/1/0/0/ada", After(1)));
  const auto stored = EscalationRun::FromJson(run.ToJson());
  ASSERT_TRUE(stored);
  run = *stored;
  EXPECT_THAT(Keys(Advance(1)), ElementsAre("page/INC-1/1/0/1/bob"));
  EXPECT_FALSE(run.CouldNotTell("page/INC-1/1/0/0/ada", After(1))) << "of a step that is past";
  EXPECT_TRUE(run.CouldNotTell("page/INC-1/1/0/1/bob", After(2)));
  EXPECT_THAT(Keys(Advance(2)), ElementsAre("page/INC-1/1/0/2/cto"));
  EXPECT_FALSE(run.CouldNotTell("page/INC-1/1/0/2/cto", After(3))) << "the wait after the last step stays";
  EXPECT_THAT(Keys(Advance(3)), IsEmpty());
}

}  // namespace
}  // namespace tocsin::respond
