#include "respond/notify/outbox.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "kernel/id.h"
#include "respond/notify/digest.h"
#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

constexpr size_t kMaxLines = 200;
constexpr size_t kMaxLineBytes = 2000;
constexpr size_t kMaxLinks = 20;
constexpr size_t kMaxButtons = 5;
constexpr size_t kMaxErrorBytes = 500;
constexpr size_t kMaxDestinations = 16;

OutboxItem Next(const OutboxItem& item, std::string state) {
  OutboxItem next = item;
  next.state = std::move(state);
  ++next.revision;
  return next;
}

void Bound(NotificationMessage& message) {
  message.title = CutUtf8(CleanText(message.title, false), kMaxLineBytes);
  message.source = CutUtf8(CleanText(message.source, false), kMaxLineBytes);
  if (message.lines.size() > kMaxLines) message.lines.resize(kMaxLines);
  for (std::string& line : message.lines) line = CutUtf8(CleanText(line, false), kMaxLineBytes);
  if (message.buttons.size() > kMaxButtons) message.buttons.resize(kMaxButtons);
  if (message.links.size() > kMaxLinks) message.links.resize(kMaxLinks);
  std::erase_if(message.links, [](const NotificationLink& link) { return !IsWebUrl(link.url); });
  for (NotificationLink& link : message.links) link.text = CutUtf8(CleanText(link.text, false), 200);
}

// Most urgent first; the same order whatever order the store gave.
bool MoreUrgent(const OutboxItem& a, const OutboxItem& b) {
  const auto rank = [](const OutboxItem& item) {
    return std::make_tuple(SeverityRank(item.message.severity), item.created.ns, std::string_view(item.key));
  };
  return rank(a) < rank(b);
}

DestinationState StateOf(const std::map<std::string, DestinationState>& states, const std::string& name) {
  const auto found = states.find(name);
  if (found != states.end()) return found->second;
  DestinationState fresh;
  fresh.name = name;
  return fresh;
}

void TakeToken(DestinationState state, const RateLimit& limit, Time now, OutboxChanges& changes) {
  if (limit.burst <= 0) return;
  state.tokens = std::max(0.0, TokensAt(state, limit, now) - 1.0);
  state.refilled = now;
  ++state.revision;
  changes.destinations.push_back(std::move(state));
}

OutboxItem StartTry(const OutboxItem& item, OutboxChanges& changes) {
  OutboxItem sending = Next(item, "sending");
  ++sending.attempts;
  changes.items.push_back(sending);
  return sending;
}

// A digest of these items, begun; the items are held in it.
OutboxItem StartDigest(const std::vector<OutboxItem>& items, Time now, OutboxChanges& changes) {
  const OutboxItem digest = MakeDigest(items, now);
  for (const OutboxItem& item : items) {
    changes.items.push_back(Next(item, "held"));
    changes.items.back().digest_key = digest.key;
  }
  return StartTry(digest, changes);
}

}  // namespace

double TokensAt(const DestinationState& state, const RateLimit& limit, Time now) {
  const auto burst = static_cast<double>(limit.burst);
  if (!state.refilled.known()) return burst;
  const int64_t elapsed = std::max<int64_t>(0, (now - state.refilled).ns);  // a clock set back gives nothing
  const auto every = static_cast<double>(std::max<int64_t>(1, limit.every.ns));
  return std::min(burst, state.tokens + static_cast<double>(elapsed) / every);
}

Time NextTokenAt(const DestinationState& state, const RateLimit& limit, Time now) {
  const double tokens = TokensAt(state, limit, now);
  if (tokens >= 1.0) return now;
  return now + Duration::Nanos(
                   static_cast<int64_t>(std::ceil((1.0 - tokens) * static_cast<double>(limit.every.ns))) +
                   1'000'000);
}

struct Outbox::Ending {
  std::string state;
  std::string error;
  std::string receipt;
  Time now;
};

