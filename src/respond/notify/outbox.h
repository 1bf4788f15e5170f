// The transactional outbox: what is to be sent is written down first, in the transaction that decided it, and
// sent by code that reads it from there. Pure: items in, the changes to store out; time and settings are
// arguments. The thread that sends is sender.h.
//
// What it promises, given a store that writes each OutboxChanges whole or not at all:
//   * nothing is lost: an item ends as sent, dropped, or failed / possibly-sent; in the last two cases the
//   next of
//     the person's channels is written in the same change, or the step is reported as exhausted.
//   * never twice for one key to a channel that cannot tell: a try is written as "sending" before anything
//   leaves
//     the machine. After a crash, or when no answer came, such a try is repeated only where the channel drops
//     a known key (PagerDuty dedup_key, webhook Idempotency-Key, Message-ID of a mail). Elsewhere (Slack,
//     ntfy) it ends as possibly-sent and the next channel is used: a person may be told by two channels,
//     never twice by one. Being woken by a second channel is better than not being woken.
//   * a person is not buried: each destination has a token bucket; when the last token meets several
//   messages,
//     they go out as one digest, worst first, and share its end.
// Thread-safe: immutable after construction.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "respond/notify/outbox_item.h"

namespace tocsin::respond {

struct OutboxPolicy {
  Duration first_backoff = Duration::Seconds(2);  // doubles with each try
  Duration max_backoff = Duration::Seconds(30);
  double jitter = 0.25;  // ± this share, the same for the same key and try
  uint32_t max_attempts = 5;
  Duration max_age = Duration::Minutes(5);  // from when it was first to be sent; then the next channel
  Duration alert_interval = Duration::Minutes(15);
};

// What the outbox must know of a destination.
struct ChannelTraits {
  bool deduplicates = false;
  bool takes_digests = false;
  RateLimit limit = {};
};
using TraitsOf = std::function<ChannelTraits(const std::string& destination)>;

// A destination that fails, told once an interval.
struct ChannelAlert {
  std::string destination;
  std::string error;
  uint64_t failures = 0;  // messages given up there since the last alert
  Time at;
};

// Every channel of a step was tried: the escalation need not wait for this person's deadline.
struct ExhaustedStep {
  std::string step;
  std::string person;
  std::string incident_id;
  bool possibly_sent = false;  // a channel may have delivered it without saying so
};

// To be written in one transaction, whole or not at all.
struct OutboxChanges {
  std::vector<OutboxItem> items;
  std::vector<DestinationState> destinations;
  std::vector<ChannelAlert> alerts;
  std::vector<ExhaustedStep> exhausted;

  bool empty() const { return items.empty() && destinations.empty() && alerts.empty() && exhausted.empty(); }
};

class Outbox {
 public:
  Outbox(OutboxPolicy policy, TraitsOf traits_of) : policy_(policy), traits_of_(std::move(traits_of)) {}

  // The first item of a step; the caller stores it with what it decided (revision 1: refused when already
  // there, which is how a step is told once). Text is cleaned and bounded. `not_before` puts it off (quiet
  // hours). kInvalidArgument without a step or a destination.
  Result<OutboxItem> NewItem(std::string step, std::string person, NotificationMessage message,
                             std::vector<std::string> destinations, Time now, Time not_before = {}) const;

  struct Claim {
    OutboxChanges changes;           // store these first …
    std::optional<OutboxItem> send;  // … then send this, and Settle
  };
  // The most urgent of `due` (pending, next_attempt ≤ now) that may go now. `busy` destinations are left
  // alone.
  Claim ClaimNext(const std::vector<OutboxItem>& due, const std::map<std::string, DestinationState>& states,
                  const std::set<std::string>& busy, Time now) const;
  // What came of a try. `held`: the items in its digest that are still held; empty otherwise.
  OutboxChanges Settle(const OutboxItem& sending, const std::vector<OutboxItem>& held,
                       const SendOutcome& outcome, const DestinationState& state, Time now) const;
  // An item found as "sending" at start: the process ended between sending and settling.
  OutboxChanges Recover(const OutboxItem& sending, const std::vector<OutboxItem>& held, Time now) const;
  // Nobody needs it any more. What is being sent stays so, marked: should its try fail, it ends as dropped.
  // Nothing when there is nothing to change.
  std::optional<OutboxItem> Drop(const OutboxItem& item, const std::string& reason, Time now) const;

  // How long after try number `attempt` (from 1) the next may come.
  Duration Backoff(const std::string& key, uint32_t attempt) const;

 private:
  struct Ending;
  void End(const OutboxItem& item, const Ending& ending, OutboxChanges& changes) const;
  void EndAll(const OutboxItem& item, const std::vector<OutboxItem>& held, const Ending& ending,
              OutboxChanges& changes) const;
  void CountFailure(const std::string& error, DestinationState state, Time now, OutboxChanges& changes) const;

  OutboxPolicy policy_;
  TraitsOf traits_of_;
};

// Tokens in the bucket at `now`, and when the next whole one is there (now, when there is one).
double TokensAt(const DestinationState& state, const RateLimit& limit, Time now);
Time NextTokenAt(const DestinationState& state, const RateLimit& limit, Time now);

}  // namespace tocsin::respond
