#include "investigate/context/internal/gather.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "claims/claim_text.h"
#include "stats/clopper_pearson.h"

namespace tocsin::investigate::internal {

using store::SqlValue;

ContextSection& Gather::Section(std::string_view name) {
  return *std::ranges::find(pack.sections, name, &ContextSection::name);
}

Result<store::Rows> Gather::Ask(const std::string& sql, const std::vector<SqlValue>& values, size_t max_rows,
                                bool* cut) {
  const Duration left{options.budget.ns - elapsed().ns};
  if (left.ns <= 0) return Error(Code::kDeadlineExceeded, "the time for the context was over");
  store::QueryLimits limits;
  limits.max_rows = max_rows;
  limits.timeout = std::min(options.query_timeout, left);
  auto rows = sources.telemetry.Query(sql, values, limits);
  if (!rows) return Error(rows.error());
  partial = partial || rows->partial;
  if (cut != nullptr && rows->truncated) *cut = true;
  return rows;
}

std::string Gather::InWindows() const {
  const auto& w = pack.windows;
  if (!has_baseline()) return fmt::format("time_ns >= {} AND time_ns < {}", w.window.from.ns, w.window.to.ns);
  std::string sql = fmt::format("time_ns >= {} AND time_ns < {}", w.baseline.from.ns, w.window.to.ns);
  if (w.baseline.to < w.window.from)
    sql += fmt::format(" AND (time_ns < {} OR time_ns >= {})", w.baseline.to.ns, w.window.from.ns);
  return sql;
}

std::string Gather::Phase() const {
  return fmt::format("CASE WHEN time_ns >= {} THEN 1 ELSE 0 END", pack.windows.window.from.ns);
}

bool Gather::Affected(const std::string& service) const {
  return std::ranges::find(pack.affected, service, &AffectedService::service) != pack.affected.end();
}

std::vector<std::string> Gather::AffectedServices() const {
  std::vector<std::string> out;
  for (const bool wanted : {true, false}) {
    for (const auto& a : pack.affected) {
      if (a.has_spans == wanted) out.push_back(a.service);
    }
  }
  return out;
}

Status NeedsWindow(const Gather& g) {
  if (g.has_window()) return {};
  return Status(Code::kFailedPrecondition, "no telemetry is stored since the onset");
}

Status NeedsBoth(const Gather& g) {
  TOCSIN_RETURN_IF_ERROR(NeedsWindow(g));
  if (g.has_baseline()) return {};
  return Status(Code::kFailedPrecondition, "no telemetry is stored of the time before the onset");
}

double Number(const SqlValue& value) {
  const double number = store::Number(value);
  return std::isfinite(number) ? number : 0;
}

uint64_t Count(const SqlValue& value) { return static_cast<uint64_t>(std::max<int64_t>(0, Whole(value))); }

std::string Kept(std::string_view text) { return claims::Printable(text, kMaxContextText); }

std::string Marks(const std::vector<std::string>& texts, std::vector<SqlValue>& values) {
  std::string out;
  for (const auto& text : texts) {
    out += out.empty() ? "?" : ", ?";
    values.emplace_back(text);
  }
  return out;
}

std::string FromTo(double before, double after, std::string_view quantity) {
  return fmt::format("{} → {}", claims::FormatQuantity(before, quantity),
                     claims::FormatQuantity(after, quantity));
}

claims::Bounds AtLeastFactor(double factor, bool sampled) {
  claims::Bounds bounds;
  bounds.low = std::max(1.0, 1 + (factor - 1) * (sampled ? 0.6 : 0.9));
  return bounds;
}

claims::Bounds AtMostFactor(double factor, bool sampled) {
  claims::Bounds bounds;
  bounds.high = std::min(1.0, 1 - (1 - factor) * (sampled ? 0.6 : 0.9));
  return bounds;
}

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool ClearlyMoved(uint64_t bad_before, uint64_t before, uint64_t bad_after, uint64_t after) {
  if (before == 0 || after == 0) return false;
  constexpr double kLevel = 0.99;  // many are compared
  const auto a = stats::ClopperPearson(std::min(bad_after, after), after, kLevel);
  const auto b = stats::ClopperPearson(std::min(bad_before, before), before, kLevel);
  return a.low > b.high || a.high < b.low;
}

void Settle(ContextSection& section, size_t most) {
  std::ranges::stable_sort(section.lines, std::ranges::greater{}, &ContextLine::weight);
  if (section.lines.size() <= most) return;
  section.lines.resize(most);
  section.cut = true;
}

}  // namespace tocsin::investigate::internal
