// Escalations as the ledger keeps them: collection "escalations", id "INC-2K7Q|policy", due when the next
// step is. Functions; thread-safe as the ledger is. Errors: the ledger's; kDataLoss for a run that cannot be
// read.
#pragma once

#include <string>
#include <vector>

#include "kernel/status.h"
#include "respond/oncall/escalation.h"
#include "store/ledger.h"

namespace tocsin::respond {

struct StoredRun {
  std::string id;
  EscalationRun run;
};

std::string RunId(const IncidentId& incident, const std::string& policy);
// The incident, and the policy it began with, of a run's id.
IncidentId IncidentOfRun(const std::string& id);
std::string PolicyOfRun(const std::string& id);

Result<EscalationRun> ReadRun(const store::Document& document);
Status PutRun(store::LedgerTransaction& transaction, const StoredRun& run);
Status DeleteRun(store::LedgerTransaction& transaction, const std::string& id);
// All of an incident, by policy.
Result<std::vector<StoredRun>> RunsOf(store::LedgerTransaction& transaction, const IncidentId& incident);
Result<std::vector<StoredRun>> RunsOf(store::Ledger& ledger, const IncidentId& incident);

// Those that are due by then, unread: the soonest first.
Result<std::vector<store::Document>> RunsDue(store::LedgerTransaction& transaction, Time until, size_t limit);
// Those that wait for anything.
Result<std::vector<store::Document>> RunsWaiting(store::LedgerTransaction& transaction);

}  // namespace tocsin::respond
