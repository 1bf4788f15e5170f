#include "claims/internal/measure_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "ports/yaml/yaml_value.h"
#include "signal/fields.h"

namespace tocsin::claims::internal {
namespace {

struct Row {
  const char* table;
  const char* value;
  const char* sql;
  bool binary;
};
constexpr std::array<Row, 18> kValues{{
    {"spans", "duration_ms", "duration_ns / 1e6", false},
    {"spans", "error", "status = 'error'", true},
    {"logs", "error", "severity >= 17", true},
    {"logs", "warning", "severity >= 13", true},
    {"generations", "latency_ms", "duration_ns / 1e6", false},
    {"generations", "output_tokens", "output_tokens", false},
    {"generations", "input_tokens", "input_tokens", false},
    {"generations", "cost_usd", "cost_usd", false},
    {"generations", "error", "(error_type <> '' OR coalesce(http_status, 0) >= 400)", true},
    {"retrievals", "duration_ms", "duration_ns / 1e6", false},
    {"retrievals", "empty", "documents_json = '[]'", true},
    {"tool_executions", "duration_ms", "duration_ns / 1e6", false},
    {"tool_executions", "failed", "failed", true},
    {"tool_executions", "empty", "result IN ('', '[]', '{}', 'null', '\"\"')", true},
    {"feedbacks", "score", "score", false},
    {"feedbacks", "negative", "score < 0", true},
    {"evaluations", "low", "score < 0.5", true},
    {"evaluations", "score", "score", false},
}};

enum class ColumnKind : uint8_t { kText, kOther };
struct Column {
  std::string name;
  ColumnKind kind;
};

template <class Record>
std::vector<Column> ColumnsOf() {
  std::vector<Column> columns;
  const Record record;
  signal::VisitFields(record, [&]<class Member>(const char* name, const Member&) {
    if constexpr (std::is_same_v<Member, std::string>) {
      columns.push_back({name, ColumnKind::kText});
    } else if constexpr (std::is_same_v<Member, bool> || std::is_same_v<Member, int64_t> ||
                         std::is_same_v<Member, std::optional<int64_t>>) {
      columns.push_back({name, ColumnKind::kOther});
    }
  });
  return columns;
}

const std::vector<Column>& ColumnsOf(std::string_view table) {
  struct Table {
    std::string_view name;
    std::vector<Column> columns;
  };
  static const auto* const kTables = [] {
    auto* tables = new std::vector<Table>;
    const signal::Batch batch;
    signal::VisitBatch(batch, [&]<class Record>(const std::vector<Record>&) {
      tables->push_back({signal::Schema<Record>::kTable, ColumnsOf<Record>()});
    });
    return tables;
  }();
  static const std::vector<Column> kNone;
  for (const auto& t : *kTables) {
    if (t.name == table) return t.columns;
  }
  return kNone;
}

// The column that holds the JSON a dotted field names, and the key in it.
std::optional<std::pair<std::string, std::string>> JsonField(std::string_view table, std::string_view field) {
  for (const std::string_view prefix : {"attributes.", "resource."}) {
    if (!field.starts_with(prefix) || field.size() == prefix.size()) continue;
    const std::string column = fmt::format("{}_json", prefix.substr(0, prefix.size() - 1));
    if (column == "attributes_json" && (table == "generations" || table == "changes"))
      return std::pair{column, std::string(field.substr(prefix.size()))};
    for (const auto& c : ColumnsOf(table)) {
      if (c.name == column) return std::pair{column, std::string(field.substr(prefix.size()))};
    }
  }
  return std::nullopt;
}

const Column* FindColumn(std::string_view table, std::string_view field) {
  for (const auto& c : ColumnsOf(table)) {
    if (c.name == field) return &c;
  }
  return nullptr;
}

ValueSpec Refused(std::string why) {
  ValueSpec spec;
  spec.ok = false;
  spec.why = std::move(why);
  return spec;
}

ValueSpec SpecOf(const Measure& m) {
  ValueSpec spec;
  if (m.of == "metrics") {
    if (m.value.empty()) return Refused("needs the metric's name");
    spec.series = true;
    return spec;
  }
  if (m.value.empty()) return spec;
  std::vector<std::string_view> known;
  for (const auto& row : kValues) {
    if (m.of != row.table) continue;
    known.emplace_back(row.value);
    if (m.value != row.value) continue;
    spec.sql = row.sql;
    spec.binary = row.binary;
    return spec;
  }
  if (m.of == "generations") {
    spec.behavior = true;
    return spec;
  }
  const std::string near = ports::NearestWord(m.value, known);
  return Refused(near.empty() ? fmt::format("of {} is one of: {}", m.of, fmt::join(known, ", "))
                              : fmt::format("did you mean '{}'?", near));
}

}  // namespace

ValueSpec FindValue(const Measure& m) {
  ValueSpec spec = SpecOf(m);
  if (!spec.ok) return spec;
  const bool counts = m.statistic == "count" || m.statistic == "per_minute";
  if (spec.series) return m.statistic == "share" ? Refused("a metric has no share") : spec;
  if (m.value.empty())
    return counts ? spec : Refused(fmt::format("'{}' needs a value to measure", m.statistic));
  if (spec.behavior) {
    const bool fits = m.statistic == "mean" || m.statistic == "share" || m.statistic == "median";
    return fits ? spec : Refused("of a behaviour the statistic is mean, share or median");
  }
  if (spec.binary && !counts && m.statistic != "share")
    return Refused(fmt::format("'{}' is yes or no: its statistic is share, count or per_minute", m.value));
  if (!spec.binary && (counts || m.statistic == "share"))
    return Refused(fmt::format("'{}' is a number: its statistic is mean, median, p90 …", m.value));
  return spec;
}

Status CheckConditions(std::string_view table, const std::vector<Condition>& conditions,
                       const std::string& at) {
  for (size_t i = 0; i < conditions.size(); ++i) {
    const auto& c = conditions[i];
    if (FindColumn(table, c.field) != nullptr || JsonField(table, c.field)) continue;
    std::vector<std::string_view> known;
    for (const auto& column : ColumnsOf(table)) known.emplace_back(column.name);
    const std::string near = ports::NearestWord(c.field, known);
    return Status(Code::kInvalidArgument,
                  fmt::format("{}[{}].field: {} have no field '{}'{}", at, i, table, c.field.substr(0, 64),
                              near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  return Status::Ok();
}

std::string WhereSql(std::string_view table, const std::vector<Condition>& conditions,
                     const store::SqlDialect& dialect, std::vector<store::SqlValue>& parameters,
                     std::string_view alias) {
  std::string sql;
  for (const auto& c : conditions) {
    std::string field;
    if (const auto json = JsonField(table, c.field)) {
      field = dialect.JsonText(fmt::format("{}{}", alias, json->first), json->second);
    } else {
      const Column* column = FindColumn(table, c.field);
      field = fmt::format("{}{}", alias, dialect.QuoteName(c.field));
      if (column == nullptr || column->kind == ColumnKind::kOther)
        field = fmt::format("coalesce(CAST({} AS VARCHAR), '')", field);
    }
    parameters.emplace_back(c.value);
    if (c.op == "is") sql += fmt::format(" AND {} = ?", field);
    if (c.op == "is_not") sql += fmt::format(" AND {} <> ?", field);
    if (c.op == "contains") sql += fmt::format(" AND position(? IN {}) > 0", field);
  }
  return sql;
}

}  // namespace tocsin::claims::internal
