#include "claims/internal/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tocsin::claims::internal {
namespace {

constexpr size_t kMaxExemplars = 5;
// Parts a window is cut into to find holes.
constexpr int64_t kBuckets = 240;
// Fewer records than this show no hole.
constexpr double kDense = 100;
// A run of empty parts is a hole when records that come by chance (Poisson) would leave it so once in e^14
// = 1.2 million, and when it is many times the usual distance of parts that are not empty: records may come
// in bursts.
constexpr double kLogChance = 14;
constexpr int64_t kTimesUsual = 5;

struct Counts {
  std::vector<double> parts;  // of the window
  double before = 0, within = 0;
};

// How many arrivals the parts [begin, end) would have had at the rate of the others. Records arrive in
// clusters (the spans of a trace): an arrival is as many records as the others' variance is of their mean
// (index of dispersion; Cox & Lewis 1966).
double ClustersExpected(const Counts& counts, int64_t begin, int64_t end) {
  double n = 0, sum = 0, squares = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(counts.parts.size()); ++i) {
    if (i >= begin && i < end) continue;
    const double count = counts.parts[static_cast<size_t>(i)];
    n += 1;
    sum += count;
    squares += count * count;
  }
  if (n < 2 || sum <= 0) return 0;
  const double mean = sum / n, variance = (squares - n * mean * mean) / (n - 1);
  return mean * static_cast<double>(end - begin) / std::max(1.0, variance / mean);
}

// The first run of empty parts that is a hole, as [begin, end).
std::optional<std::pair<int64_t, int64_t>> FindHole(const Counts& counts) {
  std::vector<int64_t> full{-1};
  for (size_t i = 0; i < counts.parts.size(); ++i) {
    if (counts.parts[i] > 0) full.push_back(static_cast<int64_t>(i));
  }
  full.push_back(static_cast<int64_t>(counts.parts.size()));
  std::vector<int64_t> steps;
  for (size_t i = 1; i < full.size(); ++i) steps.push_back(full[i] - full[i - 1]);
  std::vector<int64_t> sorted = steps;
  std::ranges::sort(sorted);
  const int64_t usual = sorted[sorted.size() / 2];
  for (size_t i = 0; i < steps.size(); ++i) {
    const int64_t empty = steps[i] - 1;
    const double expected = ClustersExpected(counts, full[i] + 1, full[i + 1]);
    if (empty >= 3 && empty > kTimesUsual * usual && expected > kLogChance)
      return std::pair{full[i] + 1, full[i + 1]};
  }
  return std::nullopt;
}

Duration SlackOf(const Window& window) {
  return std::max(Duration::Seconds(60), Duration{window.length().ns / 10});
}

}  // namespace

void Session::Unverifiable(std::string why) {
  if (why_.empty()) why_ = std::move(why);
}

std::optional<store::Rows> Session::Run(const std::string& sql, std::vector<store::SqlValue> parameters,
                                        size_t max_rows) {
  if (failed()) return std::nullopt;
  store::QueryLimits limits;
  limits.max_rows = max_rows;
  limits.timeout = shared_.options.query_timeout;
  auto rows = shared_.sources.telemetry.Query(sql, parameters, limits);
  queries_.push_back({sql, std::move(parameters)});
  if (!rows) {
    Unverifiable(fmt::format("the query could not be run: {}", rows.error().message()));
    return std::nullopt;
  }
  if (rows->partial) {
    Unverifiable("a part of the data could not be asked");
    return std::nullopt;
  }
  if (rows->truncated) {
    Unverifiable(fmt::format("more than {} rows: narrow the window or the conditions", max_rows));
    return std::nullopt;
  }
  return *std::move(rows);
}

