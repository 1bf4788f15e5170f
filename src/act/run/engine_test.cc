#include "act/run/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "act/run/action_log.h"
#include "act/run/approval_book.h"
#include "act/testing/act_world.h"
#include "act/trust/trust_book.h"
#include "respond/lifecycle/incident_action.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::act::testing {
namespace {

using store::testing::ScratchDirectory;
using ::testing::HasSubstr;

const Caller kAda{"ada", true, "cli"}, kGrace{"grace", true, "cli"}, kLinus{"linus", true, "cli"};
const Caller kCopilot{"copilot", false, "mcp"};

class EngineTest : public ::testing::Test {
 protected:
  ScratchDirectory scratch_;
  ActWorld world_{scratch_.path()};
  Plan One(PlanStep step) { return ActWorld::PlanOf({std::move(step)}); }
  // As a person raised it.
  void Raise() {
    ASSERT_TRUE(
        SetTrust(*world_.ledger, "copilot", "note", Tier::kAuto, "test", kAda, ports::SystemClock().Now()));
    world_.settings->rules.auto_claims = 0;
    world_.settings->rules.auto_pause = Duration::Nanos(0);
  }
};

TEST_F(EngineTest, StepsRunInOrderAndLeaveReceiptsOnTheChain) {
  const auto run =
      world_.Begin(ActWorld::PlanOf({ActWorld::Write("a", "x", "1"), ActWorld::Write("b", "y", "2", {"a"}),
                                     ActWorld::Write("c", "z", "3", {"a", "b"})}));
  const auto over = world_.WaitOver(run.id);
  EXPECT_EQ(over.state, "done") << RenderRun(over);
  const auto lines = world_.notebook();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].name + lines[1].name + lines[2].name, "xyz");
  EXPECT_EQ(world_.Events("run.intent").size(), 3u);
  EXPECT_EQ(world_.Events("run.receipt").size(), 3u);
  EXPECT_EQ(world_.Events("run.ended").size(), 1u);
  const auto audit = world_.ledger->VerifyAudit();
  ASSERT_TRUE(audit);
  EXPECT_TRUE(audit->intact);
}