Result<OutboxItem> Outbox::NewItem(std::string step, std::string person, NotificationMessage message,
                                   std::vector<std::string> destinations, Time now, Time not_before) const {
  if (step.empty()) return Error(Code::kInvalidArgument, "a message to send needs the name of its step");
  OutboxItem item;
  for (std::string& name : destinations) {
    const bool known =
        std::find(item.destinations.begin(), item.destinations.end(), name) != item.destinations.end();
    if (!name.empty() && !known && item.destinations.size() < kMaxDestinations) {
      item.destinations.push_back(std::move(name));
    }
  }
  if (item.destinations.empty()) {
    return Error(Code::kInvalidArgument, "step " + step + " has no destination to send to");
  }
  Bound(message);
  item.key = step + "/0";
  item.step = std::move(step);
  item.person = std::move(person);
  item.message = std::move(message);
  item.message.idempotency_key = item.key;
  item.created = std::max(now, not_before);
  item.next_attempt = item.created;
  item.revision = 1;
  return item;
}

Outbox::Claim Outbox::ClaimNext(const std::vector<OutboxItem>& due,
                                const std::map<std::string, DestinationState>& states,
                                const std::set<std::string>& busy, Time now) const {
  std::vector<OutboxItem> ordered;
  for (const OutboxItem& item : due) {
    if (item.state == "pending" && item.next_attempt <= now && !busy.contains(item.destination())) {
      ordered.push_back(item);
    }
  }
  std::sort(ordered.begin(), ordered.end(), MoreUrgent);
  Claim claim;
  for (const OutboxItem& item : ordered) {
    const std::string& name = item.destination();
    const ChannelTraits traits = traits_of_(name);
    const DestinationState state = StateOf(states, name);
    const double tokens = traits.limit.burst > 0 ? TokensAt(state, traits.limit, now) : 1e9;
    if (tokens < 1.0) {  // put off, so that the store's list of what is due has room for others
      claim.changes.items.push_back(Next(item, "pending"));
      claim.changes.items.back().next_attempt = NextTokenAt(state, traits.limit, now);
      continue;
    }
    if (claim.send) continue;
    std::vector<OutboxItem> together;
    if (tokens < 2.0 && traits.takes_digests && !item.is_digest()) {
      for (const OutboxItem& other : ordered) {
        if (other.destination() == name && !other.is_digest()) together.push_back(other);
      }
    }
    TakeToken(state, traits.limit, now, claim.changes);
    claim.send =
        together.size() > 1 ? StartDigest(together, now, claim.changes) : StartTry(item, claim.changes);
  }
  return claim;
}

Duration Outbox::Backoff(const std::string& key, uint32_t attempt) const {
  const uint32_t doublings = std::min<uint32_t>(attempt > 0 ? attempt - 1 : 0, 30);
  const double plain = std::min(static_cast<double>(policy_.first_backoff.ns) * std::exp2(doublings),
                                static_cast<double>(policy_.max_backoff.ns));
  const double u = static_cast<double>(StableHash(key, attempt) >> 11) * 0x1.0p-53;
  return Duration::Nanos(static_cast<int64_t>(plain * (1.0 + policy_.jitter * (2.0 * u - 1.0))));
}

// The item's end; unless it was sent, its next channel or the end of its step.
void Outbox::End(const OutboxItem& item, const Ending& ending, OutboxChanges& changes) const {
  OutboxItem ended = Next(item, ending.state);
  ended.finished = ending.now;
  ended.last_error = CutUtf8(CleanText(ending.error, false), kMaxErrorBytes);
  ended.receipt = CutUtf8(CleanText(ending.receipt, false), kMaxErrorBytes);
  changes.items.push_back(ended);
  if (ending.state == "sent" || ending.state == "dropped" || item.is_digest()) return;
  if (item.place + 1 >= item.destinations.size()) {
    changes.exhausted.push_back({.step = item.step,
                                 .person = item.person,
                                 .incident_id = item.message.incident_id,
                                 .possibly_sent = ending.state == "possibly-sent"});
    return;
  }
  OutboxItem next = item;
  next.place = item.place + 1;
  next.key = item.step + "/" + std::to_string(next.place);
  next.message.idempotency_key = next.key;
  next.state = "pending";
  next.attempts = 0;
  next.created = ending.now;
  next.next_attempt = ending.now;
  next.digest_key.clear();
  next.last_error.clear();
  next.revision = 1;
  changes.items.push_back(std::move(next));
}

