#include "investigate/root_cause/testing/synthetic_graph.h"

#include <algorithm>
#include <cmath>

#include "investigate/root_cause/trace_digest.h"
#include "kernel/rng.h"

namespace tocsin::investigate {
namespace {

constexpr int64_t kSecond = 1'000'000'000, kMinute = 60 * kSecond;
constexpr int64_t kStart = 1'000'000 * kSecond;
constexpr size_t kReferenceScrapes = 60;

struct Service {
  const char* name;
  std::vector<const char*> calls;
};

const std::vector<Service>& Services() {
  static const std::vector<Service> kServices{
      {"entry", {"a"}}, {"a", {"b", "c"}}, {"b", {}}, {"c", {"d"}}, {"d", {}}};
  return kServices;
}

class Simulation {
 public:
  explicit Simulation(const SyntheticOptions& options) : options_(options), rng_(options.seed) {
    input_.start_ns = kStart;
    input_.bucket_ns = 10 * kSecond;
    input_.buckets = static_cast<size_t>(options.minutes) * 6;
  }

  RootCauseInput Run() {
    const int64_t length = options_.minutes * kMinute;
    for (int64_t at = kStart - length; at < kStart + length;) {
      const bool surging = Surging(at);
      Call(at, "entry", {});
      const double gap = static_cast<double>(kMinute) / static_cast<double>(options_.requests);
      at += static_cast<int64_t>(gap / (surging ? options_.surge : 1.0) * (0.5 + rng_.Uniform()));
    }
    digest_.Finish(input_);
    for (const Service& service : Services()) AddMetrics(service.name, length);
    return std::move(input_);
  }

 private:
  bool Faulty(int64_t at, const char* service, SyntheticFault::Kind kind) const {
    return options_.fault.kind == kind && options_.fault.service == service &&
           at >= kStart + options_.fault.onset_ns;
  }
  bool Surging(int64_t at) const { return at >= kStart + options_.minutes * kMinute / 2; }

  // Around `mean` with the spread of a healthy service.
  int64_t Time(double mean) { return static_cast<int64_t>(mean * std::exp(rng_.Uniform() - 0.5)); }

  // A call of `service` at `at`; returns its end as its caller sees it.
  int64_t Call(int64_t at, const char* service, const std::string& parent) {
    const std::string trace = parent.empty() ? "t" + std::to_string(++traces_) : trace_;
    trace_ = trace;
    const bool reference = at < kStart;
    const std::string client = parent.empty() ? std::string() : "s" + std::to_string(++spans_);
    const std::string server = "s" + std::to_string(++spans_);
    const bool slow_network = Faulty(at, service, SyntheticFault::Kind::kSlowNetwork);
    const int64_t hop = Time(slow_network ? 100e6 : 1e6);
    int64_t now = at + hop;
    const int64_t started = now;
    Log(trace, server, service, "received", now, reference, false);
    now += Work(at, service);
    const bool broken = Faulty(at, service, SyntheticFault::Kind::kEarlyEnd);
    for (const Service& s : Services()) {
      if (s.name != std::string(service) || broken) continue;
      for (const char* callee : s.calls) now = Call(now, callee, server);
    }
    Log(trace, server, service, broken ? "gave up" : "done", now, reference, broken);
    digest_.AddSpan({.trace_id = trace,
                     .span_id = server,
                     .parent_id = client.empty() ? "root" : client,
                     .service = service,
                     .operation = "serve",
                     .start_ns = started,
                     .end_ns = now,
                     .error = false},
                    reference);
    const int64_t end = now + hop;
    if (!client.empty()) {
      digest_.AddSpan({.trace_id = trace,
                       .span_id = client,
                       .parent_id = parent,
                       .service = CallerOf(service),
                       .operation = "request",
                       .start_ns = at,
                       .end_ns = end,
                       .error = false},
                      reference);
    }
    return end;
  }

  int64_t Work(int64_t at, const char* service) {
    double mean = 3e6;
    if (Faulty(at, service, SyntheticFault::Kind::kSlow)) mean *= 8.0;
    if (Faulty(at, service, SyntheticFault::Kind::kCpu)) mean *= 5.0;
    if (Surging(at)) mean *= options_.surge;
    return Time(mean);
  }

  static const char* CallerOf(std::string_view service) {
    for (const Service& s : Services()) {
      for (const char* callee : s.calls) {
        if (service == callee) return s.name;
      }
    }
    return "entry";
  }

  void Log(const std::string& trace, const std::string& span, const char* service, const char* text,
           int64_t at, bool reference, bool error) {
    const auto late = static_cast<int64_t>(rng_.Uniform() * static_cast<double>(options_.log_clock_ns));
    digest_.AddLine({.trace_id = trace,
                     .span_id = span,
                     .service = service,
                     .text = text,
                     .at_ns = at + late,
                     .error = error},
                    reference);
  }

  void AddMetrics(const char* service, int64_t length) {
    MetricSeries cpu{
        .service = service, .name = "cpu", .kind = SeriesKind::kResource, .reference = {}, .window = {}};
    MetricSeries requests{
        .service = service, .name = "requests", .kind = SeriesKind::kTraffic, .reference = {}, .window = {}};
    const auto rate = static_cast<double>(options_.requests);
    for (size_t i = 0; i < kReferenceScrapes; ++i) {
      cpu.reference.push_back(10.0 + 4.0 * rng_.Uniform());
      requests.reference.push_back(rate * (0.9 + 0.2 * rng_.Uniform()));
    }
    for (int64_t at = kStart; at <= kStart + length; at += kMinute) {
      const double factor = Surging(at - kMinute / 2) ? options_.surge : 1.0;
      const bool hot = Faulty(at - kMinute / 2, service, SyntheticFault::Kind::kCpu);
      cpu.window.push_back({.at_ns = at, .value = hot ? 95.0 : factor * (10.0 + 4.0 * rng_.Uniform())});
      requests.window.push_back({.at_ns = at, .value = factor * rate * (0.9 + 0.2 * rng_.Uniform())});
    }
    input_.series.push_back(std::move(cpu));
    input_.series.push_back(std::move(requests));
  }

  SyntheticOptions options_;
  Rng rng_;
  RootCauseInput input_;
  TraceDigest digest_;
  size_t traces_ = 0, spans_ = 0;
  std::string trace_;
};

}  // namespace

RootCauseInput SyntheticGraph(const SyntheticOptions& options) { return Simulation(options).Run(); }

}  // namespace tocsin::investigate
