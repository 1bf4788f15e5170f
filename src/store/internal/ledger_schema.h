// Tables of the ledger and their migrations (docs/formats/ledger.md).
#pragma once

#include <soci/soci.h>

#include "kernel/status.h"

namespace tocsin::store::internal {

// 1: events, incidents, monitor_states. 2: onset interval, page, format of a monitor's state.
// 3: documents.
inline constexpr int kLedgerSchemaVersion = 3;

// 0 when there are no tables. Throws soci_error.
int LedgerVersion(soci::session& sql);
// Brings the tables to kLedgerSchemaVersion in one transaction. Throws soci_error.
// kFailedPrecondition when they are newer.
Status MigrateLedger(soci::session& sql);

}  // namespace tocsin::store::internal
