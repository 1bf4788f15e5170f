// ServerMetrics: Tocsin's own metrics in Prometheus' text format (prometheus-cpp).
//
// Counters are kept here; figures other parts keep themselves (backlog, positions, monitors) are read when
// somebody asks, through the sampler. Ownership: owns the registry. Thread-safety: all methods.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernel/time.h"

namespace tocsin::surface {

class ServerMetrics {
 public:
  ServerMetrics();
  ~ServerMetrics();
  ServerMetrics(const ServerMetrics&) = delete;
  ServerMetrics& operator=(const ServerMetrics&) = delete;

  // An answered HTTP request; route is the router's path, "" when none matched.
  void HttpRequest(const std::string& route, int status, Duration took);
  // An export, by signal and outcome: items stored and rejected.
  void Export(const char* signal, const char* outcome, int64_t accepted, int64_t rejected);

  struct Gauge {
    std::string name;
    std::string help;
    double value = 0;
    bool counter = false;  // rises only
  };
  // Called for each scrape; what it returns is added to the counters above.
  void SetSampler(std::function<std::vector<Gauge>()> sampler);

  // Prometheus text format 0.0.4.
  std::string Text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::surface
