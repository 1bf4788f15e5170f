#include "respond/dispatch/ledger_outbox.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "respond/json_text.h"
#include "respond/timeline.h"

namespace tocsin::respond {
namespace {

using Json = nlohmann::json;

constexpr const char* kItems = "outbox";
constexpr const char* kOpen = "outbox_open";
constexpr const char* kSending = "outbox_sending";
constexpr const char* kHeld = "outbox_held";
constexpr const char* kEnded = "outbox_ended";
constexpr const char* kDestinations = "outbox_destinations";
constexpr const char* kAlerts = "channel_alerts";
constexpr const char* kExhausted = "exhausted_steps";
constexpr size_t kPage = 500;
constexpr Duration kLookAgain = Duration::Hours(24);

// 0 would mean "at no time".
Time NonZero(Time at) { return {std::max<int64_t>(at.ns, 1)}; }

std::string OpenId(const OutboxItem& item) { return item.message.incident_id + "|" + item.key; }
std::string HeldId(const OutboxItem& item) { return item.digest_key + "|" + item.key; }

// Reader: a Ledger or a LedgerTransaction.
template <class Reader>
Result<std::optional<OutboxItem>> FindItem(Reader& reader, const std::string& key) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, reader.FindDocument(kItems, key));
  if (!document) return std::optional<OutboxItem>();
  TOCSIN_ASSIGN_OR_RETURN(OutboxItem item, OutboxItemFromJson(document->body_json));
  return std::optional<OutboxItem>(std::move(item));
}

// The items of an index whose ids begin so, and that are still what it says.
template <class Reader, class Keep>
Result<std::vector<OutboxItem>> ItemsIn(Reader& reader, const char* collection, const std::string& prefix,
                                        Keep keep) {
  std::vector<OutboxItem> out;
  store::DocumentFilter filter{.collection = collection, .due_until = {}, .after_id = prefix, .limit = kPage};
  for (;;) {
    TOCSIN_ASSIGN_OR_RETURN(const auto page, reader.FindDocuments(filter));
    for (const auto& entry : page) {
      if (!entry.id.starts_with(prefix)) return out;
      TOCSIN_ASSIGN_OR_RETURN(auto item, FindItem(reader, entry.id.substr(prefix.size())));
      if (item && keep(*item)) out.push_back(std::move(*item));
    }
    if (page.size() < kPage) return out;
    filter.after_id = page.back().id;
  }
}

template <class Reader>
Result<std::vector<OutboxItem>> OpenItemsOf(Reader& reader, const std::string& incident_id) {
  return ItemsIn(reader, kOpen, incident_id + "|", [&](const OutboxItem& item) {
    return !item.ended() && item.message.incident_id == incident_id;
  });
}

// An entry of an index: there, or not.
Status SetEntry(store::LedgerTransaction& transaction, const char* collection, const std::string& id,
                bool was, bool is, Time due = {}) {
  if (was == is) return Status::Ok();
  if (is) return transaction.PutDocument({collection, id, due, "{}"});
  TOCSIN_ASSIGN_OR_RETURN(const bool deleted, transaction.DeleteDocument(collection, id));
  (void)deleted;
  return Status::Ok();
}

Status CheckRevision(const std::string& name, uint64_t stored, uint64_t next) {
  if (next == stored + 1) return Status::Ok();
  return Status(Code::kFailedPrecondition, "'" + name + "' was changed in the meantime");
}

Status AppendEnd(store::LedgerTransaction& transaction, const OutboxItem& item) {
  if (item.message.incident_id.empty() || item.is_digest() || item.state == "dropped") return Status::Ok();
  Json body = {{"person", item.person}, {"destination", item.destination()}, {"step", item.step},
               {"place", item.place},   {"about", item.message.kind},        {"attempts", item.attempts}};
  if (!item.receipt.empty()) body["receipt"] = item.receipt;
  if (!item.last_error.empty()) body["error"] = item.last_error;
  if (!item.digest_key.empty()) body["digest"] = item.digest_key;
  const char* kind = item.state == "sent"     ? "notification.sent"
                     : item.state == "failed" ? "notification.failed"
                                              : "notification.unsure";
  return AppendEvent(transaction, kind, item.message.incident_id, "tocsin", body, item.finished);
}

// The item and its entries in the indexes. `old`: as stored.
Status WriteItem(store::LedgerTransaction& transaction, const std::optional<OutboxItem>& old,
                 const OutboxItem& item) {
  const bool pending = item.state == "pending";
  TOCSIN_RETURN_IF_ERROR(transaction.PutDocument(
      {kItems, item.key, pending ? NonZero(item.next_attempt) : Time{}, ToJson(item)}));
  TOCSIN_RETURN_IF_ERROR(SetEntry(transaction, kOpen, OpenId(item), old && !old->ended(), !item.ended()));
  TOCSIN_RETURN_IF_ERROR(
      SetEntry(transaction, kSending, item.key, old && old->state == "sending", item.state == "sending"));
  const bool was_held = old && old->state == "held";
  const bool is_held = item.state == "held";
  const bool stays = was_held && is_held && old->digest_key == item.digest_key;
  if (was_held) TOCSIN_RETURN_IF_ERROR(SetEntry(transaction, kHeld, HeldId(*old), true, stays));
  if (is_held) TOCSIN_RETURN_IF_ERROR(SetEntry(transaction, kHeld, HeldId(item), stays, true));
  if (!item.ended()) return Status::Ok();
  const bool was_ended = old && old->ended();
  TOCSIN_RETURN_IF_ERROR(SetEntry(transaction, kEnded, item.key, was_ended, true, NonZero(item.finished)));
  return was_ended ? Status::Ok() : AppendEnd(transaction, item);
}

