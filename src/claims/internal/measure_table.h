// What can be measured of a record and which of its fields a condition may name: the fixed lists that every
// name in a claim is looked up in before any SQL is written.
// Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "claims/claim.h"
#include "kernel/status.h"
#include "store/sql_dialect.h"
#include "store/telemetry_store.h"

namespace tocsin::claims::internal {

struct ValueSpec {
  bool ok = true;
  std::string why;  // when not
  std::string sql;  // expression over a row: DOUBLE, or a condition when binary; "" = rows are only counted
  bool binary = false;
  bool behavior = false;  // computed from the generation's text, not by SQL
  bool series = false;    // a metric: computed from its points
};
ValueSpec FindValue(const Measure& measure);

// kInvalidArgument names the field that the table has not, and the nearest it has.
Status CheckConditions(std::string_view table, const std::vector<Condition>& conditions,
                       const std::string& at);

// " AND a = ? AND …" for conditions that CheckConditions let pass; parameters are appended.
std::string WhereSql(std::string_view table, const std::vector<Condition>& conditions,
                     const store::SqlDialect& dialect, std::vector<store::SqlValue>& parameters,
                     std::string_view alias = "");

}  // namespace tocsin::claims::internal
