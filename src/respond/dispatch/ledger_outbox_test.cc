// What the ledger adds to the outbox's promises (those themselves: notify/outbox_test.cc and sender_test.cc,
// which run over this store too): one transaction with the caller's, the timeline, indexes, pruning.
#include "respond/dispatch/ledger_outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernel/rng.h"
#include "ports/clock.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/notify/ntfy.h"
#include "respond/notify/sender.h"
#include "respond/notify/slack_webhook.h"
#include "respond/notify/testing/http_recorder.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr Time kStart{1'772'000'000'000'000'000};
constexpr Duration kDay = Duration::Hours(24);

Outbox MakeOutbox() {
  return Outbox({}, [](const std::string& name) {
    return ChannelTraits{.deduplicates = name.starts_with("pd"), .takes_digests = true};
  });
}

class LedgerOutboxTest : public ::testing::Test {
 protected:
  LedgerOutboxTest()
      : directory_(std::filesystem::temp_directory_path() / ("ledger_outbox_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    Open();
  }
  ~LedgerOutboxTest() override { std::filesystem::remove_all(directory_); }
  void Open() {
    store_.reset();
    ledger_.reset();
    ledger_ = std::move(*store::OpenSqlite({(directory_ / "ledger.sqlite").string(), false}));
    store_ = std::make_unique<LedgerOutbox>(*ledger_);
  }
  OutboxItem Item(const std::string& step, const std::string& incident,
                  const std::vector<std::string>& destinations = {"slack", "pd"},
                  const std::string& kind = "page") {
    NotificationMessage message;
    message.kind = kind;
    message.incident_id = incident;
    message.title = "title";
    message.severity = "sev2";
    return *outbox_.NewItem(step, "ada", message, destinations, kStart);
  }
  Status Put(const OutboxItem& item) {
    return ledger_->Transact([&](store::LedgerTransaction& t) { return PutNewItem(t, item); });
  }
  OutboxItem Claim(Time now) {
    const auto claim = outbox_.ClaimNext(*store_->Due(now, 100), {}, {}, now);
    EXPECT_TRUE(store_->Apply(claim.changes).ok());
    return claim.send.value_or(OutboxItem{});
  }
  void Settle(const OutboxItem& item, const SendOutcome& outcome, Time now) {
    const auto state = *store_->FindDestination(item.destination());
    ASSERT_TRUE(store_
                    ->Apply(outbox_.Settle(item, *store_->HeldIn(item.key), outcome,
                                           state.value_or(DestinationState{}), now))
                    .ok());
  }
  size_t Count(const std::string& collection) {
    return ledger_->FindDocuments({collection, {}, "", 10'000})->size();
  }
  std::vector<signal::Event> Timeline(const std::string& subject) {
    return *ledger_->Events(subject, 0, 1000);
  }

  const std::filesystem::path directory_;
  const Outbox outbox_ = MakeOutbox();
  std::unique_ptr<store::Ledger> ledger_;
  std::unique_ptr<LedgerOutbox> store_;
};

TEST_F(LedgerOutboxTest, AStepIsToldOnceWhateverBecameOfIt) {
  ASSERT_TRUE(Put(Item("a", "INC-1")).ok());
  OutboxItem other = Item("a", "INC-1", {"elsewhere"});
  ASSERT_TRUE(Put(other).ok());
  EXPECT_EQ((*store_->Find("a/0"))->destination(), "slack");
  Settle(Claim(kStart), {}, kStart);
  ASSERT_TRUE(Put(Item("a", "INC-1")).ok());
  EXPECT_EQ((*store_->Find("a/0"))->state, "sent");
  EXPECT_FALSE(store_->NextDue()->has_value());
  other.revision = 2;
  EXPECT_EQ(Put(other).code(), Code::kInvalidArgument);
}

TEST_F(LedgerOutboxTest, ATransactionThatFailsWritesNothing) {
  const Status failed = ledger_->Transact([&](store::LedgerTransaction& t) -> Status {
    TOCSIN_RETURN_IF_ERROR(PutNewItem(t, Item("a", "INC-1")));
    return Status(Code::kInternal, "the caller thinks better of it");
  });
  EXPECT_EQ(failed.code(), Code::kInternal);
  EXPECT_FALSE(store_->Find("a/0")->has_value());
  EXPECT_EQ(Count("outbox_open"), 0U);

  ASSERT_TRUE(Put(Item("a", "INC-1")).ok());
  ASSERT_TRUE(Put(Item("b", "INC-1")).ok());
  const OutboxItem sending = Claim(kStart);
  OutboxChanges changes = outbox_.Settle(
      sending, {}, {.status = Status(Code::kInvalidArgument, "no"), .retryable = false}, {}, kStart);
  ASSERT_FALSE(changes.alerts.empty());
  OutboxItem stale = **store_->Find("b/0");
  stale.revision += 5;
  changes.items.push_back(stale);
  EXPECT_EQ(store_->Apply(changes).code(), Code::kFailedPrecondition);
  EXPECT_EQ((*store_->Find(sending.key))->state, "sending");
  EXPECT_FALSE(store_->Find("a/1")->has_value());
  EXPECT_EQ(Count("channel_alerts"), 0U);
  EXPECT_TRUE(Timeline("INC-1").empty());
}

TEST_F(LedgerOutboxTest, EverythingIsThereAfterReopening) {
  ASSERT_TRUE(Put(Item("a", "INC-1")).ok());
  ASSERT_TRUE(Put(Item("b", "INC-2")).ok());
  const OutboxItem sending = Claim(kStart);
  Open();
  ASSERT_EQ(store_->Sending()->size(), 1U);
  EXPECT_EQ(ToJson(store_->Sending()->front()), ToJson(sending));
  ASSERT_EQ(store_->OpenOf("INC-2")->size(), 1U);
  EXPECT_EQ(*store_->NextDue(), std::optional<Time>(kStart));
  const auto unfinished = *store_->Sending();
  for (const OutboxItem& left : unfinished) {
    ASSERT_TRUE(store_->Apply(outbox_.Recover(left, *store_->HeldIn(left.key), kStart)).ok());
  }
  EXPECT_TRUE(store_->Sending()->empty());
  EXPECT_EQ((*store_->Find(sending.key))->state, "possibly-sent");
  EXPECT_TRUE(ledger_->VerifyAudit()->intact);
}

TEST_F(LedgerOutboxTest, WhatCameOfItIsOnTheTimelineWithoutAddresses) {
  ASSERT_TRUE(Put(Item("a", "INC-1", {"slack", "phone", "pd"})).ok());
  Settle(Claim(kStart), {.status = Status(Code::kInvalidArgument, "channel_not_found")}, kStart);
  Settle(Claim(kStart), {.status = Status(Code::kUnavailable, "silence"), .possibly_delivered = true},
         kStart);
  Settle(Claim(kStart), {.receipt = "dedup-7"}, kStart + Duration::Seconds(3));
  const auto events = Timeline("INC-1");
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].kind, "notification.failed");
  EXPECT_EQ(events[1].kind, "notification.unsure");
  EXPECT_EQ(events[2].kind, "notification.sent");
  EXPECT_EQ(events[2].time, kStart + Duration::Seconds(3));
  const json failed = json::parse(events[0].body_json);
  EXPECT_EQ(failed.at("person"), "ada");
  EXPECT_EQ(failed.at("destination"), "slack");
  EXPECT_EQ(failed.at("step"), "a");
  EXPECT_EQ(failed.at("attempts"), 1);
  EXPECT_THAT(failed.at("error").get<std::string>(), HasSubstr("channel_not_found"));
  EXPECT_EQ(json::parse(events[2].body_json).at("receipt"), "dedup-7");
  EXPECT_EQ(Count("channel_alerts"), 2U);
  EXPECT_EQ(Count("exhausted_steps"), 0U);
}

TEST_F(LedgerOutboxTest, AlertsAndExhaustedStepsWaitToBeTaken) {
  for (const std::string step : {"a", "b"}) {
    ASSERT_TRUE(Put(Item(step, "INC-1", {"slack"})).ok());
    const Time now = step == "a" ? kStart : kStart + Duration::Hours(1);
    Settle(Claim(now), {.status = Status(Code::kInvalidArgument, "no")}, now);
  }
  const auto alert = *ledger_->FindDocument("channel_alerts", "slack");
  ASSERT_TRUE(alert);
  EXPECT_EQ(json::parse(alert->body_json).at("failures"), 2);  // nobody took the first
  EXPECT_EQ(alert->due, kStart + Duration::Hours(1));
  const auto steps = *ledger_->FindDocuments({"exhausted_steps", kStart + kDay, "", 10});
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].id, "a");
  EXPECT_EQ(steps[0].due, kStart);
  EXPECT_EQ(json::parse(steps[0].body_json).at("incident_id"), "INC-1");
}

