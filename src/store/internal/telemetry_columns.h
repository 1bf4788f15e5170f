// How a member of a signal is stored in a column, and how columns map to fields.h: position, ordinal, then
// the fields in order. Compile-time only.
#pragma once

#include <duckdb.h>

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "signal/fields.h"

namespace tocsin::store::internal {

inline constexpr idx_t kLeadingColumns = 2;  // position, ordinal

// Bit of a record kind in entries.kinds, by its order in VisitBatch.
template <class Record>
constexpr int KindIndex() {
  int index = 0, found = -1;
  using signal::Batch;
  const auto check = [&]<class R>(const std::vector<R>*) {
    if (std::is_same_v<R, Record>) found = index;
    ++index;
  };
  check(static_cast<std::vector<signal::Span>*>(nullptr));
  check(static_cast<std::vector<signal::LogRecord>*>(nullptr));
  check(static_cast<std::vector<signal::MetricPoint>*>(nullptr));
  check(static_cast<std::vector<signal::Generation>*>(nullptr));
  check(static_cast<std::vector<signal::Retrieval>*>(nullptr));
  check(static_cast<std::vector<signal::ToolExecution>*>(nullptr));
  check(static_cast<std::vector<signal::Evaluation>*>(nullptr));
  check(static_cast<std::vector<signal::Feedback>*>(nullptr));
  check(static_cast<std::vector<signal::Change>*>(nullptr));
  check(static_cast<std::vector<signal::LogTemplate>*>(nullptr));
  return found;
}

struct ColumnType {
  duckdb_type type;
  const char* sql;
  const char* default_sql;  // for rows written before the column was there
};

template <class Member>
constexpr ColumnType ColumnTypeOf() {
  if constexpr (std::is_same_v<Member, std::string>) {
    return {DUCKDB_TYPE_VARCHAR, "VARCHAR", "''"};
  } else if constexpr (std::is_same_v<Member, bool>) {
    return {DUCKDB_TYPE_BOOLEAN, "BOOLEAN", "false"};
  } else if constexpr (std::is_same_v<Member, Time> || std::is_same_v<Member, Duration> ||
                       std::is_same_v<Member, int64_t>) {
    return {DUCKDB_TYPE_BIGINT, "BIGINT", "0"};
  } else if constexpr (std::is_same_v<Member, std::optional<int64_t>>) {
    return {DUCKDB_TYPE_BIGINT, "BIGINT", "NULL"};
  } else if constexpr (std::is_same_v<Member, std::optional<double>>) {
    return {DUCKDB_TYPE_DOUBLE, "DOUBLE", "NULL"};
  } else if constexpr (std::is_same_v<Member, std::map<std::string, std::string>>) {
    return {DUCKDB_TYPE_VARCHAR, "VARCHAR", "'{}'"};
  } else {
    static_assert(std::is_same_v<Member, std::vector<signal::Document>> ||
                  std::is_same_v<Member, std::vector<signal::ToolCall>>);
    return {DUCKDB_TYPE_VARCHAR, "VARCHAR", "'[]'"};
  }
}

// Calls v(name, ColumnType) for each field of a record.
template <class Record, class Visitor>
void VisitColumns(Visitor&& v) {
  const Record record{};
  signal::VisitFields(
      record, [&]<class Member>(const char* name, const Member&) { v(name, ColumnTypeOf<Member>()); });
}

}  // namespace tocsin::store::internal
