// Claims about traces, single answers and alerts.
#include <fmt/format.h>

#include <algorithm>

#include "claims/claim_text.h"
#include "claims/internal/checks.h"

namespace tocsin::claims::internal {
namespace {

using Kind = Verdict::Kind;

// Traces in which the caller calls the callee, as SQL with its parameters.
std::string Hop(const std::string& caller, const std::string& callee, const Window& w, bool last,
                const std::optional<bool>& failed, std::vector<store::SqlValue>& parameters) {
  for (int side = 0; side < 2; ++side) {
    parameters.emplace_back(w.from.ns);
    parameters.emplace_back(w.to.ns);
    parameters.emplace_back(side == 0 ? callee : caller);
  }
  std::string outcome;
  if (last && failed) outcome = *failed ? " AND status = 'error'" : " AND status <> 'error'";
  return fmt::format(
      "SELECT DISTINCT c.trace_id FROM (SELECT trace_id, parent_span_id FROM spans WHERE time_ns >= ? AND "
      "time_ns < ? AND service = ?{}) AS c JOIN (SELECT trace_id, span_id FROM spans WHERE time_ns >= ? AND "
      "time_ns < ? AND service = ?) AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id",
      outcome);
}

std::optional<JoinedGeneration> FindAnswer(Session& s, const IdentifierUnsupported& claim) {
  store::GenerationFilter filter;
  filter.trace_id = claim.trace_id;
  filter.limit = 100;
  if (!claim.span_id.empty()) {
    filter.condition = "span_id = ?";
    filter.condition_values.emplace_back(claim.span_id);
  }
  std::vector<store::SqlValue> parameters{claim.trace_id};
  parameters.insert(parameters.end(), filter.condition_values.begin(), filter.condition_values.end());
  s.Used(fmt::format("SELECT * FROM generations WHERE trace_id = ?{}",
                     claim.span_id.empty() ? "" : " AND span_id = ?"),
         std::move(parameters));
  auto found = s.sources().telemetry.Generations(filter);
  if (!found) {
    s.Unverifiable(fmt::format("the answer could not be read: {}", found.error().message()));
    return std::nullopt;
  }
  for (auto& g : *found) {
    if (claim.span_id.empty() && g.generation.output.find(claim.identifier) == std::string::npos) continue;
    JoinedGeneration joined;
    joined.generation = std::move(g.generation);
    store::SiblingFilter siblings;
    siblings.trace_id = claim.trace_id;
    auto retrievals = s.sources().telemetry.Retrievals(siblings);
    auto tools = s.sources().telemetry.ToolExecutions(siblings);
    if (!retrievals || !tools) {
      s.Unverifiable("what belongs to the answer could not be read");
      return std::nullopt;
    }
    joined.retrievals = *std::move(retrievals);
    joined.tools = *std::move(tools);
    return joined;
  }
  if (found->empty()) s.Unverifiable("no such answer is stored");
  return std::nullopt;
}

bool Matches(const AlertSource::Firing& alert, const std::vector<Condition>& labels) {
  return std::ranges::all_of(labels, [&](const Condition& c) {
    const auto it = std::ranges::find(alert.labels, c.field, &std::pair<std::string, std::string>::first);
    const std::string value = it == alert.labels.end() ? "" : it->second;
    if (c.op == "is") return value == c.value;
    if (c.op == "is_not") return value != c.value;
    return value.find(c.value) != std::string::npos;
  });
}

}  // namespace

Verdict CheckKind(Session& s, const TracePath& claim) {
  if (!s.Covered("spans", claim.window)) return {};
  std::vector<store::SqlValue> parameters;
  std::string sql = "SELECT trace_id FROM (";
  for (size_t i = 0; i + 1 < claim.path.size(); ++i) {
    const bool last = i + 2 == claim.path.size();
    if (i > 0) sql += " INTERSECT ";
    sql += Hop(claim.path[i], claim.path[i + 1], claim.window, last, claim.failed, parameters);
  }
  sql += ") AS traces";
  const auto count = s.Run(fmt::format("SELECT count(*) FROM ({}) AS found", sql), parameters);
  if (!count) return {};
  Verdict v;
  v.observed = Number(count->rows[0][0]);
  v.n = static_cast<uint64_t>(*v.observed);
  v.quantity = "traces";
  v.kind = claim.expect.Hold(*v.observed) ? Kind::kVerified : Kind::kRefuted;
  v.why = fmt::format("{} traces take this path", v.n);
  if (const auto some = v.n == 0 ? std::nullopt : s.Run(sql + " ORDER BY trace_id LIMIT 3", parameters)) {
    for (const auto& row : some->rows) s.Exemplar("trace", Text(row[0]));
  }
  return v;
}

Verdict CheckKind(Session& s, const ErrorPropagation& claim) {
  if (!s.Covered("spans", claim.window)) return {};
  const std::string traces =
      "FROM (SELECT trace_id, max(CASE WHEN service = ? THEN 1 ELSE 0 END) AS seen, "
      "max(CASE WHEN service = ? AND status = 'error' THEN 1 ELSE 0 END) AS failed, "
      "max(CASE WHEN service = ? AND status = 'error' THEN 1 ELSE 0 END) AS callee_failed "
      "FROM spans WHERE time_ns >= ? AND time_ns < ? AND service IN (?, ?) GROUP BY trace_id) AS traces "
      "WHERE seen = 1";
  const std::vector<store::SqlValue> parameters{claim.service,        claim.service,      claim.callee,
                                                claim.window.from.ns, claim.window.to.ns, claim.service,
                                                claim.callee};
  const auto rows = s.Run(
      fmt::format("SELECT failed, count(*), sum(callee_failed) {} GROUP BY failed ORDER BY failed", traces),
      parameters);
  if (!rows) return {};
  uint64_t count[2] = {0, 0}, with[2] = {0, 0};
  for (const auto& row : rows->rows) {
    const size_t side = Number(row[0]) > 0 ? 1 : 0;
    count[side] = static_cast<uint64_t>(Number(row[1]));
    with[side] = static_cast<uint64_t>(Number(row[2]));
  }
  if (count[1] < kLeastRecords) {
    s.Unverifiable(fmt::format("only {} failed traces of {}", count[1], Printable(claim.service)));
    return {};
  }
  const auto some =
      s.Run(fmt::format("SELECT trace_id {} AND failed = 1 AND callee_failed = 1 ORDER BY trace_id LIMIT 3",
                        traces),
            parameters);
  if (!some) return {};
  for (const auto& row : some->rows) s.Exemplar("trace", Text(row[0]));
  Verdict v;
  v.n = count[1];
  v.baseline_n = count[0];
  v.observed = static_cast<double>(with[1]) / static_cast<double>(count[1]);
  if (count[0] > 0) v.baseline = static_cast<double>(with[0]) / static_cast<double>(count[0]);
  v.interval = stats::ClopperPearson(with[1], count[1]);
  v.quantity = "share";
  v.why = fmt::format("{} fails in {} of {} failed traces of {}, in {} of {} others", Printable(claim.callee),
                      with[1], count[1], Printable(claim.service), with[0], count[0]);
  const auto rest = stats::ClopperPearson(with[0], count[0]);
  if (!claim.expect.Hold(*v.observed)) {
    v.kind = Kind::kRefuted;
  } else if (count[0] >= kLeastRecords && v.interval->low <= rest.high) {
    v.kind = v.interval->high < rest.low ? Kind::kRefuted : Kind::kUnverifiable;
    v.why += ": it fails as often when the caller does not";
  } else {
    v.kind = Kind::kVerified;
  }
  return v;
}

Verdict CheckKind(Session& s, const IdentifierUnsupported& claim) {
  if (s.sources().behavior == nullptr) {
    s.Unverifiable("answers cannot be measured here");
    return {};
  }
  auto joined = FindAnswer(s, claim);
  if (s.failed()) return {};
  Verdict v;
  v.n = 1;
  v.quantity = "answers";
  s.Exemplar("trace", claim.trace_id, joined ? joined->generation.span_id : claim.span_id);
  if (!joined) {
    v.kind = Kind::kRefuted;
    v.why = "no answer of this trace names it";
    return v;
  }
  const auto grounded = s.sources().behavior->Ground(*std::move(joined), claim.identifier);
  v.kind = grounded.named && !grounded.supported ? Kind::kVerified : Kind::kRefuted;
  v.why = !grounded.named      ? "the answer does not name it"
          : grounded.supported ? "what the answer was given contains it"
                               : "the answer names it and nothing it was given contains it";
  return v;
}

Verdict CheckKind(Session& s, const AlertFiring& claim) {
  if (s.sources().alerts == nullptr) {
    s.Unverifiable("alerts cannot be read here");
    return {};
  }
  if (claim.window.to > s.options().as_of) {
    s.Unverifiable(fmt::format("the window is not over: it ends {}", FormatTime(claim.window.to)));
    return {};
  }
  constexpr size_t kMost = 20'000;
  // Alerts are no table: this is what GET /api/v2/alerts and the incidents' own record are asked.
  s.Used("alerts that fired from ? to ?", {claim.window.from.ns, claim.window.to.ns});
  const auto alerts = s.sources().alerts->Alerts(claim.window, kMost);
  if (!alerts || alerts->size() >= kMost) {
    s.Unverifiable(alerts ? "too many alerts: narrow the window" : alerts.error().message());
    return {};
  }
  Verdict v;
  for (const auto& alert : *alerts) {
    if (!Matches(alert, claim.labels)) continue;
    ++v.n;
    s.Exemplar("alert", alert.id);
  }
  v.observed = static_cast<double>(v.n);
  v.quantity = "alerts";
  v.kind = (v.n > 0) == claim.firing ? Kind::kVerified : Kind::kRefuted;
  v.why = v.n > 0 ? fmt::format("{} such alerts fired", v.n) : "no such alert fired";
  return v;
}

}  // namespace tocsin::claims::internal