Status ApplyItem(store::LedgerTransaction& transaction, const OutboxItem& item) {
  TOCSIN_ASSIGN_OR_RETURN(const auto old, FindItem(transaction, item.key));
  TOCSIN_RETURN_IF_ERROR(CheckRevision(item.key, old ? old->revision : 0, item.revision));
  return WriteItem(transaction, old, item);
}

Status ApplyDestination(store::LedgerTransaction& transaction, const DestinationState& state) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, transaction.FindDocument(kDestinations, state.name));
  uint64_t revision = 0;
  if (document) {
    TOCSIN_ASSIGN_OR_RETURN(const auto old, DestinationStateFromJson(document->body_json));
    revision = old.revision;
  }
  TOCSIN_RETURN_IF_ERROR(CheckRevision(state.name, revision, state.revision));
  return transaction.PutDocument({kDestinations, state.name, {}, ToJson(state)});
}

// One that nobody has taken yet is counted in.
Status ApplyAlert(store::LedgerTransaction& transaction, const ChannelAlert& alert) {
  TOCSIN_ASSIGN_OR_RETURN(const auto waiting, transaction.FindDocument(kAlerts, alert.destination));
  uint64_t failures = alert.failures;
  if (waiting) {
    const Json old = Json::parse(waiting->body_json, nullptr, false);
    if (const auto it = old.is_object() ? old.find("failures") : old.end();
        it != old.end() && it->is_number_unsigned()) {
      failures += it->get<uint64_t>();
    }
  }
  const Json body = {{"destination", alert.destination},
                     {"error", alert.error},
                     {"failures", failures},
                     {"at_ns", alert.at.ns}};
  return transaction.PutDocument({kAlerts, alert.destination, NonZero(alert.at), DumpJson(body)});
}

Status ApplyExhausted(store::LedgerTransaction& transaction, const ExhaustedStep& step,
                      const OutboxChanges& changes) {
  Time at;
  for (const OutboxItem& item : changes.items) {
    if (item.step == step.step && item.ended()) at = std::max(at, item.finished);
  }
  const Json body = {{"step", step.step},
                     {"person", step.person},
                     {"incident_id", step.incident_id},
                     {"possibly_sent", step.possibly_sent}};
  return transaction.PutDocument({kExhausted, step.step, NonZero(at), DumpJson(body)});
}

// Its incident is under way, so that its key may be asked for again.
Result<bool> IsNeeded(store::LedgerTransaction& transaction, const std::optional<OutboxItem>& item) {
  if (!item || item->message.incident_id.empty()) return false;
  TOCSIN_ASSIGN_OR_RETURN(const auto incident, transaction.FindIncident({item->message.incident_id}));
  if (!incident) return false;
  return !signal::IsOver(incident->state);
}

Status PruneOne(store::LedgerTransaction& transaction, const store::Document& entry, Time until) {
  TOCSIN_ASSIGN_OR_RETURN(const auto item, FindItem(transaction, entry.id));
  TOCSIN_ASSIGN_OR_RETURN(const bool needed, IsNeeded(transaction, item));
  if (needed) return transaction.PutDocument({kEnded, entry.id, until + kLookAgain, "{}"});
  TOCSIN_RETURN_IF_ERROR(SetEntry(transaction, kItems, entry.id, true, false));
  return SetEntry(transaction, kEnded, entry.id, true, false);
}

}  // namespace

Status ApplyOutboxChanges(store::LedgerTransaction& transaction, const OutboxChanges& changes) {
  for (const OutboxItem& item : changes.items) TOCSIN_RETURN_IF_ERROR(ApplyItem(transaction, item));
  for (const DestinationState& state : changes.destinations) {
    TOCSIN_RETURN_IF_ERROR(ApplyDestination(transaction, state));
  }
  for (const ChannelAlert& alert : changes.alerts) TOCSIN_RETURN_IF_ERROR(ApplyAlert(transaction, alert));
  for (const ExhaustedStep& step : changes.exhausted) {
    TOCSIN_RETURN_IF_ERROR(ApplyExhausted(transaction, step, changes));
  }
  return Status::Ok();
}

Status PutNewItem(store::LedgerTransaction& transaction, const OutboxItem& item) {
  if (item.revision != 1) return Status(Code::kInvalidArgument, "item " + item.key + " is not a new one");
  TOCSIN_ASSIGN_OR_RETURN(const auto there, transaction.FindDocument(kItems, item.key));
  if (there) return Status::Ok();
  return WriteItem(transaction, std::nullopt, item);
}