TEST_F(EngineTest, AnAgentWithoutARecordAsksAndAPersonApprovesExactlyThis) {
  const auto run = world_.Begin(One(ActWorld::Write("a", "x", "1")), kCopilot);
  const auto asking = world_.WaitState(run.id, "a", "asking");
  const std::string id = StepOf(asking, "a").approval;
  ASSERT_FALSE(id.empty()) << RenderRun(asking);
  EXPECT_TRUE(world_.notebook().empty());
  const auto shown = *ReadApproval(*world_.ledger, id);
  EXPECT_THAT(RenderApproval(*shown), HasSubstr("note.write name=x value=1"));
  EXPECT_THAT(RenderApproval(*shown), HasSubstr("note.write name=x value=nothing"));  // its inverse
  // Neither the agent, nor somebody without the right, nor somebody who saw another call.
  EXPECT_EQ(world_.Answer(id, kCopilot, true).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(world_.Answer(id, kLinus, true).error().code(), Code::kPermissionDenied);
  const Status other = world_.ledger->Transact([&](store::LedgerTransaction& tx) -> Status {
    const auto answer = AnswerApproval(tx, world_.settings->rules.access, id, true, std::string(64, '0'), "",
                                       kAda, ports::SystemClock().Now());
    return answer ? Status() : answer.error();
  });
  EXPECT_EQ(other.code(), Code::kFailedPrecondition);
  ASSERT_TRUE(world_.Answer(id, kAda, true, "looks right"));
  EXPECT_EQ(world_.WaitOver(run.id).state, "done");
  EXPECT_EQ(world_.notebook().size(), 1u);
  EXPECT_NEAR(ReadTrust(*world_.ledger, "copilot", "note")->approved, 1, 1e-3);
}

TEST_F(EngineTest, ADeniedOrUnansweredStepIsRefused) {
  const auto run = world_.Begin(One(ActWorld::Write("a", "x", "1")), kCopilot);
  const std::string id = StepOf(world_.WaitState(run.id, "a", "asking"), "a").approval;
  ASSERT_TRUE(world_.Answer(id, kAda, false, "not tonight"));
  const auto denied = world_.WaitOver(run.id);
  EXPECT_EQ(denied.state, "refused");
  EXPECT_THAT(denied.what, HasSubstr("denied by ada: not tonight"));
  world_.settings->rules.approval_expires = Duration::Millis(50);
  const auto late = world_.WaitOver(world_.Begin(One(ActWorld::Write("a", "x", "1")), kCopilot).id);
  EXPECT_EQ(late.state, "refused");
  EXPECT_THAT(late.what, HasSubstr("nobody answered in time"));
  EXPECT_EQ(world_.ledger->FindIncidents({"", "", "run/" + late.id, 5})->size(), 1u);  // a person was called
  EXPECT_TRUE(world_.notebook().empty());
}

TEST_F(EngineTest, WhatAnAgentMayOnlyProposeAPersonStartsAsTheirOwn) {
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.tier = Tier::kAdvise;
  const auto run = world_.Begin(One(step), kCopilot);
  const std::string id = StepOf(world_.WaitState(run.id, "a", "asking"), "a").approval;
  EXPECT_TRUE((*ReadApproval(*world_.ledger, id))->adopts);
  ASSERT_TRUE(world_.Answer(id, kGrace, true));
  EXPECT_EQ(world_.WaitOver(run.id).state, "done");
  EXPECT_EQ(world_.Events("run.intent").front()["actor"], "grace");
}

TEST_F(EngineTest, TwoPeopleWhereNothingCanUndoIt) {
  Raise();
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.inverse.reset();
  step.no_inverse = "a letter is sent";
  const auto run = world_.Begin(One(step), kCopilot);
  const std::string id = StepOf(world_.WaitState(run.id, "a", "asking"), "a").approval;
  ASSERT_TRUE(world_.Answer(id, kAda, true));
  EXPECT_EQ(world_.Answer(id, kAda, true).error().code(), Code::kAlreadyExists);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_TRUE(world_.notebook().empty());
  ASSERT_TRUE(world_.Answer(id, kGrace, true));
  EXPECT_EQ(world_.WaitOver(run.id).state, "done");
}

TEST_F(EngineTest, ATaintedParameterIsRefusedBeforeAnybodyIsAskedOrAnythingLookedAt) {
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.call.with["name"] = "{{ inputs.name }}";
  Plan plan = One(step);
  plan.inputs["name"] = {"rm -rf", Origin::kAgent, {}};
  const auto over = world_.WaitOver(world_.Begin(plan, kCopilot).id);
  EXPECT_EQ(over.state, "refused");
  EXPECT_THAT(over.what, HasSubstr("not in the inventory"));
  EXPECT_TRUE(world_.Events("run.asked").empty());
  EXPECT_EQ(world_.notes->looks, 0);
  ASSERT_EQ(world_.Events("run.refused").size(), 1u);
  EXPECT_EQ(world_.Events("run.refused")[0]["reasons"][0]["rule"], "untrusted_parameter");
}

TEST_F(EngineTest, AnEffectThatIsNotProvenIsUndoneAndAPersonIsCalled) {
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.expects = {ActWorld::Proof("x", "2")};
  step.effect_within = Duration::Millis(300);
  const auto over =
      world_.WaitOver(world_.Begin(ActWorld::PlanOf({step, ActWorld::Write("b", "y", "1", {"a"})})).id);
  EXPECT_EQ(over.state, "failed");
  EXPECT_EQ(StepOf(over, "a").state, "undone");
  EXPECT_EQ(StepOf(over, "b").state, "skipped");
  const auto lines = world_.notebook();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1].value, "nothing");
  EXPECT_EQ(world_.ledger->FindIncidents({"", "", "run/" + over.id, 5})->size(), 1u);
}

TEST_F(EngineTest, AProvenEffectCountsForTheAgent) {
  Raise();
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.expects = {ActWorld::Proof("x", "1")};
  step.effect_within = Duration::Seconds(5);
  const auto over = world_.WaitOver(world_.Begin(One(step), kCopilot).id);
  EXPECT_EQ(over.state, "done") << RenderRun(over);
  EXPECT_NEAR(ReadTrust(*world_.ledger, "copilot", "note")->helped, 1, 1e-3);
}

