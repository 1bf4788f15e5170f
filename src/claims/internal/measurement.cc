#include "claims/internal/measurement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stats/count_interval.h"

namespace tocsin::claims::internal {
namespace {

constexpr int64_t kDispersionBuckets = 30;

Measurement Counted(double count, double dispersion, const Measure& m, const Window& w, double level) {
  Measurement out;
  out.n = static_cast<uint64_t>(count);
  const double scale = m.statistic == "per_minute" ? 60.0 / w.length().seconds() : 1.0;
  stats::Interval interval = stats::CountInterval(count, level, dispersion);
  out.value = count * scale;
  out.interval = stats::Interval{interval.low * scale, interval.high * scale};
  return out;
}

std::optional<Measurement> TakeCount(Session& s, const Measure& m, const ValueSpec& spec, const Window& w,
                                     double level) {
  std::vector<store::SqlValue> parameters;
  const int64_t width = std::max<int64_t>(1, (w.length().ns + kDispersionBuckets - 1) / kDispersionBuckets);
  const std::string bucket = s.dialect().TimeBucket(fmt::format("time_ns - {}", w.from.ns), Duration{width});
  std::string from = FromWhere(s, m, w, parameters);
  if (!spec.sql.empty()) from += fmt::format(" AND {}", spec.sql);
  const auto rows =
      s.Run(fmt::format("SELECT {} AS bucket, count(*) {} GROUP BY bucket ORDER BY bucket", bucket, from),
            parameters);
  if (!rows) return std::nullopt;
  double count = 0, squares = 0;
  for (const auto& row : rows->rows) {
    count += Number(row[1]);
    squares += Number(row[1]) * Number(row[1]);
  }
  const double n = static_cast<double>(kDispersionBuckets), mean = count / n;
  const double variance = (squares - n * mean * mean) / (n - 1);
  return Counted(count, mean > 0 ? variance / mean : 1, m, w, level);
}

std::optional<Measurement> TakeShare(Session& s, const Measure& m, const ValueSpec& spec, const Window& w,
                                     double level) {
  std::vector<store::SqlValue> parameters;
  const std::string from = FromWhere(s, m, w, parameters);
  const auto rows =
      s.Run(fmt::format("SELECT count(*), {} {}", s.dialect().CountIf(spec.sql), from), parameters);
  if (!rows) return std::nullopt;
  Measurement out;
  out.n = static_cast<uint64_t>(Number(rows->rows[0][0]));
  out.successes = Number(rows->rows[0][1]);
  out.value = out.n == 0 ? 0 : out.successes / static_cast<double>(out.n);
  out.interval = stats::ClopperPearson(static_cast<uint64_t>(out.successes), out.n, level);
  return out;
}

std::optional<Measurement> TakeNumber(Session& s, const Measure& m, const ValueSpec& spec, const Window& w,
                                      double level) {
  std::vector<store::SqlValue> parameters;
  const std::string from = FromWhere(s, m, w, parameters);
  const std::string& x = spec.sql;
  const auto rows =
      s.Run(fmt::format("SELECT count({0}), avg({0}), avg(({0}) * ({0})), min({0}), max({0}), sum({0}) {1}",
                        x, from),
            parameters);
  if (!rows) return std::nullopt;
  const auto& row = rows->rows[0];
  Measurement out;
  out.n = static_cast<uint64_t>(Number(row[0]));
  const double n = Number(row[0]), mean = Number(row[1]);
  if (m.statistic == "mean") {
    out.value = mean;
    out.interval =
        stats::MeanInterval(mean, n < 2 ? 0 : (Number(row[2]) - mean * mean) * n / (n - 1), n, level);
  } else if (m.statistic == "min") {
    out.value = Number(row[3]);
  } else if (m.statistic == "max") {
    out.value = Number(row[4]);
  } else if (m.statistic == "sum") {
    out.value = Number(row[5]);
  } else {
    const double q = QuantileOf(m.statistic);
    const auto ranks = stats::QuantileRanks(q, n, level);
    const auto& d = s.dialect();
    const auto found = s.Run(fmt::format("SELECT {}, {}, {} {}", d.Quantile(x, q), d.Quantile(x, ranks.low),
                                         d.Quantile(x, ranks.high), from),
                             parameters);
    if (!found) return std::nullopt;
    out.value = Number(found->rows[0][0]);
    out.interval = stats::Interval{Number(found->rows[0][1]), Number(found->rows[0][2])};
  }
  return out;
}

}  // namespace

double QuantileOf(const std::string& statistic) {
  if (statistic == "median") return 0.5;
  if (statistic == "p90") return 0.9;
  if (statistic == "p95") return 0.95;
  return statistic == "p99" ? 0.99 : -1;
}

std::string QuantityOf(const Measure& m) {
  if (m.statistic == "share") return "share";
  if (m.statistic == "count") return m.of;
  if (m.statistic == "per_minute") return m.of + " per minute";
  if (m.value.ends_with("_ms")) return "ms";
  if (m.value.ends_with("_usd")) return "usd";
  if (m.value.ends_with("_tokens")) return "tokens";
  return m.value;
}

std::string FromWhere(Session& s, const Measure& m, const Window& w,
                      std::vector<store::SqlValue>& parameters) {
  std::string sql = fmt::format("FROM {} WHERE time_ns >= ? AND time_ns < ?", m.of);
  parameters.emplace_back(w.from.ns);
  parameters.emplace_back(w.to.ns);
  if (!m.service.empty()) {
    sql += " AND service = ?";
    parameters.emplace_back(m.service);
  }
  return sql + WhereSql(m.of, m.where, s.dialect(), parameters);
}

Measurement Summarize(std::vector<TimedValue> values, const std::string& statistic, double level,
                      const Window& w) {
  Measurement out;
  out.n = values.size();
  if (values.empty()) return out;
  double weight = 0, sum = 0;
  for (const auto& v : values) {
    weight += v.weight;
    sum += v.weight * v.value;
  }
  const double n = static_cast<double>(values.size()), mean = weight > 0 ? sum / weight : 0;
  double squares = 0, lagged = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    squares += (values[i].value - mean) * (values[i].value - mean);
    if (i > 0) lagged += (values[i].value - mean) * (values[i - 1].value - mean);
  }
  const double effective = stats::EffectiveCount(n, squares > 0 ? lagged / squares : 0);
  const auto binary = [](const TimedValue& v) { return v.value == 0 || v.value == 1; };
  if (statistic == "sum" || statistic == "count") {
    out.value = sum;
  } else if (statistic == "per_minute") {
    out.value = sum * 60.0 / w.length().seconds();
  } else if ((statistic == "share" || statistic == "mean") && std::ranges::all_of(values, binary)) {
    out.value = mean;
    out.successes = sum;
    out.interval = stats::ClopperPearson(static_cast<uint64_t>(std::llround(sum)), out.n, level);
  } else if (statistic == "mean" || statistic == "share") {
    out.value = mean;
    out.interval = stats::MeanInterval(mean, n < 2 ? 0 : squares / (n - 1), effective, level);
  } else {
    std::ranges::sort(values, {}, &TimedValue::value);
    const auto at = [&](double q) {
      const double place = q * (n - 1);
      const auto low = static_cast<size_t>(place);
      const size_t high = std::min(low + 1, values.size() - 1);
      return values[low].value +
             (place - static_cast<double>(low)) * (values[high].value - values[low].value);
    };
    if (statistic == "min" || statistic == "max") {
      out.value = at(statistic == "min" ? 0 : 1);
    } else {
      const double q = QuantileOf(statistic);
      const auto ranks = stats::QuantileRanks(q, effective, level);
      out.value = at(q);
      out.interval = stats::Interval{at(ranks.low), at(ranks.high)};
    }
  }
  return out;
}

