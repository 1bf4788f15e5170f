// SqlDialect: the few places where engines spell the same SQL differently. Everything else in a query must
// run on DuckDB, ClickHouse 18.16 and ClickHouse 26 alike: no window functions, no CTE in a subquery, no
// interval arithmetic; times are BIGINT nanoseconds.
//
// Stateless; thread-safe. Expressions given are trusted SQL; values go through parameters or QuoteText.
#pragma once

#include <string>
#include <string_view>

#include "kernel/time.h"

namespace tocsin::store {

class SqlDialect {
 public:
  virtual ~SqlDialect() = default;
  // Aggregate: the q-quantile (0 ≤ q ≤ 1) of a numeric expression, NULLs left out.
  virtual std::string Quantile(std::string_view expression, double q) const = 0;
  // Start of the bucket of width `bucket` (> 0) that holds a nanosecond expression, as nanoseconds.
  virtual std::string TimeBucket(std::string_view ns_expression, Duration bucket) const = 0;
  // Aggregate: how many rows satisfy a condition.
  virtual std::string CountIf(std::string_view condition) const = 0;
  // Text at a top-level key of a JSON column, "" when absent.
  virtual std::string JsonText(std::string_view json_expression, std::string_view key) const = 0;
  // An identifier or a text literal, quoted and escaped.
  virtual std::string QuoteName(std::string_view name) const = 0;
  virtual std::string QuoteText(std::string_view text) const = 0;
};

const SqlDialect& DuckDbDialect();

}  // namespace tocsin::store
