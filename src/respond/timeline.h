// One event on the ledger's timeline. Thread-safe as the transaction is. Errors: the ledger's.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kernel/status.h"
#include "kernel/time.h"
#include "store/ledger.h"

namespace tocsin::respond {

// `subject`: an incident's id, or what else it is about. `actor`: who did it; "tocsin" for its own doing.
Status AppendEvent(store::LedgerTransaction& transaction, const std::string& kind, const std::string& subject,
                   const std::string& actor, const nlohmann::json& body, Time now);

}  // namespace tocsin::respond
