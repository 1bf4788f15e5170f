// What the ledger keeps of the wall clock ("dispatch", "clock"): when it was looked at last, about, and by
// how much it was put back in all, so that a putting back is made good once, also when it is not known
// whether it was written. Functions over a ledger; thread-safe as it is. kDataLoss.
#pragma once

#include "kernel/status.h"
#include "kernel/time.h"
#include "store/ledger.h"

namespace tocsin::respond {

struct ClockRecord {
  Time looked;    // not known: never
  Duration back;  // in all
};

Result<ClockRecord> ReadClock(store::Ledger& ledger);
Result<ClockRecord> ReadClock(store::LedgerTransaction& transaction);
Status WriteClock(store::LedgerTransaction& transaction, const ClockRecord& record);

}  // namespace tocsin::respond