TEST_F(LedgerOutboxTest, AnAcknowledgementDropsPagesInItsOwnTransaction) {
  ASSERT_TRUE(Put(Item("a", "INC-1")).ok());
  ASSERT_TRUE(Put(Item("b", "INC-1")).ok());
  ASSERT_TRUE(Put(Item("u", "INC-1", {"slack"}, "update")).ok());
  ASSERT_TRUE(Put(Item("c", "INC-10")).ok());
  ASSERT_TRUE(Put(Item("d", "INC-1|x")).ok());
  const OutboxItem sending = Claim(kStart);
  ASSERT_EQ(sending.key, "a/0");
  const auto drop = [&](store::LedgerTransaction& t) {
    return DropOpenPages(t, outbox_, "INC-1", "acknowledged by ada", kStart);
  };
  ASSERT_TRUE(ledger_->Transact(drop).ok());
  ASSERT_TRUE(ledger_->Transact(drop).ok());
  EXPECT_EQ((*store_->Find("b/0"))->state, "dropped");
  EXPECT_TRUE((*store_->Find("a/0"))->unwanted);
  EXPECT_EQ((*store_->Find("u/0"))->state, "pending");
  EXPECT_EQ((*store_->Find("c/0"))->state, "pending");
  EXPECT_EQ((*store_->Find("d/0"))->state, "pending");
  Settle(**store_->Find("a/0"), {.status = Status(Code::kUnavailable, "no"), .retryable = true}, kStart);
  EXPECT_EQ((*store_->Find("a/0"))->state, "dropped");
  EXPECT_EQ(store_->OpenOf("INC-1")->size(), 1U);
  EXPECT_TRUE(Timeline("INC-1").empty());
}

