// FollowTimeline: gives every incident that pages its escalation, and ends it, by what the ledger's timeline
// says, however it came to be written: by monitors, by people, by programs. The cursor is a document
// ("dispatch", "cursor") of the same transaction. Functions; thread-safe as the ledger is. Errors: the
// ledger's.
#pragma once

#include <string>
#include <vector>

#include "kernel/status.h"
#include "respond/dispatch/escalation_desk.h"
#include "store/ledger.h"

namespace tocsin::respond {

Result<uint64_t> ReadCursor(store::Ledger& ledger);
// Follows at most `limit` events after the cursor, which is moved; how many there were.
Result<size_t> FollowTimeline(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                              uint64_t cursor, size_t limit, Time now);
// Every open incident that pages and has no escalation begins one.
Status PageForOpenIncidents(store::LedgerTransaction& transaction, const EscalationDesk& desk, Time now);

// Who is told and paged about an incident: the receivers of its alerts, or `incidents`.
Result<std::vector<ReceiverRule>> RulesOf(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                                          const signal::Incident& incident);

}  // namespace tocsin::respond
