// A query from outside: one SELECT, read only, bounded in rows and time.
#pragma once

#include "store/internal/duckdb_connection.h"

namespace tocsin::store::internal {

// Leaves the connection inside a read-only transaction, to be dropped with it. The caller watches the time.
Result<Rows> RunQuery(DuckDbConnection& connection, const std::string& sql,
                      const std::vector<SqlValue>& parameters, const QueryLimits& limits);

}  // namespace tocsin::store::internal