TEST_F(EngineTest, APreconditionThatDoesNotHoldRefuses) {
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.requires_claims = {ActWorld::Proof("x", "9")};
  const auto over = world_.WaitOver(world_.Begin(One(step)).id);
  EXPECT_EQ(over.state, "refused");
  EXPECT_TRUE(world_.notebook().empty());
}

TEST_F(EngineTest, AStopConditionStopsTheRun) {
  Plan plan = ActWorld::PlanOf({ActWorld::Write("a", "x", "1"), ActWorld::Write("b", "y", "1", {"a"})});
  plan.stop_when = {ActWorld::Proof("x", "1")};
  const auto over = world_.WaitOver(world_.Begin(plan).id);
  EXPECT_EQ(over.state, "stopped") << RenderRun(over);
  EXPECT_EQ(world_.notebook().size(), 1u);
  // One that cannot even be read stops nothing by itself, and lets nothing begin.
  plan.stop_when = {{{"kind", "exists"}}};
  EXPECT_EQ(world_.WaitOver(world_.Begin(plan).id).state, "failed");
  EXPECT_EQ(world_.notebook().size(), 1u);
}

TEST_F(EngineTest, ABranchIsDecidedOnce) {
  PlanStep decide;
  decide.id = "if-1";
  decide.when = {{ActWorld::Proof("x", "1"), "", "", "", "", false}};
  PlanStep yes = ActWorld::Write("yes", "x", "2", {"if-1"}), no = ActWorld::Write("no", "y", "2", {"if-1"});
  yes.when = {{nullptr, "", "", "if-1", "done", false}};
  no.when = {{nullptr, "", "", "if-1", "skipped", false}};
  const auto over = world_.WaitOver(world_.Begin(ActWorld::PlanOf({decide, yes, no})).id);
  EXPECT_EQ(over.state, "done") << RenderRun(over);
  EXPECT_EQ(StepOf(over, "yes").state, "skipped");
  EXPECT_EQ(StepOf(over, "no").state, "done");
  // What cannot be told takes neither way.
  decide.when[0].claim["service"] = "unknown";
  const auto open = world_.WaitOver(world_.Begin(ActWorld::PlanOf({decide, yes, no})).id);
  EXPECT_EQ(open.state, "failed");
}

TEST_F(EngineTest, WhatDidNotLeaveIsTriedAgainWithTheSameKey) {
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.call.with["behave"] = "not_done_once";
  const auto over = world_.WaitOver(world_.Begin(One(step)).id);
  EXPECT_EQ(over.state, "done");
  EXPECT_EQ(world_.notebook().size(), 1u);
  EXPECT_EQ(world_.notes->runs, 2);
}

TEST_F(EngineTest, WhatNobodyKnowsWaitsForAPerson) {
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.call.with["behave"] = "unknown";
  const auto run = world_.Begin(ActWorld::PlanOf({step, ActWorld::Write("b", "y", "1", {"a"})}));
  const auto waits = world_.Wait(run.id, [](const RunView& view) { return view.state == "unknown"; });
  EXPECT_EQ(waits.state, "unknown");
  EXPECT_EQ(world_.engine->Settle(run.id, "a", "done", "I looked", kCopilot).error().code(),
            Code::kPermissionDenied);
  ASSERT_TRUE(world_.engine->Settle(run.id, "a", "done", "I looked", kAda));
  EXPECT_EQ(world_.WaitOver(run.id).state, "done");
  EXPECT_EQ(world_.notebook().size(), 1u);  // b
}

TEST_F(EngineTest, AManualStepWaitsForAPerson) {
  PlanStep step;
  step.id = "call";
  step.manual = true;
  step.instructions = "call the bank";
  const auto run = world_.Begin(One(step));
  EXPECT_EQ(StepOf(world_.WaitState(run.id, "call", "manual"), "call").what, "call the bank");
  EXPECT_EQ(world_.engine->Settle(run.id, "call", "perhaps", "", kAda).error().code(),
            Code::kInvalidArgument);
  ASSERT_TRUE(world_.engine->Settle(run.id, "call", "done", "", kAda));
  EXPECT_EQ(world_.WaitOver(run.id).state, "done");
}

