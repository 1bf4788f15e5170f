// The sender with real channels against real peers: outages, hangs, a store that fails, storms.
#include "respond/notify/sender.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "respond/notify/ntfy.h"
#include "respond/notify/pagerduty_events.h"
#include "respond/notify/signed_webhook.h"
#include "respond/notify/slack_webhook.h"
#include "respond/notify/testing/http_recorder.h"
#include "respond/notify/testing/observed_store.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;
using testing::Behaviour;
using testing::HttpRecorder;
using testing::ObservedStore;
using namespace std::chrono_literals;

// Fails Apply as told: before writing, or after.
class FailingStore : public ObservedStore {
 public:
  using ObservedStore::ObservedStore;
  Status Apply(const OutboxChanges& changes) override {
    const int turn = turn_++;
    if (turn >= fail_from && turn < fail_from + fail_count) {
      if (after_writing) (void)ObservedStore::Apply(changes);
      return Status(Code::kUnavailable, "disk is away");
    }
    return ObservedStore::Apply(changes);
  }
  int fail_from = 1 << 30;
  int fail_count = 0;
  bool after_writing = false;

 private:
  std::atomic<int> turn_{0};
};

class SenderTest : public ::testing::TestWithParam<std::string> {
 protected:
  SenderTest() {
    const HttpNotifierOptions quick{.connect_timeout_ms = 500, .timeout_ms = 400};
    directory_.SetNotifier(std::make_shared<SlackWebhookNotifier>(quick));
    directory_.SetNotifier(std::make_shared<PagerdutyNotifier>(quick));
    directory_.SetNotifier(std::make_shared<NtfyNotifier>(quick));
    directory_.SetNotifier(std::make_shared<SignedWebhookNotifier>(ports::SystemClock(), quick));
    pagerduty_.Otherwise({.status = 202, .body = "{}"});
    SetDestinations({});
    options_.policy.first_backoff = Duration::Millis(20);
    options_.policy.max_backoff = Duration::Millis(100);
  }
  void SetDestinations(RateLimit slack_limit) {
    ASSERT_TRUE(directory_
                    .SetDestinations({{"slack", "slack", slack_.Url("/services/x"), "", slack_limit},
                                      {"pd", "pagerduty", pagerduty_.Url("/v2/enqueue"), "key", {}},
                                      {"phone", "ntfy", ntfy_.Url("/ada"), "", {}},
                                      {"hook", "webhook", hook_.Url("/h"), "secret", {}},
                                      {"mute", "carrier-pigeon", "", "", {}}})
                    .ok());
  }
  void Put(const Outbox& outbox, const std::string& step, const std::vector<std::string>& destinations) {
    NotificationMessage message;
    message.incident_id = step;
    message.title = "title of " + step;
    message.severity = "sev2";
    OutboxChanges changes;
    changes.items.push_back(*outbox.NewItem(step, "ada", message, destinations, ports::SystemClock().Now()));
    ASSERT_TRUE(store_.ObservedStore::Apply(changes).ok());
  }
  bool AllEnded(std::chrono::milliseconds at_most = 20s) {
    const auto end = std::chrono::steady_clock::now() + at_most;
    while (std::chrono::steady_clock::now() < end) {
      const auto all = *store_.All();
      if (std::all_of(all.begin(), all.end(), [](const OutboxItem& item) { return item.ended(); }))
        return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  std::string StateOf(const std::string& key) {
    const auto item = *store_.Find(key);
    return item ? item->state : "(absent)";
  }

  HttpRecorder slack_, pagerduty_, ntfy_, hook_;
  NotifierDirectory directory_;
  FailingStore store_{GetParam()};
  SenderOptions options_;
};

INSTANTIATE_TEST_SUITE_P(Stores, SenderTest, ::testing::Values("memory", "ledger"),
                         [](const auto& kind) { return kind.param; });

TEST_P(SenderTest, EveryMessageArrivesOnceThroughChannelsThatStumble) {
  for (int i = 0; i < 12; ++i) {
    slack_.Next({.status = i % 3 == 0 ? 500 : 200});
    hook_.Next({.status = i % 2 == 0 ? 429 : 200});
  }
  Sender sender(store_, directory_, ports::SystemClock(), options_);
  ASSERT_TRUE(sender.Recover().ok());
  sender.Start();
  for (int i = 0; i < 40; ++i) {
    Put(sender.outbox(), "s" + std::to_string(i), {i % 2 == 0 ? "slack" : "hook", "pd"});
    sender.Wake();
  }
  ASSERT_TRUE(AllEnded());
  sender.Stop();
  EXPECT_EQ(sender.counters().sent, 40U);
  std::map<std::string, int> keys;
  for (const auto& request : hook_.Requests()) ++keys[request.headers.at("idempotency-key")];
  EXPECT_EQ(keys.size(), 20U);
  EXPECT_EQ(slack_.Requests().size(), 24U);  // 20 and the four that were answered 500
  EXPECT_TRUE(pagerduty_.Requests().empty());
}

TEST_P(SenderTest, AHangingChannelGivesWayAndHoldsNobodyElseUp) {
  directory_.SetNotifier(std::make_shared<SlackWebhookNotifier>(HttpNotifierOptions{.timeout_ms = 1'500}));
  slack_.Otherwise({.kind = Behaviour::Kind::kHang});
  Sender sender(store_, directory_, ports::SystemClock(), options_);
  for (int i = 0; i < 2; ++i) Put(sender.outbox(), "hung" + std::to_string(i), {"slack", "pd"});
  for (int i = 0; i < 10; ++i) Put(sender.outbox(), "other" + std::to_string(i), {"phone"});
  const auto begun = std::chrono::steady_clock::now();
  sender.Start();
  ASSERT_TRUE(ntfy_.WaitFor(10));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 1'450ms);  // less than one hung try
  ASSERT_TRUE(pagerduty_.WaitFor(2));
  ASSERT_TRUE(AllEnded());
  EXPECT_EQ(slack_.Requests().size(), 2U);  // never a second time
  EXPECT_EQ(StateOf("hung0/0"), "possibly-sent");
  EXPECT_EQ(StateOf("hung0/1"), "sent");
  EXPECT_EQ(store_.alerts().size(), 1U);
}

TEST_P(SenderTest, AQueueForABusyDestinationHidesNobody) {
  slack_.Otherwise({.kind = Behaviour::Kind::kHang});
  options_.batch = 2;
  Sender sender(store_, directory_, ports::SystemClock(), options_);
  for (int i = 0; i < 12; ++i) Put(sender.outbox(), "queued" + std::to_string(i), {"slack"});
  sender.Start();
  ASSERT_TRUE(slack_.WaitFor(1));
  Put(sender.outbox(), "other", {"phone"});
  sender.Wake();
  ASSERT_TRUE(ntfy_.WaitFor(1));
  EXPECT_LE(slack_.Requests().size(), 6U);
}

TEST_P(SenderTest, ADestinationNobodyKnowsFallsThroughAndIsTold) {
  Sender sender(store_, directory_, ports::SystemClock(), options_);
  Put(sender.outbox(), "a", {"gone", "mute", "phone"});
  sender.Start();
  ASSERT_TRUE(ntfy_.WaitFor(1));
  ASSERT_TRUE(AllEnded());
  EXPECT_EQ(StateOf("a/0"), "failed");
  EXPECT_EQ(StateOf("a/1"), "failed");
  EXPECT_EQ(StateOf("a/2"), "sent");
  EXPECT_EQ(store_.alerts().size(), 2U);
}

TEST_P(SenderTest, AStoreThatFailsAtAnyWriteNeitherLosesNorRepeats) {
  for (const bool after_writing : {false, true}) {
    for (int fail_from = 0; fail_from < 4; ++fail_from) {
      SCOPED_TRACE(std::to_string(fail_from) + (after_writing ? " after writing" : " before writing"));
      FailingStore store(GetParam());
      store.fail_from = fail_from;
      store.fail_count = 1;
      store.after_writing = after_writing;
      const size_t before = slack_.Requests().size();
      Sender sender(store, directory_, ports::SystemClock(), options_);
      OutboxChanges changes;
      for (const std::string step : {"a", "b"}) {
        changes.items.push_back(*sender.outbox().NewItem(step, "ada", {}, {"slack"}, {1'000'000'000}));
      }
      ASSERT_TRUE(store.ObservedStore::Apply(changes).ok());
      for (int i = 0; i < 6; ++i) (void)sender.RunOne();
      EXPECT_EQ((*store.Find("a/0"))->state, "sent");
      EXPECT_EQ((*store.Find("b/0"))->state, "sent");
      EXPECT_EQ(slack_.Requests().size(), before + 2);
      EXPECT_EQ(sender.counters().store_errors,
                fail_from % 2 == 1 ? 1U : 0U);  // RunOne returns a claim's error
    }
  }
}

TEST_P(SenderTest, WhatAnEndedProcessLeftIsJudgedByTheChannel) {
  Sender sender(store_, directory_, ports::SystemClock(), options_);
  Put(sender.outbox(), "a", {"slack", "phone"});
  Put(sender.outbox(), "b", {"hook"});
  for (const std::string name : {"slack", "hook"}) {
    const auto due = *store_.Due(ports::SystemClock().Now(), 10);
    const std::set<std::string> busy =
        name == "slack" ? std::set<std::string>{"hook"} : std::set<std::string>{};
    ASSERT_TRUE(
        store_.Apply(sender.outbox().ClaimNext(due, {}, busy, ports::SystemClock().Now()).changes).ok());
  }
  ASSERT_EQ((*store_.Sending()).size(), 2U);
  Sender next(store_, directory_, ports::SystemClock(), options_);
  ASSERT_TRUE(next.Recover().ok());
  next.Start();
  ASSERT_TRUE(AllEnded());
  EXPECT_EQ(StateOf("a/0"), "possibly-sent");
  EXPECT_EQ(StateOf("a/1"), "sent");
  EXPECT_EQ(StateOf("b/0"), "sent");
  EXPECT_TRUE(slack_.Requests().empty());
  EXPECT_EQ(hook_.Requests().at(0).headers.at("idempotency-key"), "b/0");
}

TEST_P(SenderTest, AStormArrivesAsAFewDigestsWithNothingLeftOut) {
  SetDestinations({.burst = 3, .every = Duration::Seconds(60)});
  Sender sender(store_, directory_, ports::SystemClock(), options_);
  for (int i = 0; i < 80; ++i) Put(sender.outbox(), "INC-" + std::to_string(100 + i), {"slack"});
  sender.Start();
  ASSERT_TRUE(AllEnded());
  const auto requests = slack_.Requests();
  EXPECT_EQ(requests.size(), 3U);  // two alone, then one about the others
  std::string all;
  for (const auto& request : requests) all += request.body;
  EXPECT_NE(all.find("messages at once"), std::string::npos);
  for (int i = 0; i < 80; ++i) EXPECT_EQ(StateOf("INC-" + std::to_string(100 + i) + "/0"), "sent");
}

TEST_P(SenderTest, AnAcknowledgementDuringAHangingTryEndsThere) {
  slack_.Otherwise({.kind = Behaviour::Kind::kHang});
  Sender sender(store_, directory_, ports::SystemClock(), options_);
  Put(sender.outbox(), "INC-1", {"slack", "pd"});
  sender.Start();
  ASSERT_TRUE(slack_.WaitFor(1));
  ASSERT_TRUE(store_.DropPages(sender.outbox(), "INC-1", "acknowledged", ports::SystemClock().Now()).ok());
  ASSERT_TRUE(AllEnded());
  EXPECT_EQ(StateOf("INC-1/0"), "dropped");
  EXPECT_TRUE(pagerduty_.Requests().empty());
}

TEST_P(SenderTest, StopsWhileAPeerHangs) {
  slack_.Otherwise({.kind = Behaviour::Kind::kHang});
  Sender sender(store_, directory_, ports::SystemClock(), options_);
  Put(sender.outbox(), "a", {"slack", "pd"});
  sender.Start();
  ASSERT_TRUE(slack_.WaitFor(1));
  const auto begun = std::chrono::steady_clock::now();
  sender.Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 2s);
  EXPECT_EQ(StateOf("a/0"), "possibly-sent");
  EXPECT_EQ(StateOf("a/1"), "pending");
}

}  // namespace
}  // namespace tocsin::respond
