#include "respond/notify/outbox_store.h"

namespace tocsin::respond {

Status DropPages(OutboxStore& store, const Outbox& outbox, const std::string& incident_id,
                 const std::string& reason, Time now) {
  constexpr int kTries = 50;
  for (int i = 0; i < kTries; ++i) {
    TOCSIN_ASSIGN_OR_RETURN(const auto open, store.OpenOf(incident_id));
    OutboxChanges changes;
    for (const OutboxItem& item : open) {
      if (item.message.kind != "page") continue;
      if (auto dropped = outbox.Drop(item, reason, now)) changes.items.push_back(std::move(*dropped));
    }
    if (changes.empty()) return Status::Ok();
    const Status applied = store.Apply(changes);
    if (applied.code() != Code::kFailedPrecondition) return applied;
  }
  return Status(Code::kUnavailable, "the pages of " + incident_id + " are changing too fast to be dropped");
}

}  // namespace tocsin::respond
