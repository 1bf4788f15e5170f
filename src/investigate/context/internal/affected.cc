// Which services are worse off, and whom of the users and tenants it meets.
#include <fmt/format.h>

#include <algorithm>

#include "claims/claim_text.h"
#include "investigate/context/internal/gather.h"

namespace tocsin::investigate::internal {
namespace {

using claims::FormatQuantity;
using claims::Printable;

constexpr size_t kMaxTenants = 200;
constexpr size_t kShownTenants = 4;

claims::Measure SpanMeasure(const std::string& service, const char* value, const char* statistic) {
  claims::Measure m;
  m.of = "spans";
  m.value = value;
  m.statistic = statistic;
  m.service = service;
  return m;
}

// Errors are counted over all spans, so the claim can stand near what was seen.
std::optional<ContextLine> ErrorLine(const Gather& g, const std::string& service, const SpanStats& s) {
  if (!ClearlyMoved(s.before_errors, s.before_n, s.after_errors, s.after_n)) return std::nullopt;
  const double before = Ratio(s.before_errors, s.before_n), after = Ratio(s.after_errors, s.after_n);
  ContextLine line;
  line.text = fmt::format("{}: errors {} of {} spans", Printable(service, 60), FromTo(before, after, "share"),
                          FormatQuantity(static_cast<double>(s.after_n), "spans"));
  claims::MetricChange claim{SpanMeasure(service, "error", "share"),
                             g.pack.windows.window,
                             g.pack.windows.baseline,
                             after > before ? "up" : "down",
                             std::nullopt,
                             std::nullopt,
                             {}};
  claims::Bounds bounds;
  (after > before ? bounds.low : bounds.high) = (after - before) * 0.9;
  claim.difference = bounds;
  line.claim = claim;
  line.weight = 10 * (after - before);
  return line;
}

std::optional<ContextLine> LatencyLine(const Gather& g, const std::string& service, const SpanStats& s) {
  constexpr double kWorthSaying = 1.3;
  constexpr uint64_t kEnough = 50;
  if (s.before_p95_ms <= 0 || s.after_p95_ms <= 0 || s.before_n < kEnough || s.after_n < kEnough)
    return std::nullopt;
  const double factor = s.after_p95_ms / s.before_p95_ms;
  if (factor < kWorthSaying) return std::nullopt;
  ContextLine line;
  line.text = fmt::format("{}: p95 latency {}", Printable(service, 60),
                          FromTo(s.before_p95_ms, s.after_p95_ms, "ms"));
  line.claim = claims::MetricChange{SpanMeasure(service, "duration_ms", "p95"),
                                    g.pack.windows.window,
                                    g.pack.windows.baseline,
                                    "up",
                                    AtLeastFactor(factor, g.spans_sampled),
                                    std::nullopt,
                                    {}};
  line.weight = std::min(5.0, factor - 1);
  return line;
}

std::optional<ContextLine> TrafficLine(const Gather& g, const std::string& service, const SpanStats& s) {
  const auto& w = g.pack.windows;
  const double before = static_cast<double>(s.before_n) / w.baseline.length().seconds() * 60;
  const double after = static_cast<double>(s.after_n) / w.window.length().seconds() * 60;
  if (s.before_n < 50 || (after > before / 2 && after < before * 2)) return std::nullopt;
  const double factor = after / before;
  ContextLine line;
  line.text = fmt::format("{}: {:.0f} → {:.0f} spans a minute", Printable(service, 60), before, after);
  claims::MetricChange claim{SpanMeasure(service, "", "per_minute"),
                             w.window,
                             w.baseline,
                             factor > 1 ? "up" : "down",
                             std::nullopt,
                             std::nullopt,
                             {}};
  claim.factor = factor > 1 ? AtLeastFactor(factor, false) : AtMostFactor(factor, false);
  line.claim = std::move(claim);
  line.weight = factor > 1 ? std::min(3.0, factor - 1) : std::min(3.0, before / std::max(1.0, after) - 1);
  return line;
}

void ServiceLines(Gather& g) {
  auto& section = g.Section("affected");
  const auto add = [&](const std::string& service, double scale) {
    const auto at = g.services.find(service);
    if (at == g.services.end()) return;
    for (auto line : {ErrorLine(g, service, at->second), LatencyLine(g, service, at->second),
                      TrafficLine(g, service, at->second)}) {
      if (!line) continue;
      line->weight *= scale;
      section.lines.push_back(*std::move(line));
    }
  };
  for (auto& a : g.pack.affected) {
    if (const auto at = g.services.find(a.service); at != g.services.end()) {
      const SpanStats& s = at->second;
      a.before_n = s.before_n;
      a.after_n = s.after_n;
      a.before_errors = Ratio(s.before_errors, s.before_n);
      a.after_errors = Ratio(s.after_errors, s.after_n);
      a.before_p95_ms = s.before_p95_ms;
      a.after_p95_ms = s.after_p95_ms;
    }
    if (g.has_baseline()) add(a.service, 1.5);
  }
  if (!g.has_baseline()) return;
  for (const auto& service : g.neighbours) {
    if (!g.Affected(service)) add(service, 1);
  }
}

// Answers that failed themselves, or whose trace has an error of an affected service.
std::string BadGeneration(const Gather& g, const std::vector<std::string>& services,
                          std::vector<store::SqlValue>& values) {
  std::string bad = "error_type <> '' OR coalesce(http_status, 0) >= 400";
  if (services.empty()) return bad;
  const auto& w = g.pack.windows.window;
  return fmt::format(
      "{} OR trace_id IN (SELECT trace_id FROM spans WHERE time_ns >= {} AND time_ns < {} AND service IN "
      "({}) "
      "AND status = 'error')",
      bad, w.from.ns, w.to.ns, Marks(services, values));
}

Status PeopleLines(Gather& g) {
  const auto& w = g.pack.windows.window;
  std::vector<store::SqlValue> values;
  const std::string bad = BadGeneration(g, g.AffectedServices(), values);
  const std::string from = fmt::format(
      "FROM (SELECT tenant, user_id, CASE WHEN {} THEN 1 ELSE 0 END AS bad FROM generations WHERE time_ns >= "
      "{} "
      "AND time_ns < {}) AS answers",
      bad, w.from.ns, w.to.ns);
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      g.Ask(fmt::format(
                "SELECT tenant, count(*), sum(bad), count(DISTINCT CASE WHEN user_id <> '' THEN user_id "
                "END), count(DISTINCT CASE WHEN user_id <> '' AND bad = 1 THEN user_id END) {} GROUP BY "
                "tenant ORDER BY 3 DESC, 2 DESC, tenant",
                from),
            values, kMaxTenants));
  auto& people = g.pack.people_affected;
  people.of = "tenant";
  for (const auto& row : rows.rows) {
    people.requests += Count(row[1]);
    people.bad += Count(row[2]);
    people.users += Count(row[3]);
    people.bad_users += Count(row[4]);
    if (!Text(row[0]).empty()) people.tenants.push_back({Kept(Text(row[0])), Count(row[1]), Count(row[2])});
  }
  if (people.requests == 0) return {};
  auto& section = g.Section("affected");
  ContextLine line;
  line.text = fmt::format("Users: {} of {} had an answer that failed; {} of {} answers ({}) since the onset",
                          people.bad_users, people.users, people.bad, people.requests,
                          FormatQuantity(Ratio(people.bad, people.requests), "share"));
  if (people.users == 0)
    line.text =
        fmt::format("{} of {} answers failed since the onset ({}); users are not recorded", people.bad,
                    people.requests, FormatQuantity(Ratio(people.bad, people.requests), "share"));
  line.weight = 4;
  section.lines.push_back(std::move(line));
  std::string tenants;
  for (const auto& t : people.tenants) {
    if (t.bad == 0 || &t - people.tenants.data() >= static_cast<std::ptrdiff_t>(kShownTenants)) break;
    tenants +=
        fmt::format("{}{} {} of {}", tenants.empty() ? "" : ", ", Printable(t.value, 40), t.bad, t.requests);
  }
  if (!tenants.empty())
    section.lines.push_back({"Tenants with most failed answers: " + tenants, std::nullopt, 3.5, ""});
  return {};
}

void Extent(Gather& g) {
  auto& section = g.Section("affected");
  const auto share = g.document.find("affected_share");
  if (share != g.document.end() && share->is_number() && share->get<double>() > 0)
    section.lines.push_back({fmt::format("{} of the traffic changed, by the monitors",
                                         FormatQuantity(share->get<double>(), "share")),
                             std::nullopt, 6, ""});
  std::string names, silent;
  for (const auto& a : g.pack.affected) {
    names += (names.empty() ? "" : ", ") + Printable(a.service, 60);
    if (!a.has_spans) silent += (silent.empty() ? "" : ", ") + Printable(a.service, 60);
  }
  if (!names.empty()) section.lines.push_back({"Services: " + names, std::nullopt, 1e3, ""});
  if (!silent.empty() && g.has_window())
    section.lines.push_back({"No spans are stored under: " + silent, std::nullopt, -1, ""});
}

}  // namespace

Status GatherAffected(Gather& g) {
  Extent(g);
  TOCSIN_RETURN_IF_ERROR(NeedsWindow(g));
  ServiceLines(g);
  const Status people = PeopleLines(g);
  auto& section = g.Section("affected");
  if (!people.ok())
    section.lines.push_back(
        {"Users and tenants were not looked at: " + Kept(people.message()), std::nullopt, -2, ""});
  Settle(section, g.options.max_lines);
  return {};
}

}  // namespace tocsin::investigate::internal