TEST_F(EngineTest, AFailedStepEndsTheRunUnlessItMayFail) {
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.call.with["behave"] = "fail";
  EXPECT_EQ(
      world_.WaitOver(world_.Begin(ActWorld::PlanOf({step, ActWorld::Write("b", "y", "1", {"a"})})).id).state,
      "failed");
  EXPECT_TRUE(world_.notebook().empty());
  step.go_on_if_failed = true;
  EXPECT_EQ(
      world_.WaitOver(world_.Begin(ActWorld::PlanOf({step, ActWorld::Write("b", "y", "1", {"a"})})).id).state,
      "done");
  EXPECT_EQ(world_.notebook().size(), 1u);
}

TEST_F(EngineTest, UndoTakesBackLastFirst) {
  const auto run =
      world_.Begin(ActWorld::PlanOf({ActWorld::Write("a", "x", "1"), ActWorld::Write("b", "x", "2", {"a"}),
                                     ActWorld::Write("c", "y", "3", {"b"})}));
  ASSERT_EQ(world_.WaitOver(run.id).state, "done");
  EXPECT_EQ(world_.engine->Undo(run.id, "", kCopilot).error().code(), Code::kPermissionDenied);
  ASSERT_TRUE(world_.engine->Undo(run.id, "it made things worse", kAda));
  const auto over = world_.Wait(run.id, [](const RunView& view) { return view.state == "undone"; });
  EXPECT_EQ(over.state, "undone") << RenderRun(over);
  const auto lines = world_.notebook();
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[3].name + lines[3].value, "ynothing");
  EXPECT_EQ(lines[4].name + lines[4].value, "x1");
  EXPECT_EQ(lines[5].name + lines[5].value, "xnothing");
  EXPECT_FALSE(world_.engine->Undo(run.id, "again", kAda));
}

// Whoever wants it undone answers for the inverse, and its action is the inverse's own.
TEST_F(EngineTest, PeopleUndoWhatAgentsDidWhileAgentsAreStopped) {
  Raise();
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.call.action = "note.page";
  step.inverse->with["behave"] = "stall";
  world_.settings->rules.access.agents["copilot"].may_reach_people = true;
  const auto run = world_.Begin(One(step), kCopilot);
  const std::string question = StepOf(world_.WaitState(run.id, "a", "asking"), "a").approval;
  ASSERT_TRUE(world_.Answer(question, kAda, true));
  ASSERT_EQ(world_.WaitOver(run.id).state, "done");
  ASSERT_TRUE(world_.kill->Engage({"agents", ""}, "they are wrong", kAda));
  ASSERT_TRUE(world_.engine->Undo(run.id, "it was wrong", kAda));
  world_.Wait(run.id, [&](const RunView&) { return world_.notes->under_way > 0; });
  ASSERT_EQ(world_.notes->under_way, 1) << RenderRun(*world_.engine->View(run.id));
  ASSERT_TRUE(world_.kill->Engage({"action", "note.page"}, "pages are wrong", kAda));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(world_.notes->under_way, 1) << "the inverse writes, it does not page";
  ASSERT_TRUE(world_.kill->Engage({"action", "note.write"}, "writes too", kAda));
  const auto over = world_.WaitOver(run.id);
  EXPECT_EQ(StepOf(over, "a").state, "undo_failed") << RenderRun(over);
  EXPECT_EQ(world_.notes->under_way, 0);
}

TEST_F(EngineTest, PeopleAreToldOfAQuestionThatIsStillOpenAfterARestart) {
  const auto run = world_.Begin(One(ActWorld::Write("a", "x", "1")), kCopilot);
  const std::string question = StepOf(world_.WaitState(run.id, "a", "asking"), "a").approval;
  world_.engine->Stop();  // perhaps before anybody was told
  ActWorld again(scratch_.path());
  again.Wait(run.id, [&](const RunView&) { return !again.told().empty(); });
  EXPECT_EQ(again.told(), std::vector<std::string>{question});
}

