// One thing to be sent to one destination, and the little that is remembered of a destination: what the
// outbox keeps durably. Value types with a JSON form (docs/formats/notifications.md). No secrets in either.
//
//   pending ──claim──▶ sending ──┬─▶ sent             the other side has taken it
//      ▲                  │      ├─▶ possibly-sent    no answer came, and asking again could send it twice
//      └──backoff─────────┘      ├─▶ failed           refused, or out of tries or time
//   pending ──▶ held ────────────┘   (goes out inside a digest, and shares its end)
//   pending or held ──▶ dropped      nobody needs it any more: acknowledged, resolved (sending: when its try
//   fails)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "respond/notify/message.h"

namespace tocsin::respond {

struct OutboxItem {
  std::string key = {};     // unique for ever: "<step>/<place>"
  std::string step = {};    // what is told once: "INC-2K7Q/page/2/ada"
  std::string person = {};  // empty: not for a person
  NotificationMessage message = {};
  std::vector<std::string> destinations = {};  // names in the person's order
  uint32_t place = 0;                          // which of them this item is for
  std::string state = "pending";
  uint32_t attempts = 0;
  Time created = {};
  Time next_attempt = {};       // pending: not before
  Time finished = {};           // when it reached its end
  std::string digest_key = {};  // held, or ended so: the item it went out in
  bool unwanted = false;        // sending, but nobody needs it any more: no further try, no further channel
  std::string last_error = {};
  std::string receipt = {};
  // Counts the writes. A store writes revision n + 1 only over n (1: only where nothing was).
  uint64_t revision = 0;

  const std::string& destination() const { return destinations[place]; }
  bool is_digest() const { return message.kind == "digest"; }
  bool ended() const {
    return state == "sent" || state == "possibly-sent" || state == "failed" || state == "dropped";
  }
};

// What is remembered of a destination between messages.
struct DestinationState {
  std::string name = {};
  double tokens = 0;      // of its rate limit
  Time refilled = {};     // when `tokens` was right; unknown: the bucket is full
  Time alerted = {};      // when its failing was last reported
  uint64_t failures = 0;  // since then
  uint64_t revision = 0;  // as in OutboxItem
};

std::string ToJson(const OutboxItem& item);
Result<OutboxItem> OutboxItemFromJson(std::string_view json);
std::string ToJson(const DestinationState& state);
Result<DestinationState> DestinationStateFromJson(std::string_view json);

}  // namespace tocsin::respond
