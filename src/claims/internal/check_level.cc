// Claims about one window: decided exactly on what is recorded, but for prevalence, which speaks of a rate.
#include <fmt/format.h>

#include <cmath>

#include "claims/claim_text.h"
#include "claims/internal/checks.h"

namespace tocsin::claims::internal {
namespace {

using Kind = Verdict::Kind;

bool NeedsMany(const Measure& m) {
  return m.statistic != "count" && m.statistic != "per_minute" && m.statistic != "sum" &&
         m.statistic != "min" && m.statistic != "max";
}

Verdict Exactly(const Measurement& taken, const Bounds& expect, const std::string& quantity) {
  Verdict v;
  v.kind = expect.Hold(taken.value) ? Kind::kVerified : Kind::kRefuted;
  v.observed = taken.value;
  v.interval = taken.interval;
  v.quantity = quantity;
  v.n = taken.n;
  v.why = fmt::format("it was {} over {} records", FormatWithInterval(taken.value, taken.interval, quantity),
                      taken.n);
  return v;
}

std::optional<Measurement> CountOf(Session& s, const std::string& of, const std::string& service,
                                   const std::vector<Condition>& where, const Window& window) {
  Measure m;
  m.of = of;
  m.statistic = "count";
  m.service = service;
  m.where = where;
  if (of != "metrics") {
    auto taken = Take(s, m, window, 0.95);
    if (taken && taken->n > 0) NoteExemplars(s, m, window);
    return taken;
  }
  if (!s.Covered(of, window)) return std::nullopt;
  std::vector<store::SqlValue> parameters;
  const std::string from = FromWhere(s, m, window, parameters);
  const auto rows = s.Run("SELECT count(*) " + from, parameters);
  if (!rows) return std::nullopt;
  Measurement out;
  out.value = Number(rows->rows[0][0]);
  out.n = static_cast<uint64_t>(out.value);
  return out;
}

}  // namespace

Verdict CheckKind(Session& s, const MetricLevel& claim) {
  const auto taken = Take(s, claim.measure, claim.window, 0.95);
  if (!taken) return {};
  if (taken->n < (NeedsMany(claim.measure) ? kLeastRecords : 1) && claim.measure.statistic != "count" &&
      claim.measure.statistic != "per_minute") {
    s.Unverifiable(fmt::format("only {} records in the window", taken->n));
    return {};
  }
  NoteExemplars(s, claim.measure, claim.window);
  return Exactly(*taken, claim.expect, QuantityOf(claim.measure));
}

Verdict CheckKind(Session& s, const RecordCount& claim) {
  const auto taken = CountOf(s, claim.of, claim.service, claim.where, claim.window);
  if (!taken) return {};
  Verdict v;
  v.kind = claim.expect.Hold(taken->value) ? Kind::kVerified : Kind::kRefuted;
  v.observed = taken->value;
  v.quantity = claim.of;
  v.n = taken->n;
  v.why = fmt::format("{} such {}", taken->n, claim.of);
  return v;
}

Verdict CheckKind(Session& s, const Exists& claim) {
  const auto taken = CountOf(s, claim.of, claim.service, claim.where, claim.window);
  if (!taken) return {};
  Verdict v;
  v.kind = (taken->n > 0) == claim.exists ? Kind::kVerified : Kind::kRefuted;
  v.observed = taken->value;
  v.quantity = claim.of;
  v.n = taken->n;
  v.why = taken->n > 0 ? fmt::format("{} such {}", taken->n, claim.of) : fmt::format("no such {}", claim.of);
  return v;
}

Verdict CheckKind(Session& s, const Prevalence& claim) {
  if (!s.Covered("generations", claim.window)) return {};
  Measure m;
  m.of = "generations";
  m.service = claim.service;
  m.where = claim.where;
  std::vector<store::SqlValue> parameters;
  const std::string from = FromWhere(s, m, claim.window, parameters);
  std::vector<store::SqlValue> matching;
  std::string match = WhereSql("generations", claim.match, s.dialect(), matching).substr(5);
  matching.insert(matching.end(), parameters.begin(), parameters.end());
  const auto rows = s.Run(fmt::format("SELECT {}, count(*) {}", s.dialect().CountIf(match), from), matching);
  if (!rows) return {};
  const auto hits = static_cast<uint64_t>(Number(rows->rows[0][0]));
  Verdict v;
  v.n = static_cast<uint64_t>(Number(rows->rows[0][1]));
  if (v.n == 0) {
    s.Unverifiable("no generations in the window");
    return {};
  }
  v.observed = static_cast<double>(hits) / static_cast<double>(v.n);
  v.interval = stats::ClopperPearson(hits, v.n);
  v.quantity = "share";
  m.where.insert(m.where.end(), claim.match.begin(), claim.match.end());
  m.statistic = "count";
  NoteExemplars(s, m, claim.window);
  const auto& i = *v.interval;
  v.why = fmt::format("{} of {} generations: {}", hits, v.n, FormatWithInterval(*v.observed, i, "share"));
  if (i.low >= claim.expect.low && i.high <= claim.expect.high) {
    v.kind = Kind::kVerified;
  } else if (i.high < claim.expect.low || i.low > claim.expect.high) {
    v.kind = Kind::kRefuted;
  } else {
    v.why += "; the interval reaches over the bound, so more are needed to tell";
  }
  return v;
}

Verdict CheckKind(Session& s, const Concentration& claim) {
  if (!s.Covered(claim.of, claim.window)) return {};
  Measure m;
  m.of = claim.of;
  m.service = claim.service;
  std::vector<store::SqlValue> parameters;
  const std::string bad = WhereSql(claim.of, claim.bad, s.dialect(), parameters).substr(5);
  const std::string have = WhereSql(claim.of, claim.have, s.dialect(), parameters).substr(5);
  std::vector<store::SqlValue> scope;
  const std::string from = FromWhere(s, m, claim.window, scope);
  parameters.insert(parameters.end(), scope.begin(), scope.end());
  const auto rows =
      s.Run(fmt::format("SELECT bad, count(*), sum(have) FROM (SELECT CASE WHEN {} THEN 1 ELSE 0 END AS bad, "
                        "CASE WHEN {} THEN 1 ELSE 0 END AS have {}) AS records GROUP BY bad ORDER BY bad",
                        bad, have, from),
            parameters);
  if (!rows) return {};
  uint64_t count[2] = {0, 0}, with[2] = {0, 0};
  for (const auto& row : rows->rows) {
    const size_t side = Number(row[0]) > 0 ? 1 : 0;
    count[side] = static_cast<uint64_t>(Number(row[1]));
    with[side] = static_cast<uint64_t>(Number(row[2]));
  }
  if (count[1] < kLeastRecords || count[0] < kLeastRecords) {
    s.Unverifiable(fmt::format("{} bad records and {} others: too few to compare", count[1], count[0]));
    return {};
  }
  m.where = claim.bad;
  m.where.insert(m.where.end(), claim.have.begin(), claim.have.end());
  m.statistic = "count";
  NoteExemplars(s, m, claim.window);
  const auto share = [&](size_t side) {
    return static_cast<double>(with[side]) / static_cast<double>(count[side]);
  };
  const auto among_bad = stats::ClopperPearson(with[1], count[1], kEachOfTwo);
  const auto among_rest = stats::ClopperPearson(with[0], count[0], kEachOfTwo);
  Verdict v;
  v.observed = share(1);
  v.baseline = share(0);
  v.interval = among_bad;
  v.level = kEachOfTwo;
  v.quantity = "share";
  v.n = count[1];
  v.baseline_n = count[0];
  v.why = fmt::format("{} of {} bad records have it, {} of {} others", with[1], count[1], with[0], count[0]);
  if (!claim.expect.Hold(*v.observed) || among_bad.high < among_rest.low) {
    v.kind = Kind::kRefuted;
  } else if (among_bad.low > among_rest.high) {
    v.kind = Kind::kVerified;
  } else {
    v.why += "; not clearly more";
  }
  return v;
}

}  // namespace tocsin::claims::internal
