#include "store/internal/sql_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "store/internal/duckdb_cell.h"

namespace tocsin::store::internal {
namespace {

constexpr size_t kMaxQueryBytes = 1u << 20;

// The same query with the columns DuckDB's C API cannot read (lists, dates …) as text.
std::string WithTextColumns(const std::string& sql, const std::vector<duckdb_type>& types) {
  std::string names, selected;
  for (size_t i = 0; i < types.size(); ++i) {
    const char* comma = i == 0 ? "" : ", ";
    names += fmt::format("{}c{}", comma, i);
    selected += IsPlainType(types[i]) ? fmt::format("{}c{}", comma, i)
                                      : fmt::format("{}CAST(c{} AS VARCHAR)", comma, i);
  }
  std::string inner = sql;
  while (!inner.empty() &&
         (inner.back() == ';' || std::isspace(static_cast<unsigned char>(inner.back())) != 0)) {
    inner.pop_back();
  }
  return fmt::format("SELECT {} FROM (\n{}\n) AS q({})", selected, inner, names);
}

// checkpoint() and force_checkpoint() are table functions, so that a SELECT could make the database write.
bool CallsCheckpoint(const std::string& sql) {
  static constexpr std::string_view kName = "checkpoint";
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  auto at = sql.begin();
  while ((at = std::search(at, sql.end(), kName.begin(), kName.end(), same)) != sql.end()) {
    at += kName.size();
    const auto next = std::find_if(
        at, sql.end(), [](char c) { return c != '"' && std::isspace(static_cast<unsigned char>(c)) == 0; });
    if (next != sql.end() && (*next == '(' || *next == '/' || *next == '-'))
      return true;  // or a comment before it
  }
  return false;
}

Result<DuckDbStatement> PrepareSelect(DuckDbConnection& connection, const std::string& sql) {
  TOCSIN_ASSIGN_OR_RETURN(DuckDbStatement statement, connection.Prepare(sql));
  if (statement.type() != DUCKDB_STATEMENT_TYPE_SELECT) {
    return Error(Code::kInvalidArgument, "only a query that reads (SELECT or WITH … SELECT) may run");
  }
  return statement;
}

}  // namespace

Result<Rows> RunQuery(DuckDbConnection& connection, const std::string& sql,
                      const std::vector<SqlValue>& parameters, const QueryLimits& limits) {
  if (sql.size() > kMaxQueryBytes || sql.find('\0') != std::string::npos) {
    return Error(Code::kInvalidArgument,
                 fmt::format("a query has at most {} bytes, none of them zero", kMaxQueryBytes));
  }
  if (CallsCheckpoint(sql)) return Error(Code::kInvalidArgument, "a query may not call checkpoint()");
  TOCSIN_RETURN_IF_ERROR(connection.Run("BEGIN TRANSACTION READ ONLY"));
  TOCSIN_ASSIGN_OR_RETURN(DuckDbStatement statement, PrepareSelect(connection, sql));
  Rows rows;
  rows.columns = statement.ColumnNames();
  const std::vector<duckdb_type> types = statement.ColumnTypes();
  if (!std::all_of(types.begin(), types.end(), IsPlainType)) {
    TOCSIN_ASSIGN_OR_RETURN(statement, PrepareSelect(connection, WithTextColumns(sql, types)));
  }
  TOCSIN_RETURN_IF_ERROR(statement.Bind(parameters));
  TOCSIN_RETURN_IF_ERROR(statement.Stream([&](duckdb_data_chunk chunk) -> Result<bool> {
    std::vector<ColumnReader> columns;
    for (idx_t i = 0; i < duckdb_data_chunk_get_column_count(chunk); ++i) columns.emplace_back(chunk, i);
    for (idx_t row = 0; row < duckdb_data_chunk_get_size(chunk); ++row) {
      if (rows.rows.size() == limits.max_rows) {
        rows.truncated = true;
        return false;
      }
      auto& values = rows.rows.emplace_back();
      values.reserve(columns.size());
      for (const ColumnReader& column : columns) values.push_back(column.Value(row));
    }
    return true;
  }));
  return rows;
}

}  // namespace tocsin::store::internal