TEST_F(LedgerOutboxTest, EndedItemsAreForgottenInStepsButNotWhileTheirIncidentGoesOn) {
  Declaration declaration;
  declaration.title = "slow";
  declaration.service = "bot";
  signal::Incident incident;
  ASSERT_TRUE(ledger_
                  ->Transact([&](store::LedgerTransaction& t) -> Status {
                    TOCSIN_ASSIGN_OR_RETURN(incident, DeclareIncident(t, declaration, {"ada"}, kStart));
                    return Status::Ok();
                  })
                  .ok());
  ASSERT_TRUE(Put(Item("live", incident.id.value)).ok());
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(Put(Item("old" + std::to_string(i), "INC-0")).ok());
  for (OutboxItem item = Claim(kStart); !item.key.empty(); item = Claim(kStart)) Settle(item, {}, kStart);
  ASSERT_TRUE(Put(Item("open", "INC-0")).ok());
  EXPECT_EQ(*store_->Prune(kStart + Duration::Hours(24 * 29)), 0U);
  const Time later = kStart + Duration::Hours(24 * 31);
  EXPECT_EQ(*store_->Prune(later, 3), 3U);
  EXPECT_EQ(*store_->Prune(later, 100), 5U);
  EXPECT_EQ(*store_->Prune(later, 100), 0U);
  EXPECT_FALSE(store_->Find("old3/0")->has_value());
  EXPECT_EQ((*store_->Find("open/0"))->state, "pending");
  ASSERT_EQ((*store_->Find("live/0"))->state, "sent");
  ASSERT_TRUE(Put(Item("live", incident.id.value)).ok());  // still told once
  EXPECT_EQ((*store_->Find("live/0"))->state, "sent");

  ASSERT_TRUE(
      ApplyAction(*ledger_, incident.id, {"close", {{"reason", "over"}}, {}}, {"ada"}, later).has_value());
  EXPECT_EQ(*store_->Prune(later + kDay + kDay, 100), 1U);
  EXPECT_FALSE(store_->Find("live/0")->has_value());
  EXPECT_EQ(Count("outbox"), 1U);
  EXPECT_EQ(Count("outbox_ended"), 0U);
}

