// Records back from their tables.
#pragma once

#include <fmt/format.h>

#include <string>
#include <vector>

#include "store/internal/duckdb_cell.h"
#include "store/internal/duckdb_connection.h"
#include "store/internal/json_columns.h"
#include "store/internal/telemetry_columns.h"

namespace tocsin::store::internal {

inline void GetCell(const ColumnReader& c, idx_t row, std::string& v) { v = c.Text(row); }
inline void GetCell(const ColumnReader& c, idx_t row, bool& v) { v = c.Get<bool>(row); }
inline void GetCell(const ColumnReader& c, idx_t row, int64_t& v) { v = c.Get<int64_t>(row); }
inline void GetCell(const ColumnReader& c, idx_t row, double& v) { v = c.Get<double>(row); }
inline void GetCell(const ColumnReader& c, idx_t row, Time& v) { v.ns = c.Get<int64_t>(row); }
inline void GetCell(const ColumnReader& c, idx_t row, Duration& v) { v.ns = c.Get<int64_t>(row); }
template <class T>
void GetCell(const ColumnReader& c, idx_t row, std::optional<T>& v) {
  GetCell(c, row, v.emplace());
}

template <class Member>
constexpr bool kIsJson =
    std::is_same_v<Member, std::vector<signal::Document>> ||
    std::is_same_v<Member, std::vector<signal::ToolCall>> || std::is_same_v<Member, Attributes>;

// "position, ordinal, <fields>"
template <class Record>
std::string ColumnList() {
  std::string sql = "position, ordinal";
  VisitColumns<Record>([&](const char* name, ColumnType) { sql += fmt::format(", {}", name); });
  return sql;
}

// Runs "SELECT <columns> FROM <table> <rest>" and calls take(position, Record&&) for each row.
template <class Record, class Take>
Status ReadRecords(DuckDbConnection& connection, const std::string& rest, const std::vector<SqlValue>& values,
                   Take&& take) {
  const std::string sql =
      fmt::format("SELECT {} FROM {} {}", ColumnList<Record>(), signal::Schema<Record>::kTable, rest);
  return connection.Read(sql, values, [&](duckdb_data_chunk chunk) -> Result<bool> {
    const idx_t rows = duckdb_data_chunk_get_size(chunk);
    std::vector<ColumnReader> columns;
    for (idx_t i = 0; i < duckdb_data_chunk_get_column_count(chunk); ++i) columns.emplace_back(chunk, i);
    for (idx_t row = 0; row < rows; ++row) {
      Record record;
      Status status;
      idx_t i = kLeadingColumns;
      signal::VisitFields(record, [&]<class Member>(const char*, Member& value) {
        const ColumnReader& column = columns[i++];
        if (column.IsNull(row)) return;
        if constexpr (kIsJson<Member>) {
          Status s = FromJson(column.Text(row), value);
          if (!s.ok()) status = std::move(s);
        } else {
          GetCell(column, row, value);
        }
      });
      TOCSIN_RETURN_IF_ERROR(std::move(status));
      take(static_cast<uint64_t>(columns[0].Get<int64_t>(row)), std::move(record));
    }
    return true;
  });
}

}  // namespace tocsin::store::internal
