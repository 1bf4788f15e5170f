#include "bench/alerts/alert_bodies.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "kernel/time.h"

namespace tocsin::bench {
namespace {

constexpr size_t kPerNode = 20;
constexpr size_t kServices = 400;

struct Rule {
  const char* name;
  const char* severity;
  const char* summary;
  const char* description;
};
constexpr std::array<Rule, 8> kRules = {{
    {"KubePodCrashLooping", "warning", "Pod is crash looping.", "is in waiting state (CrashLoopBackOff)"},
    {"KubePodNotReady", "warning", "Pod has been in a non-ready state for more than 15 minutes.",
     "has been in a non-ready state for longer than 15 minutes"},
    {"CPUThrottlingHigh", "info", "Processes experience elevated CPU throttling.",
     "is throttled in 43% of its CPU periods"},
    {"KubeContainerWaiting", "warning", "Pod container waiting longer than 1 hour.",
     "has been in waiting state for longer than 1 hour"},
    {"HighRequestLatency", "warning", "99th percentile of request latency is high.",
     "answers with a 99th percentile of 2.4s for 10 minutes"},
    {"HighErrorRate", "warning", "More than 5% of requests fail.", "fails 7.1% of requests for 5 minutes"},
    {"ConnectionPoolExhausted", "warning", "No free connection to the database.",
     "waits for a connection for more than 5s"},
    {"MemoryWorkingSetHigh", "info", "Memory is close to its limit.", "uses 94% of its memory limit"},
}};

bool Explained(size_t i) { return i / kPerNode % 2 == 0; }

std::string AlertJson(size_t i, const std::string& times) {
  const size_t node = i / kPerNode;
  const size_t service = i * 7 % kServices;
  const bool source = Explained(i) && i % kPerNode == 0;
  const Rule& rule = kRules[i % kRules.size()];
  const std::string pod = fmt::format("checkout-{}-{:08x}-{:05x}", service, service * 2654435761U, i);
  const char* name = source ? "KubeNodeUnreachable" : rule.name;
  return fmt::format(
      R"({{"annotations":{{"description":"Pod shop-{0}/{1} ({2}) {3}.","runbook_url":)"
      R"("https://runbooks.example.org/kubernetes/{4}","summary":"{5}"}},{6},"generatorURL":)"
      R"("http://prometheus-0:9090/graph?g0.expr=alert_{4}%7Bnamespace%3D%22shop-{0}%22%7D&g0.tab=1",)"
      R"("labels":{{"alertname":"{4}","cluster":"eu-west-{7}","container":"app","endpoint":"https-metrics",)"
      R"("instance":"10.{8}.{9}.{10}:10250","job":"kube-state-metrics","namespace":"shop-{0}","pod":"{1}",)"
      R"("prometheus":"monitoring/k8s","service":"checkout-{2}","severity":"{11}","team":"team-{12}"}}}})",
      service % 20, pod, service, source ? "runs on a node that is gone" : rule.description, name,
      source ? "A node does not answer." : rule.summary, times, node % 3, node >> 16 & 255, node >> 8 & 255,
      node & 255, source ? "critical" : rule.severity, service % 9);
}

}  // namespace

std::string AlertmanagerYaml() {
  return R"(route:
  receiver: on-call
  group_by: [alertname, service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: on-call
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity=~"warning|info"]
    equal: [cluster, instance]
)";
}

std::vector<std::string> AlertBodies(size_t count, size_t batch) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Time start{std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()};
  const std::string times = fmt::format(R"("startsAt":"{}","endsAt":"{}")", FormatTime(start),
                                        FormatTime(start + Duration::Hours(1)));
  std::vector<std::string> bodies;
  for (size_t i = 0; i < count; i += batch) {
    std::string body = "[";
    for (size_t k = i; k < std::min(count, i + batch); ++k) {
      if (k > i) body += ',';
      body += AlertJson(k, times);
    }
    bodies.push_back(body + "]");
  }
  return bodies;
}

size_t Suppressed(size_t count) {
  size_t out = 0;
  for (size_t i = 0; i < count; ++i) out += static_cast<size_t>(Explained(i) && i % kPerNode != 0);
  return out;
}

}  // namespace tocsin::bench
