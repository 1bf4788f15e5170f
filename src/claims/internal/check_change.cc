// Claims that compare two windows: decided by intervals, so that chance verifies nothing.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>

#include "claims/claim_text.h"
#include "claims/internal/checks.h"
#include "stats/decomposition.h"

namespace tocsin::claims::internal {
namespace {

using Kind = Verdict::Kind;

double Divide(double a, double b) {
  if (b != 0) return a / b;
  return a == 0 ? 1.0 : std::numeric_limits<double>::infinity();
}

bool Enough(Session& s, const Measure& m, const Measurement& now, const Measurement& before) {
  if (m.statistic == "per_minute") return true;
  if (now.n >= kLeastRecords && before.n >= kLeastRecords) return true;
  s.Unverifiable(fmt::format("{} records in the window and {} in the baseline: too few", now.n, before.n));
  return false;
}

std::optional<Comparison> TakeBoth(Session& s, const Measure& m, const Window& window, const Window& baseline,
                                   const std::vector<Condition>& against) {
  const auto now = Take(s, m, window, kEachOfTwo);
  if (!now) return std::nullopt;
  Measure other = m;
  if (!against.empty()) other.where = against;
  const auto before = Take(s, other, baseline, kEachOfTwo);
  if (!before || !Enough(s, m, *now, *before)) return std::nullopt;
  return Compare(*now, *before);
}

// How much of the change is left when like questions are compared with like.
stats::Decomposition WithinStrata(const std::vector<TimedValue>& now, const std::vector<TimedValue>& before) {
  std::map<uint32_t, stats::Stratum> strata;
  for (const auto& v : before) strata[v.stratum].reference.Add(v.value);
  for (const auto& v : now) strata[v.stratum].live.Add(v.value);
  std::vector<stats::Stratum> list;
  for (auto& [key, stratum] : strata) list.push_back(std::move(stratum));
  return stats::Decompose(list);
}

bool Meets(const std::optional<Bounds>& bounds, double value) { return !bounds || bounds->Hold(value); }
bool Excludes(const std::optional<Bounds>& bounds, const stats::Interval& i) {
  return bounds && (i.high < bounds->low || i.low > bounds->high);
}

}  // namespace

Comparison Compare(const Measurement& now, const Measurement& before) {
  Comparison c{now, before, now.value - before.value, Divide(now.value, before.value), {}, {}};
  const stats::Interval a = now.interval.value_or(stats::Interval{now.value, now.value});
  const stats::Interval b = before.interval.value_or(stats::Interval{before.value, before.value});
  c.difference_interval = {a.low - b.high, a.high - b.low};
  c.factor_interval = {std::max(0.0, Divide(std::max(0.0, a.low), b.high)),
                       Divide(a.high, std::max(0.0, b.low))};
  return c;
}

Verdict JudgeChange(const Comparison& c, const std::string& direction, const std::optional<Bounds>& factor,
                    const std::optional<Bounds>& difference, const std::string& quantity) {
  const bool up = direction == "up";
  const auto& d = c.difference_interval;
  Verdict v;
  v.observed = c.now.value;
  v.baseline = c.before.value;
  v.interval = factor ? c.factor_interval : d;
  v.quantity = quantity;
  v.n = c.now.n;
  v.baseline_n = c.before.n;
  v.why = fmt::format("{} after {}", FormatWithInterval(c.now.value, c.now.interval, quantity),
                      FormatWithInterval(c.before.value, c.before.interval, quantity));
  const bool contrary = up ? c.difference < 0 && d.high < 0 : c.difference > 0 && d.low > 0;
  const bool clear = up ? d.low > 0 : d.high < 0;
  if (contrary) {
    v.kind = Kind::kRefuted;
    v.why += ": it moved the other way";
  } else if (Excludes(factor, c.factor_interval) || Excludes(difference, d)) {
    v.kind = Kind::kRefuted;
    v.why += fmt::format(": {:.3g} times, not as claimed", c.factor);
  } else if (!Meets(factor, c.factor) || !Meets(difference, c.difference)) {
    v.why += fmt::format(": {:.3g} times, short of the claim but within what chance allows", c.factor);
  } else if (!clear) {
    v.why += ": the intervals meet, so it may be chance";
  } else {
    v.kind = Kind::kVerified;
    if (std::isfinite(c.factor)) v.why += fmt::format(": {:.3g} times", c.factor);
  }
  return v;
}

Verdict CheckKind(Session& s, const MetricChange& claim) {
  const auto c = TakeBoth(s, claim.measure, claim.window, claim.baseline, claim.against);
  if (!c) return {};
  NoteExemplars(s, claim.measure, claim.window);
  return JudgeChange(*c, claim.direction, claim.factor, claim.difference, QuantityOf(claim.measure));
}

Verdict CheckKind(Session& s, const BehaviorShift& claim) {
  const Measure& m = claim.measure;
  const auto now = s.Covered(m.of, claim.window) ? BehaviorValues(s, m, claim.window) : std::nullopt;
  if (!now) return {};
  Measure other = m;
  if (!claim.against.empty()) other.where = claim.against;
  const auto before =
      s.Covered(m.of, claim.baseline) ? BehaviorValues(s, other, claim.baseline) : std::nullopt;
  if (!before) return {};
  const Comparison c = Compare(Summarize(*now, m.statistic, kEachOfTwo, claim.window),
                               Summarize(*before, m.statistic, kEachOfTwo, claim.baseline));
  if (!Enough(s, m, c.now, c.before)) return {};
  Verdict v = JudgeChange(c, claim.direction, claim.factor, claim.difference, QuantityOf(m));
  if (!v.verified()) return v;
  const auto split = WithinStrata(*now, *before);
  const double within = split.within.value, total = split.total.value;
  if (within * total <= 0 || std::abs(within) < std::abs(total) / 4) {
    v.kind = Kind::kRefuted;
    v.why += "; but other questions explain it: like questions are answered as before";
  } else if (!split.within.excludes_zero()) {
    v.kind = Kind::kUnverifiable;
    v.why += "; within like questions it may be chance";
  } else {
    v.why += fmt::format("; {:.0f} % of it within like questions", 100 * std::min(1.0, within / total));
  }
  return v;
}

Verdict CheckKind(Session& s, const Equivalence& claim) {
  const auto c = TakeBoth(s, claim.measure, claim.window, claim.baseline, {});
  if (!c) return {};
  const std::string quantity = QuantityOf(claim.measure);
  const auto& d = c->difference_interval;
  Verdict v;
  v.observed = c->now.value;
  v.baseline = c->before.value;
  v.interval = d;
  v.quantity = quantity;
  v.n = c->now.n;
  v.baseline_n = c->before.n;
  v.why = fmt::format("{} after {}; the difference is between {} and {}",
                      FormatQuantity(c->now.value, quantity), FormatQuantity(c->before.value, quantity),
                      FormatQuantity(d.low, quantity), FormatQuantity(d.high, quantity));
  if (d.low >= -claim.delta && d.high <= claim.delta) {
    v.kind = Kind::kVerified;
  } else if (d.low > claim.delta || d.high < -claim.delta) {
    v.kind = Kind::kRefuted;
  } else {
    v.why += ": not yet narrow enough";
  }
  return v;
}

Verdict CheckKind(Session& s, const LogTemplate& claim) {
  Measure m;
  m.of = "logs";
  m.statistic = "per_minute";
  m.service = claim.service;
  m.where.push_back(claim.text.empty() ? Condition{"template_id", "is", claim.template_id}
                                       : Condition{"body", "contains", claim.text});
  const auto now = Take(s, m, claim.window, kEachOfTwo);
  if (!now) return {};
  Verdict v;
  v.observed = static_cast<double>(now->n);
  v.n = now->n;
  v.quantity = "lines";
  if (now->n > 0) NoteExemplars(s, m, claim.window);
  v.why = fmt::format("{} such lines in the window", now->n);
  if (claim.state == "present" || claim.state == "absent") {
    v.kind = (now->n > 0) == (claim.state == "present") ? Kind::kVerified : Kind::kRefuted;
    return v;
  }
  const auto before = Take(s, m, *claim.baseline, kEachOfTwo);
  Measure all = m;
  all.where.clear();
  const bool appeared = claim.state == "new" || claim.state == "more";
  const auto others = before ? Take(s, all, appeared ? *claim.baseline : claim.window, 0.95) : std::nullopt;
  if (!others) return {};
  if (others->n == 0) {
    s.Unverifiable(fmt::format("no lines at all of {} in the {}",
                               claim.service.empty() ? "any service" : Printable(claim.service),
                               appeared ? "baseline" : "window"));
    return {};
  }
  v.baseline = static_cast<double>(before->n);
  v.baseline_n = before->n;
  v.why += fmt::format(", {} in the baseline", before->n);
  if (claim.state == "more" || claim.state == "fewer") {
    Verdict judged = JudgeChange(Compare(*now, *before), claim.state == "more" ? "up" : "down", claim.factor,
                                 std::nullopt, "lines per minute");
    return judged;
  }
  const uint64_t here = claim.state == "new" ? now->n : before->n,
                 there = claim.state == "new" ? before->n : now->n;
  const double longer = claim.baseline->length().seconds() / claim.window.length().seconds();
  const double missed = static_cast<double>(here) * (claim.state == "new" ? longer : 1 / longer);
  if (there > 0 || here == 0) {
    v.kind = Kind::kRefuted;
  } else if (missed < 3) {
    v.why += ": so rare that none may be chance";  // rule of three: 1 - e^-3 = 95 %
  } else {
    v.kind = Kind::kVerified;
  }
  return v;
}

}  // namespace tocsin::claims::internal
