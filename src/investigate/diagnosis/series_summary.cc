#include "investigate/diagnosis/series_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

struct Point {
  Time at;
  double value;
};

std::vector<Point> OrderedPoints(const EvidenceSeries& series) {
  std::vector<Point> points;
  for (size_t i = 0; i < series.values.size(); ++i) {
    if (!std::isfinite(series.values[i])) continue;
    points.push_back({i < series.times.size() ? series.times[i] : Time{}, series.values[i]});
  }
  std::ranges::stable_sort(points, {}, &Point::at);
  return points;
}

}  // namespace

double SeriesSummary::Above(double bound) const {
  if (values.empty()) return 0;
  const auto over = std::ranges::count_if(values, [bound](double v) { return v > bound; });
  return static_cast<double>(over) / static_cast<double>(values.size());
}

double SeriesSummary::Below(double bound) const {
  if (values.empty()) return 0;
  const auto under = std::ranges::count_if(values, [bound](double v) { return v < bound; });
  return static_cast<double>(under) / static_cast<double>(values.size());
}

size_t SeriesSummary::LongestRunAbove(double bound) const {
  size_t longest = 0, run = 0;
  for (const double v : values) {
    run = v > bound ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

double SeriesSummary::Growth(double floor) const {
  return n == 0 ? 0 : std::max(now, highest) / std::max(before, floor);
}

SeriesSummary Summarize(const EvidenceSeries& series) {
  SeriesSummary out{.name = CanonicalMetric(series.name), .resource = series.resource, .unit = series.unit};
  const std::vector<Point> points = OrderedPoints(series);
  out.n = points.size();
  if (points.empty()) return out;
  for (const Point& p : points) out.values.push_back(p.value);
  const auto low = std::ranges::min_element(points, {}, &Point::value);
  const auto high = std::ranges::max_element(points, {}, &Point::value);
  out.lowest = low->value, out.highest = high->value, out.low_at = low->at, out.peak_at = high->at;
  out.start = points.front().at, out.end = points.back().at;
  const auto tail = out.values.end() - static_cast<std::ptrdiff_t>(std::min<size_t>(3, out.n));
  out.now = MedianOf({tail, out.values.end()});
  // A change that begins with the second point must not raise what it is compared with.
  const size_t head = std::clamp<size_t>(out.n / 6, 1, 5);
  const auto first = out.values.begin();
  const auto last = first + static_cast<std::ptrdiff_t>(head);
  const bool up = out.highest - *first >= *first - out.lowest;
  out.before = up ? *std::min_element(first, last) : *std::max_element(first, last);
  const double extreme = up ? out.highest : out.lowest;
  const double step = (extreme - out.before) / 5;
  for (size_t i = 0; i < out.n && step != 0; ++i) {
    if ((points[i].value - out.before) / step < 1) continue;
    out.onset = points[i].at;
    break;
  }
  return out;
}

std::string CanonicalMetric(const std::string& name) {
  struct Alias {
    const char* theirs;
    const char* ours;
  };
  static constexpr std::array kAliases{
      Alias{"postgresql.backends", "DatabaseConnections"},
      Alias{"postgresql.connection.max", "MaxConnections"},
      Alias{"postgresql.deadlocks", "Deadlocks"},
      Alias{"postgresql.wal.lag", "ReplicaLag"},
      Alias{"postgresql.replication.data_delay", "ReplicationDataDelay"},
      Alias{"system.cpu.utilization", "CPUUtilization"},
      Alias{"AuroraReplicaLag", "ReplicaLag"},
      Alias{"FreeLocalStorage", "FreeStorageSpace"},
      Alias{"WALGeneration", "TransactionLogsGeneration"},
  };
  const std::string lower = LowerAscii(name);
  for (const Alias& alias : kAliases)
    if (lower == LowerAscii(alias.theirs)) return alias.ours;
  return name;
}

std::string Number(double value) {
  const double size = std::abs(value);
  if (size >= 100 || value == std::round(value)) return fmt::format("{:.0f}", value);
  if (size >= 1) return fmt::format("{:.1f}", value);
  return fmt::format("{:.3g}", value);
}

std::string Quantity(double value, const std::string& unit) {
  const std::string lower = LowerAscii(unit);
  if (lower == "percent") return Number(value) + " %";
  if (lower.starts_with("bytes")) {
    const std::string rate = lower.ends_with("/second") ? "/s" : "";
    static constexpr std::array kSteps{"B", "KiB", "MiB", "GiB", "TiB"};
    size_t step = 0;
    for (; std::abs(value) >= 1024 && step + 1 < kSteps.size(); ++step) value /= 1024;
    return fmt::format("{} {}{}", Number(value), kSteps[step], rate);
  }
  if (lower == "seconds")
    return value < 1 && value > 0 ? Number(value * 1000) + " ms" : Number(value) + " seconds";
  if (lower == "milliseconds") return Number(value) + " ms";
  if (lower == "count/second") return Number(value) + "/s";
  return Number(value);
}

}  // namespace tocsin::investigate
