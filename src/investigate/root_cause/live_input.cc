#include "investigate/root_cause/live_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "investigate/root_cause/trace_digest.h"
#include "store/sql_cell.h"

namespace tocsin::investigate {
namespace {

// The window: so long before the onset, so that it holds time before and after, and so long after it.
constexpr Duration kLead = Duration::Minutes(10);
constexpr Duration kTail = Duration::Minutes(20);
constexpr Duration kBucket = Duration::Seconds(30);
constexpr size_t kMaxRows = 200'000;
constexpr Duration kTimeout = Duration::Seconds(5);

struct Windows {
  Time reference_from, from, to;
  size_t buckets = 0, reference_steps = 0;
};

using store::Text;
using store::Whole;

// NaN: nothing measured.
double Real(const store::SqlValue& value) {
  return store::IsNull(value) ? std::numeric_limits<double>::quiet_NaN() : store::Number(value);
}

Windows WindowsOf(const ContextPack& pack) {
  Windows w;
  w.reference_from = pack.windows.baseline.from;
  w.from = std::max(pack.onset - kLead, w.reference_from + Duration{(pack.onset - w.reference_from).ns / 2});
  w.to = std::min(pack.windows.window.to, pack.onset + kTail);
  w.reference_steps = static_cast<size_t>(std::max<int64_t>(0, (w.from - w.reference_from).ns / kBucket.ns));
  w.from = w.reference_from + Duration{static_cast<int64_t>(w.reference_steps) * kBucket.ns};
  w.buckets = static_cast<size_t>(std::max<int64_t>(0, (w.to - w.from).ns / kBucket.ns)) + 1;
  return w;
}

SeriesKind KindOf(const std::string& name) {
  const auto has = [&](std::initializer_list<const char*> words) {
    return std::ranges::any_of(words, [&](const char* word) { return name.find(word) != std::string::npos; });
  };
  if (has({"error", "fail", "reject", "drop"})) return SeriesKind::kErrors;
  if (has({"latency", "duration", "response_time", "wait"})) return SeriesKind::kLatency;
  if (has({"availab", "healthy", "success"})) return SeriesKind::kAvailability;
  return has({"request", "throughput", "calls", "rate", "count"}) ? SeriesKind::kTraffic
                                                                  : SeriesKind::kResource;
}

class Loader {
 public:
  Loader(const ContextPack& pack, store::TelemetryStore& telemetry, const store::SqlDialect& dialect)
      : pack_(pack), telemetry_(telemetry), dialect_(dialect), w_(WindowsOf(pack)) {}

  Result<RootCauseInput> Load() {
    if (w_.buckets < 8 || w_.reference_steps < 8)
      return tl::unexpected(Status(Code::kFailedPrecondition, "too little time is stored around the onset"));
    input_.start_ns = w_.from.ns;
    input_.bucket_ns = kBucket.ns;
    input_.buckets = w_.buckets;
    TOCSIN_RETURN_IF_ERROR(Spans());
    TOCSIN_RETURN_IF_ERROR(SpanSeries());
    TOCSIN_RETURN_IF_ERROR(Metrics());
    TOCSIN_RETURN_IF_ERROR(Templates());
    for (const auto& change : pack_.changes)
      input_.changes.push_back({change.time.ns, change.service, change.kind, change.summary});
    return std::move(input_);
  }

 private:
  Result<store::Rows> Ask(const std::string& sql, const std::vector<store::SqlValue>& values) {
    store::QueryLimits limits;
    limits.max_rows = kMaxRows;
    limits.timeout = kTimeout;
    TOCSIN_ASSIGN_OR_RETURN(store::Rows rows, telemetry_.Query(sql, values, limits));
    if (rows.partial)
      return tl::unexpected(Status(Code::kUnavailable, "a part of the data could not be asked"));
    return rows;
  }
  std::string Bucket() const {
    return dialect_.TimeBucket(fmt::format("time_ns - {}", w_.reference_from.ns), kBucket);
  }
  std::vector<store::SqlValue> Range() const { return {w_.reference_from.ns, w_.to.ns}; }

  Status Spans() {
    TOCSIN_ASSIGN_OR_RETURN(const auto count,
                            Ask("SELECT count(*) FROM spans WHERE time_ns >= ? AND time_ns < ?", Range()));
    // Trace ids are random: their last hex digits choose a fixed share of them.
    std::string share;
    for (double n = static_cast<double>(Whole(count.rows[0][0])); n > static_cast<double>(kMaxLiveSpans);
         n /= 16)
      share += '0';
    auto values = Range();
    std::string sampled;
    if (!share.empty()) {
      sampled = " AND trace_id LIKE ?";
      values.emplace_back("%" + share);
    }
    TOCSIN_ASSIGN_OR_RETURN(
        const auto rows,
        Ask(fmt::format(
                "SELECT trace_id, span_id, parent_span_id, service, name, time_ns, duration_ns, status "
                "FROM spans WHERE time_ns >= ? AND time_ns < ?{}",
                sampled),
            values));
    TraceDigest digest;
    for (const auto& row : rows.rows) {
      const std::string trace = Text(row[0]), span = Text(row[1]), parent = Text(row[2]),
                        service = Text(row[3]), name = Text(row[4]);
      const int64_t start = Whole(row[5]);
      digest.AddSpan({.trace_id = trace,
                      .span_id = span,
                      .parent_id = parent,
                      .service = service,
                      .operation = name,
                      .start_ns = start,
                      .end_ns = start + Whole(row[6]),
                      .error = Text(row[7]) == "error"},
                     start < w_.from.ns);
    }
    digest.Finish(input_);
    return Status::Ok();
  }

