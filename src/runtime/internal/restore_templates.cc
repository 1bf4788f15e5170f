#include "runtime/internal/restore_templates.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "store/sql_cell.h"

namespace tocsin::runtime::internal {
namespace {

constexpr size_t kMaxRows = ingest::LogTemplates::kMaxSightings;

using store::Text;
using store::Whole;

}  // namespace

Status RestoreTemplates(store::TelemetryStore& store, ingest::LogTemplates& templates) {
  store::QueryLimits limits;
  limits.max_rows = kMaxRows;
  auto found = store.Query(
      fmt::format("SELECT time_ns, template_id, service, text, severity, first_seen_ns, merged_into FROM "
                  "log_templates ORDER BY time_ns DESC LIMIT {}",
                  kMaxRows),
      {}, limits);
  if (!found) return found.error().WithContext("reading the log templates");
  std::vector<signal::LogTemplate> rows;
  rows.reserve(found->rows.size());
  for (const auto& r : found->rows) {
    rows.push_back(
        {{Whole(r[0])}, Text(r[1]), Text(r[2]), Text(r[3]), Whole(r[4]), {Whole(r[5])}, Text(r[6])});
  }
  templates.Restore(std::move(rows));
  return Status::Ok();
}

}  // namespace tocsin::runtime::internal
