// The outbox's promises, by example and under random outages and crashes at every boundary.
#include "respond/notify/outbox.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "kernel/rng.h"
#include "respond/notify/testing/observed_store.h"

namespace tocsin::respond {
namespace {

using testing::ObservedStore;

constexpr Time kStart{1'700'000'000'000'000'000};

ChannelTraits TraitsOf(const std::string& name) {
  if (name.starts_with("pd") || name.starts_with("mail")) return {.deduplicates = true};
  if (name == "slow-slack") {
    return {.takes_digests = true, .limit = {.burst = 2, .every = Duration::Seconds(30)}};
  }
  return {.takes_digests = true};
}

Outbox MakeOutbox(OutboxPolicy policy = {}) { return Outbox(policy, TraitsOf); }

NotificationMessage Message(const std::string& incident, const std::string& severity = "sev2") {
  NotificationMessage message;
  message.incident_id = incident;
  message.title = "title of " + incident;
  message.severity = severity;
  return message;
}

SendOutcome Failure(bool retryable, bool possibly = false, Duration retry_after = {}) {
  return {.status = Status(Code::kUnavailable, "no answer"),
          .retryable = retryable,
          .retry_after = retry_after,
          .possibly_delivered = possibly};
}

// One claim, stored.
OutboxItem ClaimOne(const Outbox& outbox, ObservedStore& store, Time now) {
  std::map<std::string, DestinationState> states;
  const auto due = *store.Due(now, 1000);
  for (const auto& item : due) {
    if (auto state = *store.FindDestination(item.destination())) states[item.destination()] = *state;
  }
  auto claim = outbox.ClaimNext(due, states, {}, now);
  EXPECT_TRUE(store.Apply(claim.changes).ok());
  return claim.send.value_or(OutboxItem{});
}

void SettleOne(const Outbox& outbox, ObservedStore& store, const OutboxItem& item, const SendOutcome& outcome,
               Time now) {
  const auto state = *store.FindDestination(item.destination());
  const auto changes =
      outbox.Settle(item, *store.HeldIn(item.key), outcome, state.value_or(DestinationState{}), now);
  ASSERT_TRUE(store.Apply(changes).ok());
}

void Put(const Outbox& outbox, ObservedStore& store, const std::string& step,
         const std::vector<std::string>& destinations, Time now, const std::string& severity = "sev2") {
  OutboxChanges changes;
  changes.items.push_back(*outbox.NewItem(step, "ada", Message(step, severity), destinations, now));
  ASSERT_TRUE(store.Apply(changes).ok());
}

class OutboxOver : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Stores, OutboxOver, ::testing::Values("memory", "ledger"),
                         [](const auto& kind) { return kind.param; });

TEST_P(OutboxOver, RetriesWithGrowingDelaysThenTakesTheNextChannelAndAlertsOnce) {
  const Outbox outbox = MakeOutbox();
  ObservedStore store(GetParam());
  Put(outbox, store, "a", {"slack", "pd"}, kStart);
  Time now = kStart;
  Duration last{};
  for (uint32_t attempt = 1; attempt <= 5; ++attempt) {
    const OutboxItem item = ClaimOne(outbox, store, now);
    ASSERT_EQ(item.key, "a/0");
    EXPECT_EQ(item.attempts, attempt);
    SettleOne(outbox, store, item, Failure(true), now);
    if (attempt == 5) break;
    const Time next = (*store.NextDue()).value();
    EXPECT_GT(next - now, last);
    EXPECT_EQ(next - now, outbox.Backoff("a/0", attempt));
    last = next - now;
    now = next;
  }
  EXPECT_EQ((*store.Find("a/0"))->state, "failed");
  const OutboxItem next = ClaimOne(outbox, store, now);
  EXPECT_EQ(next.key, "a/1");
  EXPECT_EQ(next.message.idempotency_key, "a/1");
  EXPECT_EQ(next.destination(), "pd");
  ASSERT_EQ(store.alerts().size(), 1U);
  EXPECT_EQ(store.alerts()[0].destination, "slack");

  Put(outbox, store, "b", {"slack", "pd"}, now);
  SettleOne(outbox, store, ClaimOne(outbox, store, now), Failure(false), now);
  EXPECT_EQ(store.alerts().size(), 1U);  // within the interval
  Put(outbox, store, "c", {"slack", "pd"}, now + Duration::Minutes(20));
  now = now + Duration::Minutes(20);
  for (OutboxItem item = ClaimOne(outbox, store, now); !item.key.empty();
       item = ClaimOne(outbox, store, now)) {
    SettleOne(outbox, store, item, item.destination() == "slack" ? Failure(false) : SendOutcome{}, now);
  }
  ASSERT_EQ(store.alerts().size(), 2U);
  EXPECT_EQ(store.alerts()[1].failures, 2U);  // "b" and "c"
}

TEST_P(OutboxOver, RetryAfterIsHonouredAndTooLateMeansTheNextChannelNow) {
  const Outbox outbox = MakeOutbox();
  ObservedStore store(GetParam());
  Put(outbox, store, "a", {"slack", "pd"}, kStart);
  SettleOne(outbox, store, ClaimOne(outbox, store, kStart), Failure(true, false, Duration::Seconds(90)),
            kStart);
  EXPECT_EQ((*store.Find("a/0"))->next_attempt, kStart + Duration::Seconds(90));
  const Time later = kStart + Duration::Seconds(90);
  SettleOne(outbox, store, ClaimOne(outbox, store, later), Failure(true, false, Duration::Minutes(60)),
            later);
  EXPECT_EQ((*store.Find("a/0"))->state, "failed");
  EXPECT_EQ((*store.Find("a/1"))->next_attempt, later);
}

TEST_P(OutboxOver, AnUnansweredTryIsRepeatedOnlyWhereTheKeyIsKnown) {
  const Outbox outbox = MakeOutbox();
  ObservedStore store(GetParam());
  Put(outbox, store, "a", {"slack"}, kStart);
  Put(outbox, store, "b", {"pd"}, kStart);
  SettleOne(outbox, store, ClaimOne(outbox, store, kStart), Failure(true, true), kStart);
  SettleOne(outbox, store, ClaimOne(outbox, store, kStart), Failure(true, true), kStart);
  EXPECT_EQ((*store.Find("a/0"))->state, "possibly-sent");
  EXPECT_EQ((*store.Find("b/0"))->state, "pending");
  ASSERT_EQ(store.exhausted().size(), 1U);
  EXPECT_EQ(store.exhausted()[0].step, "a");
  EXPECT_TRUE(store.exhausted()[0].possibly_sent);
}

TEST_P(OutboxOver, OneStepIsTakenOnceAndAClaimLosesToAnAcknowledgement) {
  const Outbox outbox = MakeOutbox();
  ObservedStore store(GetParam());
  Put(outbox, store, "a", {"slack", "slack", ""}, kStart);
  OutboxChanges again;
  again.items.push_back(*outbox.NewItem("a", "ada", Message("a"), {"pd"}, kStart));
  EXPECT_EQ(store.Apply(again).code(), Code::kFailedPrecondition);
  EXPECT_FALSE(outbox.NewItem("x", "ada", Message("x"), {""}, kStart));

  const auto due = *store.Due(kStart, 10);
  const auto claim = outbox.ClaimNext(due, {}, {}, kStart);
  OutboxChanges dropped;
  dropped.items.push_back(*outbox.Drop(due[0], "acknowledged by ada", kStart));
  ASSERT_TRUE(store.Apply(dropped).ok());
  EXPECT_EQ(store.Apply(claim.changes).code(), Code::kFailedPrecondition);
  EXPECT_EQ((*store.Find("a/0"))->state, "dropped");
}

TEST_P(OutboxOver, AnAcknowledgementStopsThePagesAlsoTheOneBeingSent) {
  const Outbox outbox = MakeOutbox();
  ObservedStore store(GetParam());
  OutboxChanges changes;
  for (const std::string step : {"INC-1/page/0", "INC-1/page/1", "INC-1/page/2"}) {
    changes.items.push_back(*outbox.NewItem(step, "ada", Message("INC-1"), {"slack", "pd"}, kStart));
  }
  changes.items.push_back(*outbox.NewItem("INC-1/update", "ada", Message("INC-1"), {"slack"}, kStart));
  changes.items.back().message.kind = "update";
  changes.items.push_back(
      *outbox.NewItem("INC-10/page/0", "ada", Message("INC-10", "sev4"), {"slack"}, kStart));
  ASSERT_TRUE(store.Apply(changes).ok());
  const OutboxItem failing = ClaimOne(outbox, store, kStart);
  const OutboxItem arriving = ClaimOne(outbox, store, kStart);
  ASSERT_TRUE(store.DropPages(outbox, "INC-1", "acknowledged by ada", kStart).ok());
  ASSERT_TRUE(store.DropPages(outbox, "INC-1", "acknowledged by ada", kStart).ok());  // nothing more to do
  EXPECT_EQ((*store.Find("INC-1/page/2/0"))->state, "dropped");
  EXPECT_EQ((*store.Find("INC-1/update/0"))->state, "pending");
  EXPECT_EQ((*store.Find("INC-10/page/0/0"))->state, "pending");
  SettleOne(outbox, store, **store.Find(failing.key), Failure(true), kStart);
  SettleOne(outbox, store, **store.Find(arriving.key), {}, kStart);
  EXPECT_EQ((*store.Find(failing.key))->state, "dropped");
  EXPECT_EQ((*store.Find(arriving.key))->state, "sent");
  EXPECT_FALSE((*store.Find("INC-1/page/0/1")).has_value());  // no next channel
  EXPECT_TRUE(store.alerts().empty());
}

TEST_P(OutboxOver, TheLastTokenCarriesADigestWorstFirst) {
  const Outbox outbox = MakeOutbox();
  ObservedStore store(GetParam());
  for (int i = 0; i < 10; ++i) {
    Put(outbox, store, "s" + std::to_string(i), {"slow-slack", "pd"}, kStart, i == 7 ? "sev1" : "sev3");
  }
  const OutboxItem first = ClaimOne(outbox, store, kStart);
  EXPECT_EQ(first.key, "s7/0");
  SettleOne(outbox, store, first, {}, kStart);
  const OutboxItem digest = ClaimOne(outbox, store, kStart);
  EXPECT_TRUE(digest.is_digest());
  EXPECT_EQ(digest.message.lines.size(), 9U);
  EXPECT_EQ((*store.HeldIn(digest.key)).size(), 9U);
  Put(outbox, store, "late", {"slow-slack"}, kStart);
  EXPECT_EQ(ClaimOne(outbox, store, kStart).key, "");  // no token
  EXPECT_GT((*store.Find("late/0"))->next_attempt, kStart + Duration::Seconds(29));

  SettleOne(outbox, store, digest, Failure(false), kStart);  // each member takes its next channel
  size_t on_pd = 0;
  for (OutboxItem item = ClaimOne(outbox, store, kStart); !item.key.empty();
       item = ClaimOne(outbox, store, kStart)) {
    EXPECT_EQ(item.destination(), "pd");
    SettleOne(outbox, store, item, {}, kStart);
    ++on_pd;
  }
  EXPECT_EQ(on_pd, 9U);
}

TEST(Outbox, JsonKeepsEverythingAndDamageIsTold) {
  OutboxItem item = *MakeOutbox().NewItem("s", "ada", Message("INC-1"), {"a", "b"}, kStart);
  item.message.lines = {"caf\xc3\xa9"};
  item.message.links = {{"t", "https://x.example"}};
  const auto back = OutboxItemFromJson(ToJson(item));
  ASSERT_TRUE(back);
  EXPECT_EQ(ToJson(*back), ToJson(item));
  EXPECT_EQ(OutboxItemFromJson("{}").error().code(), Code::kDataLoss);
  EXPECT_EQ(OutboxItemFromJson("nonsense").error().code(), Code::kDataLoss);
  item.place = 9;
  EXPECT_EQ(OutboxItemFromJson(ToJson(item)).error().code(), Code::kDataLoss);
}

// A world of channels that go down, answer late or not at all, under a process that ends at any boundary.
class World {
 public:
  World(uint64_t seed, const std::string& store) : rng_(seed), store_(store) {}

