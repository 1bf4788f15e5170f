#include "surface/server_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <sstream>

namespace tocsin::surface {

struct ServerMetrics::Impl {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("tocsin_http_requests_total")
                                                          .Help("HTTP requests answered")
                                                          .Register(registry);
  prometheus::Family<prometheus::Histogram>& seconds = prometheus::BuildHistogram()
                                                           .Name("tocsin_http_request_seconds")
                                                           .Help("From a request's header to its answer")
                                                           .Register(registry);
  prometheus::Family<prometheus::Counter>& exports = prometheus::BuildCounter()
                                                         .Name("tocsin_exports_total")
                                                         .Help("Export requests by outcome")
                                                         .Register(registry);
  prometheus::Family<prometheus::Counter>& items = prometheus::BuildCounter()
                                                       .Name("tocsin_items_total")
                                                       .Help("Spans, log records and data points")
                                                       .Register(registry);
  mutable std::mutex mutex;
  std::function<std::vector<Gauge>()> sampler;  // guarded by mutex
};

ServerMetrics::ServerMetrics() : impl_(std::make_unique<Impl>()) {}
ServerMetrics::~ServerMetrics() = default;

void ServerMetrics::HttpRequest(const std::string& route, int status, Duration took) {
  const std::string name = route.empty() ? "(none)" : route;
  impl_->requests.Add({{"route", name}, {"status", std::to_string(status)}}).Increment();
  static const prometheus::Histogram::BucketBoundaries kBounds = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                                  0.25,  0.5,   1,    2.5,   5,    10};
  impl_->seconds.Add({{"route", name}}, kBounds).Observe(took.seconds());
}

void ServerMetrics::Export(const char* signal, const char* outcome, int64_t accepted, int64_t rejected) {
  impl_->exports.Add({{"signal", signal}, {"outcome", outcome}}).Increment();
  const auto add = [&](const char* what, int64_t count) {
    if (count > 0)
      impl_->items.Add({{"signal", signal}, {"outcome", what}}).Increment(static_cast<double>(count));
  };
  add("stored", accepted);
  add("rejected", rejected);
}

void ServerMetrics::SetSampler(std::function<std::vector<Gauge>()> sampler) {
  const std::lock_guard lock(impl_->mutex);
  impl_->sampler = std::move(sampler);
}

std::string ServerMetrics::Text() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry.Collect();
  std::function<std::vector<Gauge>()> sampler;
  {
    const std::lock_guard lock(impl_->mutex);
    sampler = impl_->sampler;
  }
  if (sampler) {
    for (const Gauge& gauge : sampler()) {
      prometheus::MetricFamily& family = families.emplace_back();
      family.name = gauge.name;
      family.help = gauge.help;
      family.type = gauge.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
      prometheus::ClientMetric& metric = family.metric.emplace_back();
      (gauge.counter ? metric.counter.value : metric.gauge.value) = gauge.value;
    }
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace tocsin::surface
