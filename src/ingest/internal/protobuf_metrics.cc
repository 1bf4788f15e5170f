// Metrics from protobuf. Number, histogram, exponential histogram and summary points number their fields
// differently; each has its reader, all fill one RawPoint.
#include <protozero/exception.hpp>

#include "ingest/internal/protobuf_items.h"
#include "ingest/internal/protobuf_value.h"

namespace tocsin::ingest::internal {
namespace {

using protozero::pbf_reader;

constexpr size_t kMaxBuckets = 65'536;

void CheckBuckets(size_t n) {
  if (n > kMaxBuckets) throw ItemError{"more than " + std::to_string(kMaxBuckets) + " buckets"};
}

void ReadPointExemplar(pbf_reader& message, RawPoint& point, BatchBuilder& builder) {
  if (point.exemplars.size() >= builder.limits().max_attributes) {
    builder.CountDroppedAttribute();
    message.skip();
    return;
  }
  ReadExemplar(message.get_message(), point.exemplars.emplace_back(), builder);
}

void ReadNumber(pbf_reader message, RawPoint& point, BatchBuilder& builder) {
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Fixed64(2):
        point.start = message.get_fixed64();
        break;
      case Fixed64(3):
        point.time = message.get_fixed64();
        break;
      case Fixed64(4):
        point.as_double = message.get_double();
        point.as_int.reset();
        break;
      case Bytes(5):
        ReadPointExemplar(message, point, builder);
        break;
      case Fixed64(6):
        point.as_int = message.get_sfixed64();
        point.as_double.reset();
        break;
      case Bytes(7):
        ReadAttribute(message.get_message(), point.attributes, builder.item_arena(), builder);
        break;
      default:
        message.skip();
    }
  }
}

// Bucket counts and bounds, packed or not. False when the field is none of them.
bool ReadHistogramArrays(pbf_reader& message, uint32_t tag, RawPoint& point) {
  switch (tag) {
    case Bytes(6):
      for (const uint64_t n : message.get_packed_fixed64()) point.bucket_counts.push_back(n);
      break;
    case Fixed64(6):
      point.bucket_counts.push_back(message.get_fixed64());
      break;
    case Bytes(7):
      for (const double d : message.get_packed_double()) point.bounds.push_back(d);
      break;
    case Fixed64(7):
      point.bounds.push_back(message.get_double());
      break;
    default:
      return false;
  }
  CheckBuckets(point.bucket_counts.size());
  CheckBuckets(point.bounds.size());
  return true;
}

void ReadHistogram(pbf_reader message, RawPoint& point, BatchBuilder& builder) {
  point.count = 0;
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Fixed64(2):
        point.start = message.get_fixed64();
        break;
      case Fixed64(3):
        point.time = message.get_fixed64();
        break;
      case Fixed64(4):
        point.count = message.get_fixed64();
        break;
      case Fixed64(5):
        point.sum = message.get_double();
        break;
      case Bytes(8):
        ReadPointExemplar(message, point, builder);
        break;
      case Bytes(9):
        ReadAttribute(message.get_message(), point.attributes, builder.item_arena(), builder);
        break;
      case Fixed64(11):
        point.min = message.get_double();
        break;
      case Fixed64(12):
        point.max = message.get_double();
        break;
      default:
        if (!ReadHistogramArrays(message, tag, point)) message.skip();
    }
  }
}

void ReadBuckets(pbf_reader message, RawBuckets& buckets) {
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    if (tag == Varint(1)) {
      buckets.offset = protozero::decode_zigzag32(static_cast<uint32_t>(message.get_uint64()));
    } else if (tag == Bytes(2)) {
      for (const uint64_t n : message.get_packed_uint64()) buckets.counts.push_back(n);
    } else if (tag == Varint(2)) {
      buckets.counts.push_back(message.get_uint64());
    } else {
      message.skip();
    }
    CheckBuckets(buckets.counts.size());
  }
}

bool ReadExponentialPart(pbf_reader& message, uint32_t tag, RawPoint& point, BatchBuilder& builder) {
  switch (tag) {
    case Bytes(1):
      ReadAttribute(message.get_message(), point.attributes, builder.item_arena(), builder);
      return true;
    case Bytes(8):
      ReadBuckets(message.get_message(), point.positive);
      return true;
    case Bytes(9):
      ReadBuckets(message.get_message(), point.negative);
      return true;
    case Bytes(11):
      ReadPointExemplar(message, point, builder);
      return true;
    default:
      return false;
  }
}

