// Ids of incidents: short enough to say on the phone. Pure but for the look into the ledger.
#pragma once

#include <string>

#include "kernel/id.h"
#include "kernel/status.h"
#include "store/ledger.h"

namespace tocsin::respond {

// One that nobody has, from what makes the incident: the same incident after a lost write gets the same id.
Result<IncidentId> FreshIncidentId(store::LedgerTransaction& transaction, const std::string& key,
                                   Time opened);

}  // namespace tocsin::respond
