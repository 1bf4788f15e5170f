// LedgerOutbox: the outbox kept as documents of the ledger, so that what is to be told is written in the same
// transaction as what decided it. The functions take a transaction of the caller's; LedgerOutbox itself is
// the OutboxStore that a Sender works by, each Apply one transaction of the same code.
//
//   "outbox"               id = key                         due = next_attempt while pending   the item
//   "outbox_open"          id = incident|key                                                   not ended
//   "outbox_sending"       id = key                                                            under way
//   "outbox_held"          id = digest_key|key                                                 in a digest
//   "outbox_ended"         id = key                         due = when it ended                for Prune
//   "outbox_destinations"  id = name DestinationState "channel_alerts"       id = destination due = when it
//   was told             ChannelAlert "exhausted_steps"      id = step                        due = when it
//   ended                ExhaustedStep
// The last two are taken (and deleted) by the dispatcher. Every look-up follows one of these; none reads all
// items that ever were. docs/formats/notifications.md has the bodies.
//
// An item that ends sent, possibly-sent or failed is an event on its incident's timeline in the same
// transaction ("notification.sent", "notification.unsure", "notification.failed"): person, destination by
// name, step, receipt, error, tries. Never an address or a secret. A dropped item and a digest (its members
// speak for themselves) are no events.
//
// Ownership: refers to the ledger. Thread-safety: as the ledger's. Errors: the ledger's; kFailedPrecondition
// by the revision rules of notify/outbox_store.h; kDataLoss for a document that cannot be read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "respond/notify/outbox_store.h"
#include "store/ledger.h"

namespace tocsin::respond {

// Everything in `changes`, by the revision rules. Roll back when it fails.
Status ApplyOutboxChanges(store::LedgerTransaction& transaction, const OutboxChanges& changes);

// A step is told once: when an item of this key is there, in whatever state, nothing is written and the
// answer is ok. kInvalidArgument when it is not new (revision 1).
Status PutNewItem(store::LedgerTransaction& transaction, const OutboxItem& item);

// Nobody needs them any more: pages about the incident that have not gone out, of the steps that begin so.
Status DropOpenPages(store::LedgerTransaction& transaction, const Outbox& outbox,
                     const std::string& incident_id, const std::string& reason, Time now,
                     const std::string& step_prefix = "");

// The wall clock was put back by this much: what waits keeps what was left of its wait.
Status ShiftOutboxBack(store::LedgerTransaction& transaction, Duration back);
// The same for each item that was decided later than now, by as much.
Status ShiftOutboxFromFuture(store::LedgerTransaction& transaction, Time now);

class LedgerOutbox : public OutboxStore {
 public:
  explicit LedgerOutbox(store::Ledger& ledger) : ledger_(ledger) {}

  Result<std::vector<OutboxItem>> Due(Time until, size_t limit) override;
  Result<std::optional<Time>> NextDue() override;
  Result<std::vector<OutboxItem>> Sending() override;
  Result<std::vector<OutboxItem>> HeldIn(const std::string& digest_key) override;
  Result<std::vector<OutboxItem>> OpenOf(const std::string& incident_id) override;
  Result<std::optional<OutboxItem>> Find(const std::string& key) override;
  Result<std::optional<DestinationState>> FindDestination(const std::string& name) override;
  Status Apply(const OutboxChanges& changes) override;

  // Forgets items that ended more than `keep` ago, at most `limit` in one transaction; gives how many it
  // looked at: call again when that is `limit`. An item stays while its incident is being worked on, because
  // its key is what keeps a step from being told twice; a step's key is never made anew once its incident's
  // run has ended (a run that begins again counts one further, and its keys with it).
  Result<size_t> Prune(Time now, size_t limit = 200, Duration keep = Duration::Hours(24 * 30));

 private:
  store::Ledger& ledger_;
};

}  // namespace tocsin::respond
