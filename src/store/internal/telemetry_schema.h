// Creates and migrates the telemetry tables (docs/formats/telemetry-tables.md).
#pragma once

#include "kernel/status.h"
#include "store/internal/duckdb_connection.h"

namespace tocsin::store::internal {

// 1: the tables of signals and `applied`. 2: `entries`; columns appended to fields.h since. 3:
// `log_templates`, logs.template_id.
inline constexpr int64_t kTelemetrySchemaVersion = 3;

// In one transaction. kFailedPrecondition when the database is newer than this binary.
Status MigrateTelemetry(DuckDbConnection& connection);

}  // namespace tocsin::store::internal
