// What follows an acknowledgement, and what follows the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "kernel/rng.h"
#include "respond/oncall/escalation.h"

namespace tocsin::respond {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Time kStart{1'780'000'000'000'000'000};
Time After(int minutes) { return kStart + Duration::Minutes(minutes); }

struct EscalationAgain : ::testing::Test {
  EscalationPolicy policy{"default",
                          {{Duration{}, {{"person", "ada"}}}, {Duration::Minutes(5), {{"person", "bob"}}}},
                          0,
                          Duration::Minutes(10),
                          Duration::Minutes(30),
                          false};
  TargetResolver resolver;
  EscalationOutcome started;
  EscalationRun run = EscalationRun::Start("INC-1", 1, policy, kStart, started);
  std::set<std::string> sent;

  // The run is stored and read back before each call, as by a process that restarts all the time.
  void Restart() { run = *EscalationRun::FromJson(nlohmann::json::parse(run.ToJson().dump())); }
  std::vector<std::string> Advance(int minutes) {
    Restart();
    std::vector<std::string> kinds;
    const auto outcome = run.Advance(After(minutes), policy, resolver);
    for (const auto& event : outcome.events) kinds.push_back(event.kind);
    for (const auto& order : outcome.orders) {
      EXPECT_TRUE(sent.insert(order.key).second) << order.key;
      EXPECT_TRUE(run.Confirm(order.key));
    }
    return kinds;
  }
  Status Acknowledge(const std::string& by, int minutes, int64_t of_run = 0) {
    const auto outcome = run.Acknowledge(by, true, of_run, After(minutes), policy, resolver);
    return outcome ? Status::Ok() : outcome.error();
  }
  Status Snooze(const std::string& by, int until, int minutes, bool person = true) {
    const auto outcome = run.Snooze(by, person, After(until), After(minutes), policy, resolver);
    return outcome ? Status::Ok() : outcome.error();
  }
};

TEST_F(EscalationAgain, AnAcknowledgementExpires) {
  EXPECT_THAT(Advance(0), ElementsAre("paged"));
  ASSERT_TRUE(Acknowledge("ada", 2).ok());
  EXPECT_EQ(run.NextDeadline(), After(32));
  EXPECT_THAT(Advance(31), IsEmpty());
  EXPECT_THAT(Advance(32), ElementsAre("ack_expired", "paged"));
  EXPECT_THAT(sent, ElementsAre("page/INC-1/1/0/0/ada", "page/INC-1/2/0/0/ada"));
  EXPECT_THAT(Acknowledge("ada", 33, 1).message(), HasSubstr("run 2 is under way"));
  EXPECT_TRUE(Acknowledge("ada", 33, 2).ok());
}

TEST_F(EscalationAgain, WithoutATimeoutItStays) {
  policy.ack_timeout = {};
  (void)Advance(0);
  ASSERT_TRUE(Acknowledge("ada", 2).ok());
  EXPECT_EQ(run.NextDeadline(), std::nullopt);
  EXPECT_THAT(Advance(100'000), IsEmpty());
}

TEST_F(EscalationAgain, AClockThatGoesBackKeepsWhatWasLeftOfAnAcknowledgement) {
  (void)Advance(0);
  ASSERT_TRUE(Acknowledge("ada", 0).ok());
  (void)Advance(20);  // 10 minutes are left
  EXPECT_THAT(Advance(-100), ElementsAre("clock_back"));
  EXPECT_EQ(run.NextDeadline(), After(-90));
  EXPECT_THAT(Advance(-90), ElementsAre("ack_expired", "paged"));
}

TEST_F(EscalationAgain, SnoozedUntil) {
  (void)Advance(0);
  EXPECT_EQ(Snooze("ada", 60, 1, false).code(), Code::kPermissionDenied);
  EXPECT_EQ(Snooze("eve", 60, 1).code(), Code::kPermissionDenied);
  EXPECT_EQ(Snooze("ada", 1, 1).code(), Code::kOutOfRange);
  EXPECT_EQ(Snooze("ada", 8 * 24 * 60, 1).code(), Code::kOutOfRange);
  ASSERT_TRUE(Snooze("ada", 60, 1).ok());
  ASSERT_TRUE(Snooze("bob", 90, 2).ok());
  EXPECT_EQ(run.acknowledged_by(), "bob");
  EXPECT_THAT(Advance(89), IsEmpty());
  EXPECT_THAT(Advance(90), ElementsAre("ack_expired", "paged"));
  ASSERT_TRUE(run.Resolve(After(91)).has_value());
  EXPECT_EQ(Snooze("ada", 200, 92).code(), Code::kFailedPrecondition);
}

TEST_F(EscalationAgain, GivenBackAndReassigned) {
  (void)Advance(0);
  EXPECT_EQ(run.Unacknowledge("ada", After(1), policy).error().message(),
            "INC-1 is not acknowledged: it is running");
  ASSERT_TRUE(Acknowledge("ada", 1).ok());
  EXPECT_EQ(run.Unacknowledge("ada", After(2), policy)->events.at(0).text, "by ada; it was with ada");
  EXPECT_THAT(Advance(2), ElementsAre("paged"));
  EscalationPolicy other{"database", {{Duration{}, {{"person", "dba"}}}}, 0, Duration::Minutes(1), {}, false};
  EXPECT_EQ(run.Reassign("ada", After(3), other)->events.at(0).text,
            "by ada from policy 'default' to 'database'");
  policy = other;
  EXPECT_THAT(Advance(3), ElementsAre("paged"));
  EXPECT_EQ(run.policy(), "database");
  EXPECT_THAT(sent, ElementsAre("page/INC-1/1/0/0/ada", "page/INC-1/2/0/0/ada", "page/INC-1/3/0/0/dba"));
  EXPECT_THAT(Advance(4), ElementsAre("ended"));
  EXPECT_TRUE(run.Reassign("ada", After(5), other).has_value());
  EXPECT_THAT(Advance(5), ElementsAre("paged"));
  ASSERT_TRUE(run.Resolve(After(5)).has_value());
  EXPECT_EQ(run.Reassign("ada", After(6), other).error().code(), Code::kFailedPrecondition);
}

TEST_F(EscalationAgain, TheLastStepGoesOnUntilSomebodyAcknowledges) {
  policy.until_acknowledged = true;
  policy.repeat = 1;
  ASSERT_TRUE(CheckPolicy(policy).ok());
  (void)Advance(0);
  (void)Advance(5);
  EXPECT_THAT(Advance(15), ElementsAre("repeated", "paged"));
  (void)Advance(20);
  EXPECT_THAT(Advance(30), ElementsAre("ended", "paged"));
  EXPECT_EQ(run.state(), "running");
  EXPECT_THAT(Advance(40), ElementsAre("paged"));
  EXPECT_THAT(Advance(5'000), ElementsAre("paged"));  // once, however long it was down
  EXPECT_TRUE(sent.contains("page/INC-1/1/4/1/bob"));
  EXPECT_EQ(sent.size(), 7u);
  ASSERT_TRUE(Acknowledge("ada", 5'001).ok());
  EXPECT_THAT(Advance(5'030), IsEmpty());
  policy.repeat_after = Duration::Seconds(59);
  EXPECT_EQ(CheckPolicy(policy).message(), "repeat_after is below 1 minute, with until_acknowledged");
}

// Whatever is done in whatever order: no key comes twice, a running incident always has a deadline, and a
// run that was stored and read back after each step does the same as one that was not.
TEST(EscalationAgainProperty, AnyOrderOfActions) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    EscalationPolicy policy{
        "p", {}, static_cast<int>(rng.Below(3)), Duration::Minutes(3), {}, rng.Below(2) == 0};
    if (rng.Below(2) == 0) policy.ack_timeout = Duration::Minutes(20);
    for (uint64_t i = 0; i <= rng.Below(3); ++i)
      policy.steps.push_back({Duration::Minutes(static_cast<int64_t>(rng.Below(6))),
                              {{"person", std::string(1, static_cast<char>('a' + i))}}});
    const TargetResolver resolver;
    EscalationOutcome outcome;
    EscalationRun run = EscalationRun::Start("I", 1, policy, kStart, outcome);
    EscalationRun stored = run;
    std::set<std::string> keys;
    Time now = kStart;
    for (int i = 0; i < 300; ++i) {
      now = now + Duration::Seconds(static_cast<int64_t>(rng.Below(240)) - (rng.Below(20) == 0 ? 3600 : 0));
      const uint64_t action = rng.Below(30);
      const auto act = [&](EscalationRun& r) {
        if (action == 0) (void)r.Acknowledge("a", true, 0, now, policy, resolver);
        if (action == 1) (void)r.Snooze("a", true, now + Duration::Minutes(9), now, policy, resolver);
        if (action == 2) (void)r.Unacknowledge("a", now, policy);
        if (action == 3) (void)r.Reassign("a", now, policy);
        return r.Advance(now, policy, resolver);
      };
      const auto got = act(run);
      stored = *EscalationRun::FromJson(nlohmann::json::parse(stored.ToJson().dump()));
      ASSERT_EQ(act(stored).orders, got.orders);
      ASSERT_EQ(stored.ToJson(), run.ToJson());
      for (const auto& order : got.orders) ASSERT_TRUE(keys.insert(order.key).second) << order.key;
      ASSERT_EQ(run.NextDeadline().has_value(),
                run.state() == "running" || (run.state() == "acknowledged" && stored.ToJson()["wake"] != 0));
      ASSERT_GT(run.NextDeadline().value_or(now + Duration::Nanos(1)), now);
    }
  }
}

}  // namespace
}  // namespace tocsin::respond