  // One value a step of the reference, and points of the window.
  MetricSeries& Series(const std::string& service, const std::string& name, SeriesKind kind) {
    const auto [it, made] = index_.try_emplace(service + '\n' + name, input_.series.size());
    if (made) {
      MetricSeries series{.service = service, .name = name, .kind = kind, .reference = {}, .window = {}};
      series.reference.assign(w_.reference_steps, std::numeric_limits<double>::quiet_NaN());
      input_.series.push_back(std::move(series));
    }
    return input_.series[it->second];
  }
  void Put(MetricSeries& series, int64_t bucket, double value) const {
    const auto step = static_cast<size_t>(bucket / kBucket.ns);
    if (step < series.reference.size()) {
      series.reference[step] = value;
    } else {
      series.window.push_back({w_.reference_from.ns + bucket + kBucket.ns, value});
    }
  }

  Status SpanSeries() {
    TOCSIN_ASSIGN_OR_RETURN(
        const auto rows, Ask(fmt::format("SELECT service, {} AS bucket, count(*), {}, avg(duration_ns / 1e6) "
                                         "FROM spans WHERE time_ns >= ? "
                                         "AND time_ns < ? GROUP BY service, bucket ORDER BY service, bucket",
                                         Bucket(), dialect_.CountIf("status = 'error'")),
                             Range()));
    for (const auto& row : rows.rows) {
      const std::string service = Text(row[0]);
      const double n = Real(row[2]);
      Put(Series(service, "spans.error_share", SeriesKind::kErrors), Whole(row[1]), Real(row[3]) / n);
      Put(Series(service, "spans.duration_ms", SeriesKind::kLatency), Whole(row[1]), Real(row[4]));
      Put(Series(service, "spans.per_bucket", SeriesKind::kTraffic), Whole(row[1]), n);
    }
    return Status::Ok();
  }

  Status Metrics() {
    // Gauges as they are; what was added for counters with delta temporality; counters that only grow say
    // nothing here.
    TOCSIN_ASSIGN_OR_RETURN(
        const auto rows,
        Ask(fmt::format(
                "SELECT service, name, {} AS bucket, avg(coalesce(value, sum / nullif(count, 0))) FROM "
                "metrics "
                "WHERE time_ns >= ? AND time_ns < ? AND NOT (temporality = 'cumulative' AND monotonic) "
                "GROUP BY service, name, bucket ORDER BY service, name, bucket",
                Bucket()),
            Range()));
    for (const auto& row : rows.rows) {
      const double value = Real(row[3]);
      if (std::isnan(value)) continue;
      const std::string name = Text(row[1]);
      Put(Series(Text(row[0]), name, KindOf(name)), Whole(row[2]), value);
    }
    return Status::Ok();
  }

  Status Templates() {
    TOCSIN_ASSIGN_OR_RETURN(const auto rows,
                            Ask(fmt::format("SELECT service, template_id, {} AS bucket, max(severity) FROM "
                                            "logs WHERE time_ns >= ? AND time_ns < ? "
                                            "AND template_id <> '' GROUP BY service, template_id, bucket",
                                            Bucket()),
                                Range()));
    std::map<std::pair<std::string, std::string>, LogTemplatePresence> found;
    for (const auto& row : rows.rows) {
      auto& p = found[{Text(row[0]), Text(row[1])}];
      if (p.seen.empty()) {
        p.service = Text(row[0]);
        p.text = Text(row[1]);
        p.reference_intervals = static_cast<uint32_t>(w_.reference_steps);
        p.seen.assign(w_.buckets, 0);
      }
      p.error = p.error || Whole(row[3]) >= 17;
      const auto step = static_cast<size_t>(Whole(row[2]) / kBucket.ns);
      if (step < w_.reference_steps)
        ++p.reference_seen;
      else if (step - w_.reference_steps < p.seen.size())
        p.seen[step - w_.reference_steps] = 1;
    }
    for (auto& [key, presence] : found) input_.templates.push_back(std::move(presence));
    return Status::Ok();
  }

  const ContextPack& pack_;
  store::TelemetryStore& telemetry_;
  const store::SqlDialect& dialect_;
  Windows w_;
  RootCauseInput input_;
  std::map<std::string, size_t> index_;
};

}  // namespace

Result<RootCauseInput> LiveInput(const ContextPack& pack, store::TelemetryStore& telemetry,
                                 const store::SqlDialect& dialect) {
  return Loader(pack, telemetry, dialect).Load();
}

Result<RootCauseRanking> RankLive(const ContextPack& pack, store::TelemetryStore& telemetry,
                                  const store::SqlDialect& dialect) {
  TOCSIN_ASSIGN_OR_RETURN(const RootCauseInput input, LiveInput(pack, telemetry, dialect));
  return RankRootCauses(input);
}

}  // namespace tocsin::investigate