// What was reserved while the facts were gathered, or before a clock was set back.
TEST_F(EngineTest, WhatLiesAheadOfAClockWasJustNow) {
  Raise();
  const PolicyRules& rules = world_.settings->rules;
  ActionCall call;
  call.run = "RUN-1", call.runbook = "test", call.step = "a", call.action = "note.write", call.hash = "h";
  call.tier = Tier::kAuto;
  call.has_inverse = true;
  call.targets = {{"note", "x"}};
  call.actor = "copilot", call.by_agent = true;
  PolicyFacts facts;
  facts.now = Time{1'000'000'000'000};
  facts.action_known = facts.step_current = true;
  ActionLog log;
  PolicyFacts later = facts;
  later.now = facts.now + Duration::Nanos(1);
  ASSERT_EQ(log.DecideAndReserve(rules, later, call, "k1").verdict, Decision::Verdict::kAllow);
  EXPECT_EQ(log.DecideOnly(rules, facts, call).verdict, Decision::Verdict::kAllow) << "there is no pause";
  PolicyRules paused = rules;
  paused.auto_pause = Duration::Minutes(1);
  EXPECT_EQ(log.DecideOnly(paused, facts, call).verdict, Decision::Verdict::kAsk);
  paused.cooldown = Duration::Minutes(1);
  EXPECT_EQ(log.DecideOnly(paused, facts, call).verdict, Decision::Verdict::kRefuse);
}

TEST_F(EngineTest, StopCutsOffWhatRunsAndBeginsNothingMore) {
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.call.with["behave"] = "stall";
  const auto run = world_.Begin(ActWorld::PlanOf({step, ActWorld::Write("b", "y", "1", {"a"})}));
  world_.WaitState(run.id, "a", "running");
  EXPECT_EQ(world_.engine->StopRun(run.id, "", {"other", false, "mcp"}).error().code(),
            Code::kPermissionDenied);
  ASSERT_TRUE(world_.engine->StopRun(run.id, "enough", kAda));
  const auto over = world_.WaitOver(run.id);
  EXPECT_EQ(over.state, "stopped");
  EXPECT_THAT(over.what, HasSubstr("stopped by ada: enough"));
  EXPECT_TRUE(world_.notebook().empty());
}

TEST_F(EngineTest, TheSwitchCutsOffAgentsAndLetsPeopleGoOn) {
  Raise();
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.call.with["behave"] = "stall";
  const auto agents = world_.Begin(One(step), kCopilot);
  PlanStep mine = ActWorld::Write("a", "y", "1");
  mine.call.with["behave"] = "stall";
  const auto people = world_.Begin(One(mine));
  ASSERT_EQ(StepOf(world_.WaitState(agents.id, "a", "running"), "a").state, "running");
  ASSERT_EQ(StepOf(world_.WaitState(people.id, "a", "running"), "a").state, "running");
  ASSERT_TRUE(world_.kill->Engage({"agents", ""}, "they are wrong", kAda));
  EXPECT_EQ(world_.WaitOver(agents.id).state, "stopped");
  EXPECT_EQ(world_.engine->View(people.id)->state, "running");
  // Nothing new begins for agents, and by the file nothing at all.
  EXPECT_EQ(world_.WaitOver(world_.Begin(One(ActWorld::Write("a", "z", "1")), kCopilot).id).state, "stopped");
  std::ofstream(scratch_.path() + "/KILL").close();
  EXPECT_EQ(world_.WaitOver(people.id).state, "stopped");
  EXPECT_EQ(world_.WaitOver(world_.Begin(One(ActWorld::Write("a", "z", "1"))).id).state, "stopped");
  EXPECT_TRUE(world_.notebook().empty());
}

TEST_F(EngineTest, TwoStepsNeverActOnOneTargetAtOnce) {
  PlanStep first = ActWorld::Write("a", "x", "1");
  first.call.with["behave"] = "stall";
  const auto one = world_.Begin(One(first));
  world_.WaitState(one.id, "a", "running");
  const auto two = world_.Begin(One(ActWorld::Write("a", "x", "2")));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(StepOf(*world_.engine->View(two.id), "a").state, "waiting");
  ASSERT_TRUE(world_.engine->StopRun(one.id, "", kAda));
  EXPECT_EQ(world_.WaitOver(two.id).state, "done");
}

TEST_F(EngineTest, ManyAtOnceAreHeldToTheRate) {
  world_.settings->rules.rates = {{"all", 5, Duration::Hours(1)}};
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i)
    ids.push_back(world_.Begin(One(ActWorld::Write("a", "n" + std::to_string(i), "1"))).id);
  int done = 0;
  for (const auto& id : ids) done += world_.WaitOver(id).state == "done" ? 1 : 0;
  EXPECT_EQ(done, 5);
  EXPECT_EQ(world_.notebook().size(), 5u);
}