void ReadExponential(pbf_reader message, RawPoint& point, BatchBuilder& builder) {
  point.count = 0;
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Fixed64(2):
        point.start = message.get_fixed64();
        break;
      case Fixed64(3):
        point.time = message.get_fixed64();
        break;
      case Fixed64(4):
        point.count = message.get_fixed64();
        break;
      case Fixed64(5):
        point.sum = message.get_double();
        break;
      case Varint(6):
        point.scale = protozero::decode_zigzag32(static_cast<uint32_t>(message.get_uint64()));
        break;
      case Fixed64(7):
        point.zero_count = message.get_fixed64();
        break;
      case Fixed64(12):
        point.min = message.get_double();
        break;
      case Fixed64(13):
        point.max = message.get_double();
        break;
      default:
        if (!ReadExponentialPart(message, tag, point, builder)) message.skip();
    }
  }
}

void ReadQuantile(pbf_reader message, RawPoint& point) {
  auto& [quantile, value] = point.quantiles.emplace_back(0.0, 0.0);
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    if (tag == Fixed64(1)) {
      quantile = message.get_double();
    } else if (tag == Fixed64(2)) {
      value = message.get_double();
    } else {
      message.skip();
    }
  }
}

void ReadSummary(pbf_reader message, RawPoint& point, BatchBuilder& builder) {
  point.count = 0;
  point.sum = 0;
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Fixed64(2):
        point.start = message.get_fixed64();
        break;
      case Fixed64(3):
        point.time = message.get_fixed64();
        break;
      case Fixed64(4):
        point.count = message.get_fixed64();
        break;
      case Fixed64(5):
        point.sum = message.get_double();
        break;
      case Bytes(6):
        ReadQuantile(message.get_message(), point);
        CheckBuckets(point.quantiles.size());
        break;
      case Bytes(7):
        ReadAttribute(message.get_message(), point.attributes, builder.item_arena(), builder);
        break;
      default:
        message.skip();
    }
  }
}

void ReadPoint(const pbf_reader& message, MetricKind kind, RawPoint& point, BatchBuilder& builder) {
  point.attributes.kind = NodeKind::kMap;
  switch (kind) {
    case MetricKind::kHistogram:
      return ReadHistogram(message, point, builder);
    case MetricKind::kExponentialHistogram:
      return ReadExponential(message, point, builder);
    case MetricKind::kSummary:
      return ReadSummary(message, point, builder);
    case MetricKind::kNone:
    case MetricKind::kGauge:
    case MetricKind::kSum:
      return ReadNumber(message, point, builder);
  }
}

// A metric's data message: {data_points = 1, aggregation_temporality = 2, is_monotonic = 3}.
struct Data {
  MetricKind kind = MetricKind::kNone;
  std::vector<pbf_reader> parts;  // merged when the field comes twice
};

void ReadHeader(pbf_reader message, RawMetric& metric, Data& data) {
  uint32_t tag = 0;
  const auto take = [&](MetricKind kind) {
    if (data.kind != kind) data.parts.clear();
    data.kind = kind;
    data.parts.push_back(message.get_message());
  };
  while (NextField(message, tag)) {
    switch (tag) {
      case Bytes(1):
        metric.name = View(message);
        break;
      case Bytes(3):
        metric.unit = View(message);
        break;
      case Bytes(5):
        take(MetricKind::kGauge);
        break;
      case Bytes(7):
        take(MetricKind::kSum);
        break;
      case Bytes(9):
        take(MetricKind::kHistogram);
        break;
      case Bytes(10):
        take(MetricKind::kExponentialHistogram);
        break;
      case Bytes(11):
        take(MetricKind::kSummary);
        break;
      default:
        message.skip();
    }
  }
  metric.kind = data.kind;
}

void ReadSettings(const Data& data, RawMetric& metric) {
  const bool has_temporality = data.kind != MetricKind::kGauge && data.kind != MetricKind::kSummary;
  uint32_t tag = 0;
  for (pbf_reader part : data.parts) {
    while (NextField(part, tag)) {
      if (tag == Varint(2) && has_temporality) {
        metric.temporality = AsInt32(part.get_uint64());
      } else if (tag == Varint(3) && data.kind == MetricKind::kSum) {
        metric.monotonic = part.get_uint64() != 0;
      } else {
        part.skip();
      }
    }
  }
}

void TakePoint(const pbf_reader& message, const RawMetric& metric, BatchBuilder& builder) {
  if (!builder.BeginItem()) return;
  RawPoint point;
  try {
    ReadPoint(message, metric.kind, point, builder);
    builder.AddPoint(metric, point);
  } catch (const ItemError& error) {
    builder.Reject(error.why);
  } catch (const protozero::exception& error) {
    builder.Reject(std::string("damaged protobuf: ") + error.what());
  }
}

}  // namespace

void ReadMetric(pbf_reader message, BatchBuilder& builder) {
  RawMetric metric;
  Data data;
  ReadHeader(message, metric, data);
  ReadSettings(data, metric);
  uint32_t tag = 0;
  for (pbf_reader part : data.parts) {
    while (NextField(part, tag)) {
      if (tag != Bytes(1)) {
        part.skip();
        continue;
      }
      ++builder.place.point;
      TakePoint(part.get_message(), metric, builder);
    }
  }
}

}  // namespace tocsin::ingest::internal