Status DropOpenPages(store::LedgerTransaction& transaction, const Outbox& outbox,
                     const std::string& incident_id, const std::string& reason, Time now,
                     const std::string& step_prefix) {
  TOCSIN_ASSIGN_OR_RETURN(const auto open, OpenItemsOf(transaction, incident_id));
  for (const OutboxItem& item : open) {
    if (item.message.kind != "page" || !item.step.starts_with(step_prefix)) continue;
    const auto dropped = outbox.Drop(item, reason, now);
    if (dropped) TOCSIN_RETURN_IF_ERROR(WriteItem(transaction, item, *dropped));
  }
  return Status::Ok();
}

namespace {

// `back` of an item: by how much, or nothing.
template <class Back>
Status ShiftPending(store::LedgerTransaction& transaction, Back back) {
  constexpr Time kEver{std::numeric_limits<int64_t>::max()};
  constexpr size_t kMost = 100'000;
  TOCSIN_ASSIGN_OR_RETURN(
      const auto waiting,
      transaction.FindDocuments({.collection = kItems, .due_until = kEver, .after_id = "", .limit = kMost}));
  for (const auto& document : waiting) {
    TOCSIN_ASSIGN_OR_RETURN(const OutboxItem old, OutboxItemFromJson(document.body_json));
    const Duration by = back(old);
    if (by.ns <= 0) continue;
    OutboxItem item = old;
    item.created = item.created - by;
    item.next_attempt = item.next_attempt - by;
    item.message.at = item.message.at - by;
    ++item.revision;
    TOCSIN_RETURN_IF_ERROR(WriteItem(transaction, old, item));
  }
  return Status::Ok();
}

}  // namespace

Status ShiftOutboxBack(store::LedgerTransaction& transaction, Duration back) {
  return ShiftPending(transaction, [&](const OutboxItem&) { return back; });
}

Status ShiftOutboxFromFuture(store::LedgerTransaction& transaction, Time now) {
  return ShiftPending(transaction, [&](const OutboxItem& item) { return item.message.at - now; });
}

Result<std::vector<OutboxItem>> LedgerOutbox::Due(Time until, size_t limit) {
  TOCSIN_ASSIGN_OR_RETURN(
      const auto documents,
      ledger_.FindDocuments({.collection = kItems, .due_until = until, .after_id = "", .limit = limit}));
  std::vector<OutboxItem> out;
  for (const auto& document : documents) {
    TOCSIN_ASSIGN_OR_RETURN(OutboxItem item, OutboxItemFromJson(document.body_json));
    out.push_back(std::move(item));
  }
  return out;
}

Result<std::optional<Time>> LedgerOutbox::NextDue() {
  constexpr Time kEver{std::numeric_limits<int64_t>::max()};
  TOCSIN_ASSIGN_OR_RETURN(const auto soonest, Due(kEver, 1));
  if (soonest.empty()) return std::optional<Time>();
  return std::optional<Time>(soonest.front().next_attempt);
}

Result<std::vector<OutboxItem>> LedgerOutbox::Sending() {
  return ItemsIn(ledger_, kSending, "", [](const OutboxItem& item) { return item.state == "sending"; });
}

Result<std::vector<OutboxItem>> LedgerOutbox::HeldIn(const std::string& digest_key) {
  return ItemsIn(ledger_, kHeld, digest_key + "|", [&](const OutboxItem& item) {
    return item.state == "held" && item.digest_key == digest_key;
  });
}

Result<std::vector<OutboxItem>> LedgerOutbox::OpenOf(const std::string& incident_id) {
  return OpenItemsOf(ledger_, incident_id);
}

Result<std::optional<OutboxItem>> LedgerOutbox::Find(const std::string& key) {
  return FindItem(ledger_, key);
}

Result<std::optional<DestinationState>> LedgerOutbox::FindDestination(const std::string& name) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, ledger_.FindDocument(kDestinations, name));
  if (!document) return std::optional<DestinationState>();
  TOCSIN_ASSIGN_OR_RETURN(DestinationState state, DestinationStateFromJson(document->body_json));
  return std::optional<DestinationState>(std::move(state));
}

Status LedgerOutbox::Apply(const OutboxChanges& changes) {
  return ledger_.Transact(
      [&](store::LedgerTransaction& transaction) { return ApplyOutboxChanges(transaction, changes); });
}

Result<size_t> LedgerOutbox::Prune(Time now, size_t limit, Duration keep) {
  size_t seen = 0;
  const auto body = [&](store::LedgerTransaction& transaction) -> Status {
    TOCSIN_ASSIGN_OR_RETURN(
        const auto old, transaction.FindDocuments(
                            {.collection = kEnded, .due_until = now - keep, .after_id = "", .limit = limit}));
    seen = old.size();
    for (const auto& entry : old) TOCSIN_RETURN_IF_ERROR(PruneOne(transaction, entry, now - keep));
    return Status::Ok();
  };
  TOCSIN_RETURN_IF_ERROR(ledger_.Transact(body));
  return seen;
}

}  // namespace tocsin::respond