TEST_F(EngineTest, AnAgentThatIsRefusedTooOftenIsShutOut) {
  world_.settings->breaker.refusals = 3;
  PlanStep step = ActWorld::Write("a", "x", "1");
  step.targets = {{"note", "nowhere"}};
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(world_.WaitOver(world_.Begin(One(step), kCopilot).id).state, "refused");
  const auto over = world_.WaitOver(world_.Begin(One(ActWorld::Write("a", "x", "1")), kCopilot).id);
  EXPECT_EQ(over.state, "refused");
  EXPECT_THAT(over.what, HasSubstr("circuit breaker is open"));
}

TEST_F(EngineTest, ARunForAnIncidentKnowsItAndEndsWithItsOutputs) {
  std::string id;
  const Status declared = world_.ledger->Transact([&](store::LedgerTransaction& transaction) -> Status {
    respond::Declaration declaration;
    declaration.title = "the assistant invents order numbers";
    declaration.service = "x";
    const auto incident =
        respond::DeclareIncident(transaction, declaration, {"ada", true, false}, ports::SystemClock().Now());
    if (!incident) return incident.error();
    id = incident->id.value;
    return {};
  });
  ASSERT_TRUE(declared.ok()) << declared.message();
  Plan plan = One(ActWorld::Write("a", "x", "1"));
  plan.outputs = {{"of", "{{ incident.id }}"}};
  const auto over = world_.WaitOver(world_.Begin(plan, kAda, id).id);
  EXPECT_EQ(over.state, "done");
  EXPECT_EQ(over.outputs, nlohmann::json({{"of", id}}));
  // And what an incident says is no parameter.
  PlanStep step = ActWorld::Write("a", "y", "1");
  step.call.with["value"] = "{{ incident.title }}";
  const auto refused = world_.WaitOver(world_.Begin(One(step), kAda, id).id);
  EXPECT_EQ(refused.state, "refused");
  EXPECT_THAT(refused.what, HasSubstr("(telemetry)"));
}

TEST(Breaker, OpensAtTheBoundAndClosesAfterThePause) {
  const BreakerSettings settings{3, 10, Duration::Minutes(30), Duration::Hours(1)};
  const auto at = [](int minute) { return Time{} + Duration::Minutes(1000 + minute); };
  EXPECT_FALSE(BreakerOf({at(0), at(10)}, {}, settings, at(11)).open);
  EXPECT_TRUE(BreakerOf({at(20), at(0), at(10)}, {}, settings, at(21)).open);
  EXPECT_FALSE(BreakerOf({at(0), at(10), at(30)}, {}, settings, at(31)).open);  // the window is half open
  EXPECT_TRUE(BreakerOf({at(0), at(10), at(20)}, {}, settings, at(79)).open);
  EXPECT_FALSE(BreakerOf({at(0), at(10), at(20)}, {}, settings, at(80)).open);
}

TEST(Trust, FallsByItselfAndRisesOnlyByAPerson) {
  const Time now = ports::SystemClock().Now();
  TrustRecord record;
  record.ceiling = Tier::kAuto;
  record = Learn(record, {.executed = 3, .failed = 3}, now);
  EXPECT_EQ(record.ceiling, Tier::kApprove);
  record = Learn(record, {.failed = 3}, now);
  EXPECT_EQ(record.ceiling, Tier::kAdvise);
  record = Learn(record, {.failed = 20}, now);
  EXPECT_EQ(record.ceiling, Tier::kObserve);
  // Good work proposes, and does not raise.
  TrustRecord good = Learn({}, {.claims_held = 14}, now);
  EXPECT_EQ(good.ceiling, Tier::kApprove);
  EXPECT_TRUE(good.promotion_due);
  EXPECT_FALSE(Learn({}, {.claims_held = 12}, now).promotion_due);
  // Half is forgotten within the half-life.
  EXPECT_NEAR(Learn(good, {}, now + kTrustHalfLife).claims_held, 7, 1e-9);
}

}  // namespace
}  // namespace tocsin::act::testing
