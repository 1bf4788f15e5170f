// Metrics in protobuf against protobuf's own parser, and against the same request in JSON.
#include "oracle.h"

namespace {

using tocsin::fuzz::Require;
namespace otlp = tocsin::otlp;

int Points(const otlp::Metric& metric) {
  return metric.gauge().data_points_size() + metric.sum().data_points_size() +
         metric.histogram().data_points_size() + metric.exponential_histogram().data_points_size() +
         metric.summary().data_points_size();
}

void Check(const otlp::ExportMetricsRequest& message, const tocsin::ingest::DecodeOutcome& outcome) {
  size_t points = 0, at = 0;
  for (const auto& resource : message.resource_metrics()) {
    for (const auto& scope : resource.scope_metrics()) {
      for (const auto& metric : scope.metrics()) points += static_cast<size_t>(Points(metric));
    }
  }
  Require(outcome.batch.metrics.size() + static_cast<size_t>(outcome.rejected) == points,
          "every point counts once", outcome.reason);
  if (outcome.rejected != 0) return;
  for (const auto& resource : message.resource_metrics()) {
    for (const auto& scope : resource.scope_metrics()) {
      for (const auto& metric : scope.metrics()) {
        for (int i = 0; i < Points(metric); ++i) {
          const auto& row = outcome.batch.metrics[at++];
          Require(row.name == metric.name() || metric.name().size() > 4096, "name");
          if (metric.has_sum()) {
            const auto& point = metric.sum().data_points(i);
            const double value = point.has_as_int() ? static_cast<double>(point.as_int()) : point.as_double();
            Require(row.value.value_or(0) == value || value != value, "value");
          }
          if (metric.has_histogram()) {
            Require(row.min.has_value() == metric.histogram().data_points(i).has_min(), "presence of min");
          }
        }
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tocsin::fuzz::Differential<otlp::ExportMetricsRequest>(tocsin::ingest::SignalKind::kMetrics,
                                                         {reinterpret_cast<const char*>(data), size}, Check);
  return 0;
}
