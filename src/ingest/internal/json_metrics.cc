// Metrics of OTLP/JSON: one reader for all kinds of point, since their names do not collide.
#include "ingest/internal/json_items.h"

namespace tocsin::ingest::internal {
namespace {

constexpr size_t kMaxBuckets = 65'536;

template <class Vector, class Read>
void ReadList(const JsonElement& list, std::string_view field, Vector& out, const Read& read) {
  ForElements(list, field, [&](const JsonElement& e) {
    if (out.size() >= kMaxBuckets) throw ItemError{"more than " + std::to_string(kMaxBuckets) + " buckets"};
    out.push_back(read(e));
  });
}

void ReadExemplar(const JsonElement& element, RawExemplar& exemplar, BatchBuilder& builder) {
  exemplar.attributes.kind = NodeKind::kMap;
  Arena& arena = builder.item_arena();
  ForFields(element, "exemplar", [&](std::string_view name, const JsonElement& v) {
    if (name == "timeUnixNano") exemplar.time = JsonUint64(v, name);
    if (name == "asDouble") exemplar.as_double = JsonDouble(v, name);
    if (name == "asInt") exemplar.as_int = JsonInt64(v, name);
    if (name == "traceId") exemplar.trace_id = JsonId(v, "exemplar traceId", arena);
    if (name == "spanId") exemplar.span_id = JsonId(v, "exemplar spanId", arena);
    if (name == "filteredAttributes") ReadJsonAttributes(v, exemplar.attributes, arena, builder);
  });
}

void ReadBuckets(const JsonElement& element, std::string_view field, RawBuckets& buckets) {
  ForFields(element, field, [&](std::string_view name, const JsonElement& v) {
    if (name == "offset") buckets.offset = static_cast<int32_t>(JsonInt64(v, name));
    if (name == "bucketCounts") {
      ReadList(v, name, buckets.counts, [](const JsonElement& e) { return JsonUint64(e, "bucketCounts"); });
    }
  });
}

void ReadQuantile(const JsonElement& element, RawPoint& point) {
  auto& [quantile, value] = point.quantiles.emplace_back(0.0, 0.0);
  ForFields(element, "quantileValues",
            [&, &q = quantile, &x = value](std::string_view name, const JsonElement& v) {
              if (name == "quantile") q = JsonDouble(v, name);
              if (name == "value") x = JsonDouble(v, name);
            });
}

// Lists and objects of a point.
void ReadPointPart(std::string_view name, const JsonElement& v, RawPoint& point, BatchBuilder& builder) {
  if (name == "attributes") {
    ReadJsonAttributes(v, point.attributes, builder.item_arena(), builder);
  } else if (name == "exemplars") {
    ForElements(v, name, [&](const JsonElement& e) {
      if (point.exemplars.size() >= builder.limits().max_attributes) return builder.CountDroppedAttribute();
      ReadExemplar(e, point.exemplars.emplace_back(), builder);
    });
  } else if (name == "bucketCounts") {
    ReadList(v, name, point.bucket_counts,
             [](const JsonElement& e) { return JsonUint64(e, "bucketCounts"); });
  } else if (name == "explicitBounds") {
    ReadList(v, name, point.bounds, [](const JsonElement& e) { return JsonDouble(e, "explicitBounds"); });
  } else if (name == "positive") {
    ReadBuckets(v, name, point.positive);
  } else if (name == "negative") {
    ReadBuckets(v, name, point.negative);
  } else if (name == "quantileValues") {
    ForElements(v, name, [&](const JsonElement& e) {
      if (point.quantiles.size() >= kMaxBuckets) throw ItemError{"too many quantiles"};
      ReadQuantile(e, point);
    });
  }
}

void ReadPoint(const JsonElement& element, MetricKind kind, RawPoint& point, BatchBuilder& builder) {
  point.attributes.kind = NodeKind::kMap;
  const bool number = kind == MetricKind::kGauge || kind == MetricKind::kSum;
  if (!number) point.count = 0;
  if (kind == MetricKind::kSummary) point.sum = 0;
  ForFields(element, "data point", [&](std::string_view name, const JsonElement& v) {
    if (name == "startTimeUnixNano") {
      point.start = JsonUint64(v, name);
    } else if (name == "timeUnixNano") {
      point.time = JsonUint64(v, name);
    } else if (name == "asDouble" && number) {
      point.as_double = JsonDouble(v, name);
      point.as_int.reset();
    } else if (name == "asInt" && number) {
      point.as_int = JsonInt64(v, name);
      point.as_double.reset();
    } else if (name == "count" && !number) {
      point.count = JsonUint64(v, name);
    } else if (name == "sum" && !number) {
      point.sum = JsonDouble(v, name);
    } else if (name == "min" && !number) {
      point.min = JsonDouble(v, name);
    } else if (name == "max" && !number) {
      point.max = JsonDouble(v, name);
    } else if (name == "scale") {
      point.scale = static_cast<int32_t>(JsonInt64(v, name));
    } else if (name == "zeroCount") {
      point.zero_count = JsonUint64(v, name);
    } else {
      ReadPointPart(name, v, point, builder);
    }
  });
}

void TakePoint(const JsonElement& element, const RawMetric& metric, BatchBuilder& builder) {
  if (!builder.BeginItem()) return;
  RawPoint point;
  try {
    ReadPoint(element, metric.kind, point, builder);
    builder.AddPoint(metric, point);
  } catch (const ItemError& error) {
    builder.Reject(error.why);
  }
}

MetricKind KindOf(std::string_view name) {
  if (name == "gauge") return MetricKind::kGauge;
  if (name == "sum") return MetricKind::kSum;
  if (name == "histogram") return MetricKind::kHistogram;
  if (name == "exponentialHistogram") return MetricKind::kExponentialHistogram;
  if (name == "summary") return MetricKind::kSummary;
  return MetricKind::kNone;
}

}  // namespace

void ReadJsonMetric(const JsonElement& element, BatchBuilder& builder) {
  RawMetric metric;
  JsonElement data;
  ForFields(element, "metric", [&](std::string_view name, const JsonElement& v) {
    if (name == "name") metric.name = JsonString(v, "metric name");
    if (name == "unit") metric.unit = JsonString(v, "metric unit");
    if (const MetricKind kind = KindOf(name); kind != MetricKind::kNone) {
      metric.kind = kind;
      data = v;
    }
  });
  if (metric.kind == MetricKind::kNone) return;
  JsonElement points;
  bool has_points = false;
  ForFields(data, "metric data", [&](std::string_view name, const JsonElement& v) {
    if (name == "aggregationTemporality" && metric.kind != MetricKind::kGauge &&
        metric.kind != MetricKind::kSummary) {
      metric.temporality =
          JsonEnum(v, name, "AGGREGATION_TEMPORALITY_", {"UNSPECIFIED", "DELTA", "CUMULATIVE"});
    }
    if (name == "isMonotonic" && metric.kind == MetricKind::kSum) metric.monotonic = JsonBool(v, name);
    if (name == "dataPoints") {
      points = v;
      has_points = true;
    }
  });
  if (!has_points) return;
  ForElements(points, "dataPoints", [&](const JsonElement& point) {
    ++builder.place.point;
    TakePoint(point, metric, builder);
  });
}

}  // namespace tocsin::ingest::internal
