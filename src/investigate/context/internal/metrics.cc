// Metric series that moved, largest first: values in buckets of time, the median before against the median
// since, in robust standard deviations of the baseline (median absolute deviation). Counters are what was
// added, histograms the mean of what was added, as claims measure them.
//
// A failure that is over soon moves only the beginning: the first quarter hour is looked at too.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "claims/claim_text.h"
#include "investigate/context/internal/gather.h"
#include "respond/json_text.h"

namespace tocsin::investigate::internal {
namespace {

using claims::FormatQuantity;
using claims::Printable;

constexpr size_t kMaxServices = 40;
constexpr size_t kMaxRows = 150'000;         // buckets of series
constexpr int64_t kFine = 60, kCoarse = 10;  // buckets in both windows together, about
constexpr size_t kLeastBuckets = 4;
constexpr double kLeastScore = 4;  // robust deviations that are worth a line
constexpr size_t kKept = 60;
constexpr size_t kMaxWhere = 4;  // attributes of a series that a claim names
constexpr Duration kBeginning = Duration::Minutes(15);

// One bucket of one series, as it came.
struct Cell {
  int64_t start = 0;
  double mean = 0, last = 0, total = 0;  // of value
  double count_last = 0, count_total = 0, sum_last = 0, sum_total = 0;
  bool has_value = false, has_count = false;
};

// Values by start of the bucket, of all series with the same name and attributes.
struct Pool {
  std::string service, name, unit, attributes;
  std::map<int64_t, std::pair<double, double>> sums;  // of values, how many
  bool counter = false, histogram = false;
  void Add(int64_t start, double value) {
    if (!std::isfinite(value)) return;
    auto& [sum, n] = sums[start];
    sum += value;
    n += 1;
  }
};
using Pools = std::map<std::string, Pool>;

double Added(double before, double now) {
  return now >= before ? now - before : now;
}  // a restart begins at 0

struct SeriesKind {
  bool cumulative = false, counter = false;
};

void Pour(const SeriesKind& kind, const std::vector<Cell>& cells, Pool& pool) {
  for (size_t i = 0; i < cells.size(); ++i) {
    const Cell& c = cells[i];
    const Cell* before = i == 0 ? nullptr : &cells[i - 1];
    if (c.has_count) {
      pool.histogram = true;
      if (kind.cumulative && before == nullptr) continue;
      const double count = kind.cumulative ? Added(before->count_last, c.count_last) : c.count_total;
      const double sum = kind.cumulative ? Added(before->sum_last, c.sum_last) : c.sum_total;
      if (count > 0) pool.Add(c.start, sum / count);
    } else if (c.has_value && kind.counter) {
      pool.counter = true;
      if (kind.cumulative && before == nullptr) continue;
      pool.Add(c.start, kind.cumulative ? Added(before->last, c.last) : c.total);
    } else if (c.has_value) {
      pool.Add(c.start, c.mean);
    }
  }
}

std::vector<std::string> Services(const Gather& g) {
  std::vector<std::string> out = g.AffectedServices();
  for (const auto& service : g.neighbours) {
    if (out.size() >= kMaxServices) break;
    if (!g.Affected(service)) out.push_back(service);
  }
  return out;
}

Result<store::Rows> Read(Gather& g, int64_t buckets, bool* cut) {
  const auto& w = g.pack.windows;
  const int64_t whole = (w.window.to - w.baseline.from).ns;
  const Duration width{std::max<int64_t>(Duration::Seconds(1).ns, whole / buckets)};
  // Buckets begin at the window, so that none lies in both.
  const std::string offset = std::to_string(w.window.from.ns);
  std::vector<store::SqlValue> values;
  const std::string marks = Marks(Services(g), values);
  return g.Ask(
      fmt::format(
          "SELECT service, name, unit, kind, temporality, monotonic, resource_json, attributes_json, "
          "scope, {} AS bucket, avg(value), max(value), sum(value), max(count), sum(count), max(sum), "
          "sum(sum) FROM metrics WHERE {} AND service IN ({}) GROUP BY service, name, unit, kind, "
          "temporality, monotonic, resource_json, attributes_json, scope, bucket ORDER BY service, name, "
          "unit, kind, temporality, monotonic, resource_json, attributes_json, scope, bucket",
          g.sources.dialect.TimeBucket("time_ns - " + offset, width), g.InWindows(), marks),
      values, kMaxRows, cut);
}

bool Null(const store::SqlValue& value) { return std::holds_alternative<std::monostate>(value); }

Pools Collect(const Gather& g, const store::Rows& rows) {
  Pools pools;
  const int64_t offset = g.pack.windows.window.from.ns;
  for (size_t i = 0; i < rows.rows.size();) {
    const auto& first = rows.rows[i];
    std::vector<Cell> cells;
    size_t j = i;
    for (; j < rows.rows.size() && std::equal(first.begin(), first.begin() + 9, rows.rows[j].begin()); ++j) {
      const auto& r = rows.rows[j];
      cells.push_back({Whole(r[9]) + offset, Number(r[10]), Number(r[11]), Number(r[12]), Number(r[13]),
                       Number(r[14]), Number(r[15]), Number(r[16]), !Null(r[10]), !Null(r[13])});
    }
    const std::string kind = Text(first[3]);
    Pool& pool = pools[fmt::format("{}\n{}\n{}", Text(first[0]), Text(first[1]), Text(first[7]))];
    pool.service = Text(first[0]);
    pool.name = Text(first[1]);
    pool.unit = Text(first[2]);
    pool.attributes = Text(first[7]);
    Pour({Text(first[4]) == "cumulative", kind == "sum" && Number(first[5]) != 0}, cells, pool);
    i = j;
  }
  return pools;
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

struct Move {
  double before = 0, after = 0, score = 0;
  uint64_t before_n = 0, after_n = 0;
};

std::optional<Move> Compare(const std::vector<double>& before, const std::vector<double>& after) {
  if (before.size() < kLeastBuckets || after.size() < kLeastBuckets) return std::nullopt;
  Move m;
  m.before = Median(before);
  m.after = Median(after);
  m.before_n = before.size();
  m.after_n = after.size();
  std::vector<double> away;
  for (const double v : before) away.push_back(std::abs(v - m.before));
  // 1.4826 makes it the standard deviation of a normal. A series that hardly moves must move by a twentieth
  // of its size, one that was always zero by something: then the spread since says how much that is.
  double scale = std::max(1.4826 * Median(away), 0.05 * std::abs(m.before));
  if (scale <= 0) scale = std::max(std::abs(m.after) / 20, 1e-12);
  m.score = std::min(1e3, std::abs(m.after - m.before) / scale);
  return m;
}

std::vector<claims::Condition> WhereOf(const std::string& attributes_json) {
  const auto attributes = nlohmann::json::parse(attributes_json, nullptr, false);
  std::vector<claims::Condition> out;
  if (!attributes.is_object() || attributes.size() > kMaxWhere) return out;
  for (const auto& [key, value] : attributes.items()) {
    if (!value.is_string() || key.size() > 200 || value.get_ref<const std::string&>().size() > 500) return {};
    out.push_back({"attributes." + key, "is", value.get<std::string>()});
  }
  return out;
}

std::optional<MetricShift> ShiftOf(const Gather& g, const Pool& pool) {
  const auto& w = g.pack.windows;
  std::vector<double> before, after, beginning;
  for (const auto& [start, sum] : pool.sums) {
    const double value = sum.first / sum.second;
    if (start < w.baseline.to.ns) before.push_back(value);
    if (start >= w.window.from.ns) after.push_back(value);
    if (start >= w.window.from.ns && start < (w.window.from + kBeginning).ns) beginning.push_back(value);
  }
  const auto all = Compare(before, after);
  const auto first = w.window.length().ns > 2 * kBeginning.ns ? Compare(before, beginning) : std::nullopt;
  const bool soon_over = first && (!all || first->score > 2 * all->score);
  const auto& m = soon_over ? first : all;
  if (!m || m->score < kLeastScore) return std::nullopt;
  MetricShift s;
  s.service = pool.service;
  s.name = pool.name;
  s.unit = Kept(pool.unit);
  s.where = WhereOf(pool.attributes);
  s.statistic = pool.histogram ? "mean" : "median";
  s.before = m->before;
  s.after = m->after;
  s.score = m->score;
  s.affected = g.Affected(pool.service);
  s.before_n = m->before_n;
  s.after_n = m->after_n;
  s.window = w.window;
  if (soon_over) s.window.to = w.window.from + kBeginning;
  return s;
}

claims::MetricChange ClaimOf(const Gather& g, const MetricShift& s) {
  claims::Measure m;
  m.of = "metrics";
  m.value = s.name;
  m.statistic = s.statistic;
  m.service = s.service;
  m.where = s.where;
  claims::MetricChange claim{
      m, s.window, g.pack.windows.baseline, s.after > s.before ? "up" : "down", std::nullopt, std::nullopt,
      {}};
  // Points, not buckets, are claimed over, so with room to spare.
  if (s.before > 0 && s.after > 0)
    claim.factor =
        s.after > s.before ? AtLeastFactor(s.after / s.before, true) : AtMostFactor(s.after / s.before, true);
  return claim;
}

std::string Describe(const MetricShift& s) {
  std::string where;
  for (const auto& c : s.where)
    where += fmt::format("{}{}={}", where.empty() ? " {" : ", ", Printable(c.field.substr(11), 30),
                         Printable(c.value, 30));
  if (!where.empty()) where += "}";
  return fmt::format("{}: {}{} {} {}{}", Printable(s.service, 60), Printable(s.name, 60), where,
                     FromTo(s.before, s.after, ""), s.unit == "1" ? "" : Printable(s.unit, 20),
                     s.window.length() <= kBeginning ? " (over its first 15 min)" : "");
}

}  // namespace

Status GatherMetrics(Gather& g) {
  TOCSIN_RETURN_IF_ERROR(NeedsBoth(g));
  if (Services(g).empty()) return Status(Code::kNotFound, "no service is known whose metrics to look at");
  auto& section = g.Section("metrics");
  bool cut = false;
  TOCSIN_ASSIGN_OR_RETURN(auto rows, Read(g, kFine, &cut));
  if (cut) {  // many series: fewer buckets of each
    cut = false;
    TOCSIN_ASSIGN_OR_RETURN(rows, Read(g, kCoarse, &cut));
  }
  section.cut = cut;
  if (rows.rows.empty())
    return Status(Code::kNotFound, "no metrics of these services are stored of this time");
  for (const auto& [key, pool] : Collect(g, rows)) {
    if (auto shift = ShiftOf(g, pool)) g.pack.metrics.push_back(*std::move(shift));
  }
  std::ranges::stable_sort(g.pack.metrics, std::ranges::greater{}, &MetricShift::score);
  if (g.pack.metrics.size() > kKept) {
    g.pack.metrics.resize(kKept);
    section.cut = true;
  }
  for (const auto& s : g.pack.metrics) {
    section.lines.push_back({Describe(s), ClaimOf(g, s), s.score, s.affected ? "" : "of a neighbour"});
  }
  Settle(section, g.options.max_lines);
  return {};
}

}  // namespace tocsin::investigate::internal
