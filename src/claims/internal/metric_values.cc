// The points of a metric as values over time: gauges as they are, counters as what was added since the point
// before of the same series, histograms as the mean of what was added.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "claims/internal/measurement.h"

namespace tocsin::claims::internal {
namespace {

constexpr size_t kMaxPoints = 200'000;

struct Point {
  int64_t time = 0;
  std::optional<double> value, count, sum;
};

std::optional<double> Maybe(const store::SqlValue& value) {
  if (IsNull(value)) return std::nullopt;
  return Number(value);
}

// A counter that went back was restarted: what it shows now was added since.
double Added(double before, double now) { return now >= before ? now - before : now; }

class SeriesReader {
 public:
  explicit SeriesReader(const std::string& statistic) : statistic_(statistic) {}

  void Add(const std::string& series, bool counter, bool cumulative, const Point& point) {
    const bool first = series != series_;
    const Point before = previous_;
    series_ = series;
    previous_ = point;
    if (point.count) {
      const bool needs_before = cumulative && !first;
      if (cumulative && first) return;
      const double count = needs_before ? Added(before.count.value_or(0), *point.count) : *point.count;
      const double sum =
          needs_before ? Added(before.sum.value_or(0), point.sum.value_or(0)) : point.sum.value_or(0);
      const bool counts = statistic_ == "count" || statistic_ == "per_minute";
      if (count <= 0 && !counts) return;
      Push(point.time, counts ? count : sum / count, counts ? 1 : count);
    } else if (point.value && counter && cumulative) {
      if (!first) Push(point.time, Added(before.value.value_or(0), *point.value), 1);
    } else if (point.value) {
      Push(point.time, *point.value, 1);
    }
  }
  std::vector<TimedValue> Finish() {
    std::ranges::stable_sort(values_, {}, &TimedValue::time);
    return std::move(values_);
  }

 private:
  void Push(int64_t time, double value, double weight) {
    if (!std::isfinite(value)) return;
    TimedValue v;
    v.time.ns = time;
    v.value = value;
    v.weight = weight;
    values_.push_back(std::move(v));
  }
  std::string statistic_, series_;
  Point previous_;
  std::vector<TimedValue> values_;
};

}  // namespace

std::optional<std::vector<TimedValue>> MetricValues(Session& s, const Measure& m, const Window& w) {
  std::vector<store::SqlValue> parameters;
  Measure scoped = m;
  const std::string from = FromWhere(s, scoped, w, parameters);
  parameters.emplace_back(m.value);
  const auto rows =
      s.Run(fmt::format("SELECT service, resource_json, attributes_json, kind, temporality, monotonic, "
                        "time_ns, value, count, sum {} AND name = ? "
                        "ORDER BY service, resource_json, attributes_json, scope, time_ns, position, ordinal",
                        from),
            parameters, kMaxPoints);
  if (!rows) return std::nullopt;
  SeriesReader reader(m.statistic);
  for (const auto& row : rows->rows) {
    const std::string series = Text(row[0]) + '\n' + Text(row[1]) + '\n' + Text(row[2]);
    const Point point{Whole(row[6]), Maybe(row[7]), Maybe(row[8]), Maybe(row[9])};
    const bool counter = Text(row[3]) == "sum" && Number(row[5]) != 0;
    reader.Add(series, counter, Text(row[4]) == "cumulative", point);
  }
  return reader.Finish();
}

}  // namespace tocsin::claims::internal
