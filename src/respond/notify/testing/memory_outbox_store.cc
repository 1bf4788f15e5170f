#include "respond/notify/testing/memory_outbox_store.h"

#include <algorithm>

namespace tocsin::respond::testing {
namespace {

// Revision n + 1 over n, and 1 over nothing.
template <class T, class Parse>
Status CheckRevision(const std::map<std::string, std::string>& stored, const std::string& key, const T& next,
                     Parse parse) {
  uint64_t revision = 0;
  if (const auto found = stored.find(key); found != stored.end()) {
    TOCSIN_ASSIGN_OR_RETURN(const T old, parse(found->second));
    revision = old.revision;
  }
  if (next.revision == revision + 1) return Status::Ok();
  return Status(Code::kFailedPrecondition, "'" + key + "' was changed in the meantime");
}

bool Sooner(const OutboxItem& a, const OutboxItem& b) { return a.next_attempt < b.next_attempt; }

}  // namespace

template <class Keep>
Result<std::vector<OutboxItem>> MemoryOutboxStore::OpenWhere(Keep keep) const {
  std::vector<OutboxItem> out;
  for (const std::string& key : open_) {
    TOCSIN_ASSIGN_OR_RETURN(OutboxItem item, OutboxItemFromJson(items_.at(key)));
    if (keep(item)) out.push_back(std::move(item));
  }
  return out;
}

Result<std::vector<OutboxItem>> MemoryOutboxStore::Due(Time until, size_t limit) {
  const std::lock_guard lock(mutex_);
  TOCSIN_ASSIGN_OR_RETURN(auto due, OpenWhere([&](const OutboxItem& item) {
                            return item.state == "pending" && item.next_attempt <= until;
                          }));
  std::stable_sort(due.begin(), due.end(), Sooner);
  if (due.size() > limit) due.resize(limit);
  return due;
}

Result<std::optional<Time>> MemoryOutboxStore::NextDue() {
  const std::lock_guard lock(mutex_);
  TOCSIN_ASSIGN_OR_RETURN(const auto pending,
                          OpenWhere([](const OutboxItem& item) { return item.state == "pending"; }));
  const auto soonest = std::min_element(pending.begin(), pending.end(), Sooner);
  if (soonest == pending.end()) return std::optional<Time>();
  return std::optional<Time>(soonest->next_attempt);
}

Result<std::vector<OutboxItem>> MemoryOutboxStore::Sending() {
  const std::lock_guard lock(mutex_);
  return OpenWhere([](const OutboxItem& item) { return item.state == "sending"; });
}

Result<std::vector<OutboxItem>> MemoryOutboxStore::HeldIn(const std::string& digest_key) {
  const std::lock_guard lock(mutex_);
  return OpenWhere(
      [&](const OutboxItem& item) { return item.state == "held" && item.digest_key == digest_key; });
}

Result<std::vector<OutboxItem>> MemoryOutboxStore::OpenOf(const std::string& incident_id) {
  const std::lock_guard lock(mutex_);
  return OpenWhere([&](const OutboxItem& item) { return item.message.incident_id == incident_id; });
}

Result<std::optional<OutboxItem>> MemoryOutboxStore::Find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = items_.find(key);
  if (found == items_.end()) return std::optional<OutboxItem>();
  TOCSIN_ASSIGN_OR_RETURN(OutboxItem item, OutboxItemFromJson(found->second));
  return std::optional<OutboxItem>(std::move(item));
}

Result<std::optional<DestinationState>> MemoryOutboxStore::FindDestination(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = destinations_.find(name);
  if (found == destinations_.end()) return std::optional<DestinationState>();
  TOCSIN_ASSIGN_OR_RETURN(DestinationState state, DestinationStateFromJson(found->second));
  return std::optional<DestinationState>(std::move(state));
}

Status MemoryOutboxStore::Apply(const OutboxChanges& changes) {
  const std::lock_guard lock(mutex_);
  for (const OutboxItem& item : changes.items) {
    TOCSIN_RETURN_IF_ERROR(CheckRevision(items_, item.key, item, OutboxItemFromJson));
  }
  for (const DestinationState& state : changes.destinations) {
    TOCSIN_RETURN_IF_ERROR(CheckRevision(destinations_, state.name, state, DestinationStateFromJson));
  }
  for (const OutboxItem& item : changes.items) {
    items_[item.key] = ToJson(item);
    if (item.ended()) {
      open_.erase(item.key);
    } else {
      open_.insert(item.key);
    }
  }
  for (const DestinationState& state : changes.destinations) destinations_[state.name] = ToJson(state);
  alerts_.insert(alerts_.end(), changes.alerts.begin(), changes.alerts.end());
  exhausted_.insert(exhausted_.end(), changes.exhausted.begin(), changes.exhausted.end());
  return Status::Ok();
}

Result<std::vector<OutboxItem>> MemoryOutboxStore::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<OutboxItem> out;
  for (const auto& [key, json] : items_) {
    TOCSIN_ASSIGN_OR_RETURN(OutboxItem item, OutboxItemFromJson(json));
    out.push_back(std::move(item));
  }
  return out;
}

std::vector<ChannelAlert> MemoryOutboxStore::alerts() const {
  const std::lock_guard lock(mutex_);
  return alerts_;
}

std::vector<ExhaustedStep> MemoryOutboxStore::exhausted() const {
  const std::lock_guard lock(mutex_);
  return exhausted_;
}

}  // namespace tocsin::respond::testing
