// The outbox's promises are tested over each store that keeps one: in memory, and in a ledger (in memory or a
// file). An ObservedStore is such a store that also remembers what it handed on, taking alerts and exhausted
// steps as the dispatcher does. Thread-safe.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "respond/dispatch/ledger_outbox.h"
#include "respond/notify/testing/memory_outbox_store.h"

namespace tocsin::respond::testing {

class ObservedStore : public OutboxStore {
 public:
  // "memory" or "ledger".
  explicit ObservedStore(const std::string& kind) {
    if (kind == "memory") {
      memory_ = std::make_unique<MemoryOutboxStore>();
      return;
    }
    ledger_ = std::move(*store::OpenSqlite({":memory:", false}));
    outbox_ = std::make_unique<LedgerOutbox>(*ledger_);
  }

  Result<std::vector<OutboxItem>> Due(Time until, size_t limit) override { return in().Due(until, limit); }
  Result<std::optional<Time>> NextDue() override { return in().NextDue(); }
  Result<std::vector<OutboxItem>> Sending() override { return in().Sending(); }
  Result<std::vector<OutboxItem>> HeldIn(const std::string& key) override { return in().HeldIn(key); }
  Result<std::vector<OutboxItem>> OpenOf(const std::string& incident) override {
    return in().OpenOf(incident);
  }
  Result<std::optional<OutboxItem>> Find(const std::string& key) override { return in().Find(key); }
  Result<std::optional<DestinationState>> FindDestination(const std::string& name) override {
    return in().FindDestination(name);
  }
  Status Apply(const OutboxChanges& changes) override { return in().Apply(changes); }

  Result<std::vector<OutboxItem>> All() const {
    if (memory_) return memory_->All();
    std::vector<OutboxItem> out;
    TOCSIN_ASSIGN_OR_RETURN(const auto documents, ledger_->FindDocuments({"outbox", {}, "", 100'000}));
    for (const auto& document : documents) {
      TOCSIN_ASSIGN_OR_RETURN(auto item, OutboxItemFromJson(document.body_json));
      out.push_back(std::move(item));
    }
    return out;
  }
  std::vector<ChannelAlert> alerts() {
    if (memory_) return memory_->alerts();
    const std::lock_guard lock(mutex_);
    for (const auto& body : Take("channel_alerts")) {
      alerts_.push_back({body.at("destination"), body.at("error"), body.at("failures"),
                         Time{body.at("at_ns").get<int64_t>()}});
    }
    return alerts_;
  }
  std::vector<ExhaustedStep> exhausted() {
    if (memory_) return memory_->exhausted();
    const std::lock_guard lock(mutex_);
    for (const auto& body : Take("exhausted_steps")) {
      exhausted_.push_back(
          {body.at("step"), body.at("person"), body.at("incident_id"), body.at("possibly_sent")});
    }
    return exhausted_;
  }
  store::Ledger& ledger() { return *ledger_; }
  // Pages about the incident that have not gone out are not wanted any more: what the dispatcher does inside
  // a transaction; in memory, read again while a sender is faster.
  Status DropPages(const Outbox& outbox, const std::string& incident, const std::string& reason, Time now) {
    if (ledger_) {
      return ledger_->Transact([&](store::LedgerTransaction& transaction) {
        return DropOpenPages(transaction, outbox, incident, reason, now);
      });
    }
    for (;;) {
      TOCSIN_ASSIGN_OR_RETURN(const auto open, OpenOf(incident));
      OutboxChanges changes;
      for (const OutboxItem& item : open) {
        if (item.message.kind != "page") continue;
        if (auto dropped = outbox.Drop(item, reason, now)) changes.items.push_back(std::move(*dropped));
      }
      if (changes.empty()) return Status::Ok();
      const Status applied = in().Apply(changes);
      if (applied.code() != Code::kFailedPrecondition) return applied;
    }
  }

 private:
  OutboxStore& in() {
    if (memory_) return *memory_;
    return *outbox_;
  }
  std::vector<nlohmann::json> Take(const std::string& collection) {
    std::vector<nlohmann::json> out;
    const Status status = ledger_->Transact([&](store::LedgerTransaction& transaction) -> Status {
      TOCSIN_ASSIGN_OR_RETURN(const auto documents, transaction.FindDocuments({collection, {}, "", 1000}));
      for (const auto& document : documents) {
        out.push_back(nlohmann::json::parse(document.body_json));
        TOCSIN_ASSIGN_OR_RETURN(const bool there, transaction.DeleteDocument(collection, document.id));
        EXPECT_TRUE(there);
      }
      return Status::Ok();
    });
    EXPECT_TRUE(status.ok()) << status.ToString();
    return out;
  }

  std::unique_ptr<MemoryOutboxStore> memory_;
  std::unique_ptr<store::Ledger> ledger_;
  std::unique_ptr<LedgerOutbox> outbox_;
  std::mutex mutex_;
  std::vector<ChannelAlert> alerts_;
  std::vector<ExhaustedStep> exhausted_;
};

}  // namespace tocsin::respond::testing