std::optional<Measurement> Take(Session& s, const Measure& m, const Window& w, double level) {
  if (!s.Covered(m.of, w)) return std::nullopt;
  const ValueSpec spec = FindValue(m);
  if (!spec.ok) {
    s.Unverifiable(spec.why);
    return std::nullopt;
  }
  if (spec.series || spec.behavior) {
    auto values = spec.series ? MetricValues(s, m, w) : BehaviorValues(s, m, w);
    if (!values) return std::nullopt;
    return Summarize(*std::move(values), m.statistic, level, w);
  }
  if (m.statistic == "count" || m.statistic == "per_minute") return TakeCount(s, m, spec, w, level);
  if (spec.binary) return TakeShare(s, m, spec, w, level);
  return TakeNumber(s, m, spec, w, level);
}

std::optional<std::vector<std::optional<double>>> TakeBuckets(Session& s, const Measure& m, const Window& w,
                                                              int64_t buckets) {
  if (!s.Covered(m.of, w)) return std::nullopt;
  const ValueSpec spec = FindValue(m);
  const int64_t width = std::max<int64_t>(1, (w.length().ns + buckets - 1) / buckets);
  std::vector<std::optional<double>> out(static_cast<size_t>(buckets));
  if (spec.series || spec.behavior) {
    const auto values = spec.series ? MetricValues(s, m, w) : BehaviorValues(s, m, w);
    if (!values) return std::nullopt;
    std::vector<std::vector<TimedValue>> parts(out.size());
    for (const auto& v : *values) parts[static_cast<size_t>((v.time.ns - w.from.ns) / width)].push_back(v);
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!parts[i].empty())
        out[i] = Summarize(parts[i], m.statistic, 0.95, {w.from, w.from + Duration{width}}).value;
    }
    return out;
  }
  const bool counts = m.statistic == "count" || m.statistic == "per_minute";
  std::string what = "count(*)";
  if (!counts && spec.binary) what = fmt::format("1.0 * {} / count(*)", s.dialect().CountIf(spec.sql));
  if (!counts && !spec.binary) {
    const double q = QuantileOf(m.statistic);
    const char* plain = m.statistic == "mean" ? "avg" : m.statistic.c_str();
    what = q >= 0 ? s.dialect().Quantile(spec.sql, q) : fmt::format("{}({})", plain, spec.sql);
  }
  std::vector<store::SqlValue> parameters;
  std::string from = FromWhere(s, m, w, parameters);
  if (counts && !spec.sql.empty()) from += fmt::format(" AND {}", spec.sql);
  const std::string bucket = s.dialect().TimeBucket(fmt::format("time_ns - {}", w.from.ns), Duration{width});
  const auto rows =
      s.Run(fmt::format("SELECT {} AS bucket, {} {} GROUP BY bucket ORDER BY bucket", bucket, what, from),
            parameters);
  if (!rows) return std::nullopt;
  if (counts) std::ranges::fill(out, 0.0);
  for (const auto& row : rows->rows) {
    const auto i = static_cast<size_t>(Number(row[0]) / static_cast<double>(width));
    if (i < out.size() && !IsNull(row[1])) out[i] = Number(row[1]);
  }
  return out;
}

void NoteExemplars(Session& s, const Measure& m, const Window& w) {
  if (m.of == "metrics" || m.of == "changes") return;
  const ValueSpec spec = FindValue(m);
  if (spec.behavior) return;  // noted while the texts are at hand
  std::vector<store::SqlValue> parameters;
  std::string from = FromWhere(s, m, w, parameters);
  if (spec.binary) from += fmt::format(" AND {}", spec.sql);
  const std::string order = !spec.sql.empty() && !spec.binary ? fmt::format("{} DESC, ", spec.sql) : "";
  const auto rows = s.Run(
      fmt::format(
          "SELECT trace_id, span_id {} AND trace_id <> '' ORDER BY {}time_ns, trace_id, span_id LIMIT 3",
          from, order),
      parameters);
  if (!rows) return;
  for (const auto& row : rows->rows) s.Exemplar("trace", Text(row[0]), Text(row[1]));
}

}  // namespace tocsin::claims::internal
