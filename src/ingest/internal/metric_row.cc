#include "ingest/internal/metric_row.h"

#include <algorithm>
#include <limits>

#include "ingest/internal/span_row.h"

namespace tocsin::ingest::internal {
namespace {

const char* KindName(MetricKind kind) {
  switch (kind) {
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kSum:
      return "sum";
    case MetricKind::kHistogram:
      return "histogram";
    case MetricKind::kExponentialHistogram:
      return "exponential_histogram";
    case MetricKind::kSummary:
      return "summary";
    case MetricKind::kNone:
      break;
  }
  return "";
}

template <class Container, class Append>
void AppendList(std::string& out, const Container& items, const Append& append) {
  out += '[';
  bool first = true;
  for (const auto& item : items) {
    if (!first) out += ',';
    first = false;
    append(item);
  }
  out += ']';
}

void AppendCounts(std::string& out, const std::vector<uint64_t>& counts) {
  AppendList(out, counts, [&](uint64_t n) { out += std::to_string(n); });
}

void AppendSide(std::string& out, const char* name, const RawBuckets& side) {
  out += std::string(",\"") + name + "\":{\"offset\":" + std::to_string(side.offset) + ",\"counts\":";
  AppendCounts(out, side.counts);
  out += '}';
}

std::string BucketsJson(MetricKind kind, const RawPoint& point) {
  std::string out;
  if (kind == MetricKind::kHistogram) {
    out = "{\"bounds\":";
    AppendList(out, point.bounds, [&](double d) { AppendJsonDouble(out, d); });
    out += ",\"counts\":";
    AppendCounts(out, point.bucket_counts);
    return out + '}';
  }
  if (kind == MetricKind::kExponentialHistogram) {
    out = "{\"scale\":" + std::to_string(point.scale) + ",\"zero_count\":" + std::to_string(point.zero_count);
    AppendSide(out, "positive", point.positive);
    AppendSide(out, "negative", point.negative);
    return out + '}';
  }
  if (kind == MetricKind::kSummary) {
    out = "{\"quantiles\":";
    AppendList(out, point.quantiles, [&](const auto& q) {
      out += '[';
      AppendJsonDouble(out, q.first);
      out += ',';
      AppendJsonDouble(out, q.second);
      out += ']';
    });
    return out + '}';
  }
  return "{}";
}

std::string ExemplarsJson(const RawPoint& point, Workbench& bench) {
  std::string out;
  AppendList(out, point.exemplars, [&](const RawExemplar& e) {
    out += "{\"time_ns\":" + std::to_string(bench.SaneTime(e.time).ns) + ",\"value\":";
    if (e.as_int) {
      out += std::to_string(*e.as_int);
    } else {
      AppendJsonDouble(out, e.as_double.value_or(0));
    }
    out += ",\"trace_id\":\"" + IdText(e.trace_id) + "\",\"span_id\":\"" + IdText(e.span_id) +
           "\",\"attributes\":";
    bench.writer.Map(out, e.attributes);
    out += '}';
  });
  return out;
}

}  // namespace

void AddMetricRow(const RawMetric& metric, const RawPoint& point, const ItemContext& context,
                  Workbench& bench, signal::Batch& batch) {
  if (metric.name.empty()) throw ItemError{"a metric needs a name"};
  if (metric.kind == MetricKind::kNone)
    throw ItemError{
        "a metric needs one of gauge, sum, histogram, "
        "exponentialHistogram or summary"};
  signal::MetricPoint row;
  row.name = bench.Name(metric.name);
  row.unit = bench.Name(metric.unit);
  row.kind = KindName(metric.kind);
  row.temporality = metric.temporality == 1 ? "delta" : (metric.temporality == 2 ? "cumulative" : "");
  row.monotonic = metric.monotonic;
  row.service = context.service;
  row.start = bench.SaneTime(point.start);
  row.time = bench.SaneTime(point.time);
  if (!row.time.known()) row.time = bench.options.received;
  if (point.as_int) {
    row.value = static_cast<double>(*point.as_int);
  } else {
    row.value = point.as_double;
  }
  if (point.count) {
    row.count = static_cast<int64_t>(
        std::min<uint64_t>(*point.count, static_cast<uint64_t>(std::numeric_limits<int64_t>::max())));
  }
  row.sum = point.sum;
  row.min = point.min;
  row.max = point.max;
  row.buckets_json = BucketsJson(metric.kind, point);
  row.scope = context.scope;
  row.resource_json = context.resource_json;
  row.attributes_json.clear();
  bench.writer.Map(row.attributes_json, point.attributes);
  if (!point.exemplars.empty()) row.exemplars_json = ExemplarsJson(point, bench);
  batch.metrics.push_back(std::move(row));
}

}  // namespace tocsin::ingest::internal
