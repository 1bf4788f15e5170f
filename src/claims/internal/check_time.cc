// Claims about when: onset and what came before it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "claims/claim_text.h"
#include "claims/internal/checks.h"
#include "stats/change_point.h"

namespace tocsin::claims::internal {
namespace {

using Kind = Verdict::Kind;
constexpr int64_t kBuckets = 120;
constexpr size_t kLeastBuckets = 16;
// A change this unlikely by chance is one (Pettitt 1979: 2 exp(-6 K^2 / (n^3 + n^2))).
constexpr double kChance = 0.01;

// Ranks from 1, ties share theirs: outliers then weigh no more than the largest.
std::vector<double> Ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t j = i;
    while (j < order.size() && values[order[j]] == values[order[i]]) ++j;
    for (size_t k = i; k < j; ++k) ranks[order[k]] = (static_cast<double>(i + j) + 1) / 2;
    i = j;
  }
  return ranks;
}

double PettittChance(const std::vector<double>& ranks) {
  const double n = static_cast<double>(ranks.size());
  double sum = 0, largest = 0;
  for (size_t k = 0; k + 1 < ranks.size(); ++k) {
    sum += ranks[k];
    const double u = 2 * sum - static_cast<double>(k + 1) * (n + 1);
    largest = std::max(largest, std::abs(u));
  }
  return std::min(1.0, 2 * std::exp(-6 * largest * largest / (n * n * n + n * n)));
}

struct RecordedOnset {
  Time best, low, high;
  Duration width;
};

std::optional<RecordedOnset> OnsetOf(Session& s, const ChangePrecedes& claim) {
  if (claim.incident.empty()) {
    const auto found = FindOnset(s, *claim.measure, *claim.window);
    if (!found) return std::nullopt;
    return RecordedOnset{found->best, found->low, found->high, found->width};
  }
  if (s.sources().ledger == nullptr) {
    s.Unverifiable("incidents cannot be read here");
    return std::nullopt;
  }
  const auto incident = s.sources().ledger->FindIncident(IncidentId{claim.incident});
  if (!incident || !*incident) {
    s.Unverifiable(fmt::format("there is no incident '{}'", Printable(claim.incident)));
    return std::nullopt;
  }
  s.Exemplar("incident", (*incident)->id.value);
  if (!(*incident)->onset.known()) {
    s.Unverifiable("the incident's onset is not known");
    return std::nullopt;
  }
  const auto& i = **incident;
  return RecordedOnset{i.onset,
                       i.onset_low.known() ? i.onset_low : i.onset,
                       i.onset_high.known() ? i.onset_high : i.onset,
                       {}};
}

}  // namespace

std::optional<FoundOnset> FindOnset(Session& s, const Measure& m, const Window& w) {
  const auto buckets = TakeBuckets(s, m, w, kBuckets);
  if (!buckets) return std::nullopt;
  FoundOnset out;
  out.width = Duration{std::max<int64_t>(1, (w.length().ns + kBuckets - 1) / kBuckets)};
  std::vector<double> values;
  std::vector<Time> starts;
  for (size_t i = 0; i < buckets->size(); ++i) {
    if (!(*buckets)[i]) continue;
    values.push_back(*(*buckets)[i]);
    starts.push_back(w.from + Duration{static_cast<int64_t>(i) * out.width.ns});
  }
  out.buckets = values.size();
  if (values.size() < kLeastBuckets) {
    s.Unverifiable(fmt::format("only {} of {} parts of the window hold records", values.size(), kBuckets));
    return std::nullopt;
  }
  const auto ranks = Ranks(values);
  if (PettittChance(ranks) > kChance) {
    s.Unverifiable("no change is visible in the window");
    return std::nullopt;
  }
  const auto found = stats::ChangePoint(ranks, static_cast<uint64_t>(w.from.ns));
  out.best = starts[found.best];
  out.low = starts[found.low];
  out.high = starts[std::min(found.high, starts.size() - 1)];
  return out;
}

Verdict CheckKind(Session& s, const Onset& claim) {
  const auto found = FindOnset(s, claim.measure, claim.window);
  if (!found) return {};
  Verdict v;
  v.n = found->buckets;
  v.quantity = "time";
  v.why = fmt::format("it moved at {} (between {} and {})", FormatTime(found->best), FormatTime(found->low),
                      FormatTime(found->high + found->width));
  const Time last = found->best + found->width;
  const Duration off = claim.at < found->best ? found->best - claim.at
                       : claim.at > last      ? claim.at - last
                                              : Duration{};
  if (off <= claim.tolerance) {
    v.kind = Kind::kVerified;
  } else if (claim.at + claim.tolerance < found->low ||
             claim.at - claim.tolerance > found->high + found->width) {
    v.kind = Kind::kRefuted;
  } else {
    v.why += ": that may be it or not";
  }
  return v;
}

Verdict CheckKind(Session& s, const ChangePrecedes& claim) {
  const auto rows =
      s.Run("SELECT time_ns, kind, service, subject FROM changes WHERE id = ? ORDER BY time_ns LIMIT 1",
            {claim.change});
  if (!rows) return {};
  Verdict v;
  v.quantity = "time";
  if (rows->rows.empty()) {
    v.kind = Kind::kRefuted;
    v.why = fmt::format("no change '{}' is recorded", Printable(claim.change));
    return v;
  }
  s.Exemplar("change", claim.change);
  const auto onset = OnsetOf(s, claim);
  if (!onset) return {};
  const Time at{Whole(rows->rows[0][0])};
  v.n = 1;
  v.why =
      fmt::format("the change is of {}, the onset of {} (between {} and {})", FormatTime(at),
                  FormatTime(onset->best), FormatTime(onset->low), FormatTime(onset->high + onset->width));
  const bool late = claim.max_lag.ns > 0 && onset->best - at > claim.max_lag;
  if (at > onset->high + onset->width) {
    v.kind = Kind::kRefuted;
    v.why += ": it came after";
  } else if (late) {
    v.kind = Kind::kRefuted;
    v.why += fmt::format(": {} before, too long", FormatDuration(onset->best - at));
  } else if (at <= onset->low + onset->width) {
    v.kind = Kind::kVerified;
    if (at < onset->best) v.why += fmt::format(": {} before", FormatDuration(onset->best - at));
  } else {
    v.why += ": within the onset's own uncertainty";
  }
  return v;
}

}  // namespace tocsin::claims::internal
