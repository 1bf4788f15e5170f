// What the sender could not do, handed on: a step of which nobody could be told goes on at once, and a
// channel that fails becomes an alert of its own. Functions; thread-safe as the ledger is. Errors: the
// ledger's.
#pragma once

#include <string>
#include <vector>

#include "kernel/status.h"
#include "respond/dispatch/escalation_desk.h"
#include "signal/alert.h"
#include "store/ledger.h"

namespace tocsin::respond {

// Steps that were exhausted by now: their escalations go on; how many there were.
Result<size_t> GoOnWithExhausted(store::LedgerTransaction& transaction, const EscalationDesk& desk, Time now,
                                 size_t limit);

struct FailingChannels {
  std::vector<std::string> ids;  // to forget once the alerts are durable
  std::vector<signal::Alert> alerts;
};
Result<FailingChannels> ReadFailingChannels(store::Ledger& ledger, Time now, size_t limit);
Status ForgetFailingChannels(store::Ledger& ledger, const FailingChannels& told);

}  // namespace tocsin::respond