  void Run() {
    for (int i = 0; i < 400; ++i) {
      if (i < 150 && rng_.Below(3) == 0) Enqueue();
      if (rng_.Below(10) == 0) up_[Channel()] = rng_.Below(2) == 0;
      if (rng_.Below(12) == 0) DropOne();
      now_ = now_ + Duration::Millis(static_cast<int64_t>(rng_.Below(4000)));
      if (rng_.Below(40) == 0) now_ = now_ - Duration::Seconds(20);  // the clock is set back
      Turn(rng_.Below(6) == 0);
    }
    for (auto& [name, up] : up_) up = true;
    calm_ = true;
    for (int i = 0; i < 3000; ++i) {
      Turn(false);
      const auto next = *store_.NextDue();
      if (!next) break;
      now_ = std::max(now_, *next);
    }
    Check();
  }

 private:
  std::string Channel() {
    static const std::vector<std::string> names = {"slack", "slow-slack", "ntfy", "pd", "mail"};
    return names[rng_.Below(names.size())];
  }
  void Enqueue() {
    const std::string step = "step" + std::to_string(steps_.size());
    std::vector<std::string> destinations;
    for (uint64_t i = 0, n = 1 + rng_.Below(3); i < n; ++i) destinations.push_back(Channel());
    for (const auto& name : destinations) up_.try_emplace(name, true);
    Put(outbox_, store_, step, destinations, now_, rng_.Below(2) == 0 ? "sev1" : "sev3");
    steps_.insert(step);
  }
  void DropOne() {
    const auto due = *store_.Due(now_ + Duration::Hours(1), 1000);
    if (due.empty() || due[0].is_digest()) return;
    OutboxChanges changes;
    changes.items.push_back(*outbox_.Drop(due[0], "acknowledged", now_));
    ASSERT_TRUE(store_.Apply(changes).ok());
    dropped_.insert(due[0].step);
  }
  // One claim, send and settle; a crash may come between any two of them.
  void Turn(bool crash) {
    const uint64_t boundary = crash ? rng_.Below(4) : 9;
    std::map<std::string, DestinationState> states;
    const auto due = *store_.Due(now_, 1000);
    for (const auto& item : due) {
      if (auto state = *store_.FindDestination(item.destination())) states[item.destination()] = *state;
    }
    const auto claim = outbox_.ClaimNext(due, states, {}, now_);
    if (boundary == 0) return Restart();  // before the claim is stored
    ASSERT_TRUE(store_.Apply(claim.changes).ok());
    if (!claim.send) return;
    if (boundary == 1) return Restart();  // before sending
    const SendOutcome outcome = Send(*claim.send);
    if (boundary == 2) return Restart();  // before settling
    SettleOne(outbox_, store_, *claim.send, outcome, now_);
    if (boundary == 3) Restart();
  }
  void Restart() {
    const auto sending = *store_.Sending();
    for (const auto& item : sending) {
      ASSERT_TRUE(store_.Apply(outbox_.Recover(item, *store_.HeldIn(item.key), now_)).ok());
    }
  }
  SendOutcome Send(const OutboxItem& item) {
    const std::string& name = item.destination();
    if (!up_[name])
      return Failure(rng_.Below(4) != 0, false, Duration::Seconds(static_cast<int64_t>(rng_.Below(9))));
    const bool answers = calm_ || rng_.Below(5) != 0;
    if (answers || rng_.Below(2) == 0) {
      const bool known = TraitsOf(name).deduplicates && delivered_[name].contains(item.key);
      if (!known) delivered_[name].insert(item.key);
      std::vector<OutboxItem> told = *store_.HeldIn(item.key);
      told.push_back(item);
      for (const auto& one : told) told_.insert(one.step);
    }
    return answers ? SendOutcome{} : Failure(true, true);
  }
  void Check() {
    for (const auto& [name, keys] : delivered_) {
      const std::set<std::string> once(keys.begin(), keys.end());
      EXPECT_EQ(once.size(), keys.size()) << name << " was sent a key twice";
    }
    std::set<std::string> exhausted;
    for (const auto& step : store_.exhausted()) {
      EXPECT_TRUE(exhausted.insert(step.step).second) << step.step << " exhausted twice";
    }
    const auto all = *store_.All();
    for (const auto& item : all) EXPECT_TRUE(item.ended()) << item.key << " is " << item.state;
    for (const auto& step : steps_) {
      EXPECT_TRUE(told_.contains(step) || dropped_.contains(step) || exhausted.contains(step))
          << step << " is lost";
    }
  }

  Rng rng_;
  Time now_ = kStart;
  Outbox outbox_ = MakeOutbox();
  ObservedStore store_;
  bool calm_ = false;
  std::map<std::string, bool> up_;
  std::map<std::string, std::multiset<std::string>> delivered_;
  std::set<std::string> steps_, told_, dropped_;
};

TEST_P(OutboxOver, NothingIsLostAndNothingTwiceUnderOutagesAndCrashes) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World(seed, GetParam()).Run();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace tocsin::respond
