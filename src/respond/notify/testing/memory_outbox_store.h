// MemoryOutboxStore: an OutboxStore in memory, for tests: what was applied is kept as JSON, exactly as
// a durable store would, and each read parses it again. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "respond/notify/outbox_store.h"

namespace tocsin::respond::testing {

class MemoryOutboxStore : public OutboxStore {
 public:
  Result<std::vector<OutboxItem>> Due(Time until, size_t limit) override;
  Result<std::optional<Time>> NextDue() override;
  Result<std::vector<OutboxItem>> Sending() override;
  Result<std::vector<OutboxItem>> HeldIn(const std::string& digest_key) override;
  Result<std::vector<OutboxItem>> OpenOf(const std::string& incident_id) override;
  Result<std::optional<OutboxItem>> Find(const std::string& key) override;
  Result<std::optional<DestinationState>> FindDestination(const std::string& name) override;
  Status Apply(const OutboxChanges& changes) override;

  Result<std::vector<OutboxItem>> All() const;
  std::vector<ChannelAlert> alerts() const;
  std::vector<ExhaustedStep> exhausted() const;

 private:
  template <class Keep>
  Result<std::vector<OutboxItem>> OpenWhere(Keep keep) const;  // with the lock held

  mutable std::mutex mutex_;
  std::map<std::string, std::string> items_;
  std::set<std::string> open_;  // keys of items that have not ended
  std::map<std::string, std::string> destinations_;
  std::vector<ChannelAlert> alerts_;
  std::vector<ExhaustedStep> exhausted_;
};

}  // namespace tocsin::respond::testing
