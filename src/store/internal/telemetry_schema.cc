#include "store/internal/telemetry_schema.h"

#include <fmt/format.h>

#include <set>

#include "store/internal/duckdb_cell.h"
#include "store/internal/telemetry_columns.h"
#include "store/sql_dialect.h"

namespace tocsin::store::internal {
namespace {

Result<std::set<std::string>> ColumnsOf(DuckDbConnection& connection, const std::string& table) {
  std::set<std::string> names;
  TOCSIN_RETURN_IF_ERROR(
      connection.Read("SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND NOT internal",
                      {table}, [&](duckdb_data_chunk chunk) -> Result<bool> {
                        const ColumnReader column(chunk, 0);
                        for (idx_t i = 0; i < duckdb_data_chunk_get_size(chunk); ++i) {
                          names.emplace(column.Text(i));
                        }
                        return true;
                      }));
  return names;
}

// Creates the table of a record, or appends the columns that fields.h has gained since.
template <class Record>
Status MigrateTable(DuckDbConnection& connection) {
  const char* table = signal::Schema<Record>::kTable;
  TOCSIN_ASSIGN_OR_RETURN(const auto existing, ColumnsOf(connection, table));
  std::string sql;
  if (existing.empty()) {
    sql = fmt::format("CREATE TABLE {} (position BIGINT, ordinal BIGINT", table);
    VisitColumns<Record>(
        [&](const char* name, ColumnType type) { sql += fmt::format(", {} {}", name, type.sql); });
    sql += ");";
  } else {
    const Record record{};  // an old row gets what a record is made with
    signal::VisitFields(record, [&]<class Member>(const char* name, const Member& value) {
      if (existing.contains(name)) return;
      const ColumnType type = ColumnTypeOf<Member>();
      std::string initial = type.default_sql;
      if constexpr (std::is_same_v<Member, std::string>) initial = DuckDbDialect().QuoteText(value);
      sql += fmt::format("ALTER TABLE {} ADD COLUMN {} {} DEFAULT {};", table, name, type.sql, initial);
    });
  }
  return sql.empty() ? Status::Ok() : connection.Run(sql);
}

Status MigrateSignals(DuckDbConnection& connection) {
  const signal::Batch batch;
  Status status;
  signal::VisitBatch(batch, [&]<class Record>(const std::vector<Record>&) {
    if (status.ok()) status = MigrateTable<Record>(connection);
  });
  return status;
}

// Version 1 had no `entries`: it is what the positions in the tables say.
Status FillEntries(DuckDbConnection& connection) {
  std::string all;
  const signal::Batch batch;
  signal::VisitBatch(batch, [&]<class Record>(const std::vector<Record>&) {
    if (!all.empty()) all += " UNION ALL ";
    all += fmt::format("SELECT position, {} AS kind FROM {}", 1 << KindIndex<Record>(),
                       signal::Schema<Record>::kTable);
  });
  return connection.Run(
      fmt::format("INSERT INTO entries SELECT position, count(*), bit_or(kind) FROM ({}) GROUP BY position "
                  "ORDER BY position",
                  all));
}

Status Migrate(DuckDbConnection& connection) {
  TOCSIN_RETURN_IF_ERROR(connection.Run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT)"));
  TOCSIN_ASSIGN_OR_RETURN(const int64_t version,
                          connection.ReadNumber("SELECT max(version) FROM schema_version"));
  if (version > kTelemetrySchemaVersion) {
    return Status(
        Code::kFailedPrecondition,
        fmt::format("the telemetry tables are of version {}, this binary knows {}: use a newer Tocsin",
                    version, kTelemetrySchemaVersion));
  }
  TOCSIN_RETURN_IF_ERROR(MigrateSignals(connection));
  TOCSIN_RETURN_IF_ERROR(
      connection.Run("CREATE TABLE IF NOT EXISTS entries (position BIGINT, rows BIGINT, kinds BIGINT);"
                     "CREATE TABLE IF NOT EXISTS applied (position BIGINT);"
                     "INSERT INTO applied SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM applied)"));
  if (version == 1) TOCSIN_RETURN_IF_ERROR(FillEntries(connection));
  if (version == kTelemetrySchemaVersion) return Status::Ok();
  return connection.Run(fmt::format("DELETE FROM schema_version; INSERT INTO schema_version VALUES ({})",
                                    kTelemetrySchemaVersion));
}

}  // namespace

Status MigrateTelemetry(DuckDbConnection& connection) {
  TOCSIN_RETURN_IF_ERROR(connection.Run("BEGIN TRANSACTION"));
  const Status status = Migrate(connection);
  if (!status.ok()) {
    (void)connection.Run("ROLLBACK");
    return status.WithContext("preparing the telemetry tables");
  }
  return connection.Run("COMMIT").WithContext("preparing the telemetry tables");
}

}  // namespace tocsin::store::internal