void Outbox::EndAll(const OutboxItem& item, const std::vector<OutboxItem>& held, const Ending& ending,
                    OutboxChanges& changes) const {
  End(item, ending, changes);
  for (const OutboxItem& one : held) {
    if (one.state == "held" && one.digest_key == item.key) End(one, ending, changes);
  }
}

void Outbox::CountFailure(const std::string& error, DestinationState state, Time now,
                          OutboxChanges& changes) const {
  ++state.failures;
  ++state.revision;
  const bool recent =
      state.alerted.known() && now >= state.alerted && now - state.alerted < policy_.alert_interval;
  if (!recent) {
    changes.alerts.push_back({.destination = state.name,
                              .error = CutUtf8(CleanText(error, false), kMaxErrorBytes),
                              .failures = state.failures,
                              .at = now});
    state.alerted = now;
    state.failures = 0;
  }
  changes.destinations.push_back(std::move(state));
}

OutboxChanges Outbox::Settle(const OutboxItem& sending, const std::vector<OutboxItem>& held,
                             const SendOutcome& outcome, const DestinationState& state, Time now) const {
  OutboxChanges changes;
  if (outcome.ok()) {
    EndAll(sending, held, {.state = "sent", .error = "", .receipt = outcome.receipt, .now = now}, changes);
    return changes;
  }
  const std::string error = outcome.status.ToString();
  if (sending.unwanted) {
    End(sending, {.state = "dropped", .error = error, .receipt = "", .now = now}, changes);
    return changes;
  }
  const bool cannot_repeat = outcome.possibly_delivered && !traits_of_(sending.destination()).deduplicates;
  if (!cannot_repeat && outcome.retryable && sending.attempts < policy_.max_attempts) {
    const Time next = now + std::max(Backoff(sending.key, sending.attempts), outcome.retry_after);
    if (next - sending.created <= policy_.max_age) {
      OutboxItem again = Next(sending, "pending");
      again.next_attempt = next;
      again.last_error = CutUtf8(CleanText(error, false), kMaxErrorBytes);
      changes.items.push_back(std::move(again));
      return changes;
    }
  }
  const std::string end = cannot_repeat ? "possibly-sent" : "failed";
  EndAll(sending, held, {.state = end, .error = error, .receipt = "", .now = now}, changes);
  DestinationState counted = state;
  counted.name = sending.destination();
  CountFailure(error, std::move(counted), now, changes);
  return changes;
}

OutboxChanges Outbox::Recover(const OutboxItem& sending, const std::vector<OutboxItem>& held,
                              Time now) const {
  OutboxChanges changes;
  if (sending.unwanted) {
    End(sending, {.state = "dropped", .error = sending.last_error, .receipt = "", .now = now}, changes);
    return changes;
  }
  if (traits_of_(sending.destination()).deduplicates) {
    OutboxItem again = Next(sending, "pending");
    again.next_attempt = now;
    again.last_error = "the server ended while this was being sent; sent again, with the same key";
    changes.items.push_back(std::move(again));
    return changes;
  }
  EndAll(sending, held,
         {.state = "possibly-sent",
          .error = "the server ended while this was being sent; this channel cannot tell a repetition",
          .receipt = "",
          .now = now},
         changes);
  return changes;
}

std::optional<OutboxItem> Outbox::Drop(const OutboxItem& item, const std::string& reason, Time now) const {
  if (item.ended() || item.unwanted || item.is_digest()) return std::nullopt;
  const bool under_way = item.state == "sending";
  OutboxItem dropped = Next(item, under_way ? "sending" : "dropped");
  dropped.unwanted = under_way;
  if (!under_way) dropped.finished = now;
  dropped.last_error = CutUtf8(CleanText(reason, false), kMaxErrorBytes);
  return dropped;
}

}  // namespace tocsin::respond