std::optional<Coverage> Session::Look(const std::string& table, const Window& window) {
  const std::string key = fmt::format("{} {} {}", table, window.from.ns, window.to.ns);
  if (const auto it = shared_.coverage.find(key); it != shared_.coverage.end()) return it->second;
  // Twice the window, so that what was there before shows what is missing now.
  const int64_t width = std::max<int64_t>(1, (window.length().ns + kBuckets - 1) / kBuckets);
  const Time from{window.from.ns - kBuckets * width};
  const auto counts = Run(
      fmt::format("SELECT {} AS bucket, count(*) FROM {} WHERE time_ns >= ? AND time_ns < ? GROUP BY bucket "
                  "ORDER BY bucket",
                  dialect().TimeBucket(fmt::format("time_ns - {}", from.ns), Duration{width}), table),
      {from.ns, window.to.ns});
  if (!counts) return std::nullopt;
  Counts found;
  found.parts.resize(static_cast<size_t>((window.to.ns - window.from.ns + width - 1) / width));
  for (const auto& row : counts->rows) {
    const auto at = static_cast<int64_t>(Number(row[0])) / width - kBuckets;
    (at < 0 ? found.before : found.within) += Number(row[1]);
    if (at >= 0 && static_cast<size_t>(at) < found.parts.size())
      found.parts[static_cast<size_t>(at)] = Number(row[1]);
  }
  Coverage coverage;
  coverage.dense = found.within >= kDense;
  coverage.dried_up = found.before >= 10 * kDense && found.within * 50 < found.before;
  if (const auto hole = coverage.dense ? FindHole(found) : std::nullopt) {
    coverage.gap = Window{{window.from.ns + hole->first * width},
                          {std::min(window.from.ns + hole->second * width, window.to.ns)}};
  }
  shared_.coverage[key] = coverage;
  return coverage;
}

std::optional<Window> Session::Kept() {
  if (shared_.kept) return shared_.kept;
  Window kept;
  for (const char* table : {"spans", "logs", "metrics", "generations"}) {
    const auto ends =
        Run(fmt::format("SELECT min(time_ns), max(time_ns) FROM {} WHERE time_ns > 0", table), {});
    if (!ends) return std::nullopt;
    const auto* first = std::get_if<int64_t>(&ends->rows[0][0]);
    const auto* last = std::get_if<int64_t>(&ends->rows[0][1]);
    if (first == nullptr || last == nullptr) continue;
    if (!kept.from.known() || *first < kept.from.ns) kept.from.ns = *first;
    kept.to.ns = std::max(kept.to.ns, *last);
  }
  shared_.kept = kept;
  return kept;
}

// False, with the reason noted, when a part of the window is missing from the table.
bool Session::Whole(const std::string& table, const Window& window, bool& dense) {
  const auto coverage = Look(table, window);
  if (!coverage) return false;
  dense = coverage->dense;
  if (coverage->gap) {
    Unverifiable(fmt::format("no {} at all are stored from {} to {}: a part of the data is missing", table,
                             FormatTime(coverage->gap->from), FormatTime(coverage->gap->to)));
  } else if (coverage->dried_up) {
    Unverifiable(fmt::format(
        "next to no {} are stored of the window and many of the time before: data are missing", table));
  }
  return !failed();
}

bool Session::Covered(const std::string& table, const Window& window) {
  if (failed()) return false;
  if (window.to > shared_.options.as_of) {
    Unverifiable(fmt::format("the window is not over: it ends {}", FormatTime(window.to)));
    return false;
  }
  const auto kept = Kept();
  if (!kept) return false;
  const Duration slack = SlackOf(window);
  if (!kept->from.known()) {
    Unverifiable("no telemetry is stored");
  } else if (window.from + slack < kept->from) {
    Unverifiable(
        fmt::format("the window begins before what is stored, whose first is of {}", FormatTime(kept->from)));
  } else if (kept->to + slack < window.to) {
    Unverifiable(
        fmt::format("the window ends after what is stored, whose last is of {}", FormatTime(kept->to)));
  }
  bool dense = false;
  if (failed() || !Whole(table, window, dense)) return false;
  // Rare records leave no trace of a hole: what is always there stands for them.
  bool witness = dense;
  for (const char* other : {"spans", "logs", "metrics", "generations"}) {
    if (witness) break;
    if (table != other && !Whole(other, window, witness)) return false;
  }
  return true;
}

void Session::Exemplar(std::string kind, std::string id, std::string span) {
  if (exemplars_.size() < kMaxExemplars && !id.empty())
    exemplars_.push_back({std::move(kind), std::move(id), std::move(span)});
}

Verdict Session::Finish(Verdict verdict) && {
  verdict.queries = std::move(queries_);
  verdict.exemplars = std::move(exemplars_);
  if (failed()) {
    verdict.kind = Verdict::Kind::kUnverifiable;
    verdict.why = std::move(why_);
  }
  return verdict;
}

}  // namespace tocsin::claims::internal
