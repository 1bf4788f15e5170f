// Reads the log templates back from the store at start. Errors: the store's.
#pragma once

#include "ingest/log_templates.h"
#include "kernel/status.h"
#include "store/telemetry_store.h"

namespace tocsin::runtime::internal {

// The newest rows, as many as are of use; what is journalled must be applied before.
Status RestoreTemplates(store::TelemetryStore& store, ingest::LogTemplates& templates);

}  // namespace tocsin::runtime::internal
