// OutboxStore: where the outbox's items lie, durably. Implementations are thread-safe.
//
// Apply is one durable transaction: either every item and destination is written and every alert and
// exhausted step handed on, or nothing is. An item or destination of revision n + 1 replaces revision n only,
// and revision 1 only nothing; otherwise Apply writes nothing and answers kFailedPrecondition, and the caller
// reads again. When Apply has answered ok, the changes survive a crash. When it answered anything else they
// may have been written all the same: the revision tells.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "respond/notify/outbox.h"

namespace tocsin::respond {

class OutboxStore {
 public:
  virtual ~OutboxStore() = default;
  // Pending items with next_attempt ≤ until, the soonest first.
  virtual Result<std::vector<OutboxItem>> Due(Time until, size_t limit) = 0;
  // The soonest next_attempt of any pending item; nothing when there is none.
  virtual Result<std::optional<Time>> NextDue() = 0;
  // All items in state "sending": at most one a destination.
  virtual Result<std::vector<OutboxItem>> Sending() = 0;
  // Items in state "held" with this digest_key.
  virtual Result<std::vector<OutboxItem>> HeldIn(const std::string& digest_key) = 0;
  // Items about an incident (message.incident_id) that have not ended.
  virtual Result<std::vector<OutboxItem>> OpenOf(const std::string& incident_id) = 0;
  virtual Result<std::optional<OutboxItem>> Find(const std::string& key) = 0;
  virtual Result<std::optional<DestinationState>> FindDestination(const std::string& name) = 0;
  virtual Status Apply(const OutboxChanges& changes) = 0;
};

}  // namespace tocsin::respond