// The indexes say what a scan of everything would.
TEST_F(LedgerOutboxTest, IndexesAgreeWithTheItemsWhateverHappens) {
  Rng rng(20260101);
  Time now = kStart;
  const Outbox outbox({}, [](const std::string&) {
    return ChannelTraits{.takes_digests = true, .limit = {.burst = 2, .every = Duration::Seconds(30)}};
  });
  for (int i = 0; i < 250; ++i) {
    now = now + Duration::Seconds(static_cast<int64_t>(rng.Below(20)));
    const std::string incident = "INC-" + std::to_string(rng.Below(3));
    if (rng.Below(2) == 0) {
      ASSERT_TRUE(Put(Item("s" + std::to_string(i), incident)).ok());
    }
    std::map<std::string, DestinationState> states;
    for (const std::string name : {"slack", "pd"}) {
      if (const auto state = *store_->FindDestination(name)) states[name] = *state;
    }
    const auto claim = outbox.ClaimNext(*store_->Due(now, 100), states, {}, now);
    ASSERT_TRUE(store_->Apply(claim.changes).ok());
    if (claim.send && rng.Below(5) != 0) {
      const SendOutcome outcome = rng.Below(2) == 0 ? SendOutcome{}
                                                    : SendOutcome{.status = Status(Code::kUnavailable, "x"),
                                                                  .retryable = rng.Below(2) == 0};
      Settle(*claim.send, outcome, now);
    }
    if (rng.Below(10) == 0) {
      const auto unfinished = *store_->Sending();
      for (const OutboxItem& item : unfinished) {
        ASSERT_TRUE(store_->Apply(outbox.Recover(item, *store_->HeldIn(item.key), now)).ok());
      }
    }
    if (rng.Below(20) == 0) {
      ASSERT_TRUE(ledger_
                      ->Transact([&](store::LedgerTransaction& t) {
                        return DropOpenPages(t, outbox, incident, "acknowledged", now);
                      })
                      .ok());
    }
  }
  std::map<std::string, size_t> open, states;
  const auto documents = *ledger_->FindDocuments({"outbox", {}, "", 10'000});
  for (const auto& document : documents) {
    const OutboxItem item = *OutboxItemFromJson(document.body_json);
    EXPECT_EQ(document.due.known(), item.state == "pending") << item.key;
    ++states[item.ended() ? "ended" : item.state];
    if (!item.ended()) ++open[item.message.incident_id];
  }
  EXPECT_GT(states["ended"], 20U);
  EXPECT_EQ(Count("outbox_ended"), states["ended"]);
  EXPECT_EQ(Count("outbox_sending"), states["sending"]);
  EXPECT_EQ(Count("outbox_held"), states["held"]);
  EXPECT_EQ(Count("outbox_open"), states["pending"] + states["sending"] + states["held"]);
  for (const auto& [incident, count] : open) EXPECT_EQ(store_->OpenOf(incident)->size(), count) << incident;
}

TEST_F(LedgerOutboxTest, ASenderDrivesItEndToEnd) {
  testing::HttpRecorder slack, ntfy;
  slack.Next({.status = 404, .body = "no_service"});
  NotifierDirectory directory;
  directory.SetNotifier(std::make_shared<SlackWebhookNotifier>(HttpNotifierOptions{.timeout_ms = 2'000}));
  directory.SetNotifier(std::make_shared<NtfyNotifier>(HttpNotifierOptions{.timeout_ms = 2'000}));
  ASSERT_TRUE(directory
                  .SetDestinations({{"ada-slack", "slack", slack.Url("/services/T0/S3CRET"), "", {}},
                                    {"ada-phone", "ntfy", ntfy.Url("/topic-S3CRET"), "", {}}})
                  .ok());
  Sender sender(*store_, directory, ports::SystemClock(), {});
  ASSERT_TRUE(sender.Recover().ok());
  sender.Start();
  ASSERT_TRUE(Put(Item("page/INC-7/1/0/0/ada", "INC-7", {"ada-slack", "ada-phone"})).ok());
  sender.Wake();
  ASSERT_TRUE(ntfy.WaitFor(1));
  for (int i = 0; i < 400 && !store_->OpenOf("INC-7")->empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  sender.Stop();
  const auto events = Timeline("INC-7");
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, "notification.failed");
  EXPECT_EQ(events[1].kind, "notification.sent");
  for (const auto& event : events) EXPECT_THAT(event.body_json, Not(HasSubstr("S3CRET")));
  EXPECT_TRUE(ledger_->VerifyAudit()->intact);
}

}  // namespace
}  // namespace tocsin::respond
