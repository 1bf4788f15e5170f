#include "investigate/evaluation/internal/opensre_sources.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/ascii.h"

namespace tocsin::investigate::internal {
namespace {

using nlohmann::json;

constexpr size_t kMostItems = 100'000;

std::string Text(const json& from, const char* key) {
  if (!from.is_object()) return {};
  const auto it = from.find(key);
  if (it == from.end()) return {};
  if (it->is_string()) return it->get<std::string>();
  if (it->is_boolean()) return it->get<bool>() ? "True" : "False";
  return it->is_number() ? it->dump() : std::string();
}

std::optional<int> Whole(const json& from, const char* key) {
  if (!from.is_object()) return std::nullopt;
  const auto it = from.find(key);
  if (it == from.end() || !it->is_number()) return std::nullopt;
  const double value = it->get<double>();
  if (!(value > -1e9 && value < 1e9)) return std::nullopt;
  return static_cast<int>(value);
}

double Real(const json& from, const char* key) {
  if (!from.is_object()) return 0;
  const auto it = from.find(key);
  return it != from.end() && it->is_number() ? it->get<double>() : 0;
}

Time Instant(const json& from, const char* key) { return ParseTime(Text(from, key)).value_or(Time{}); }

void Each(const json& from, const char* key, const std::function<void(const json&)>& read) {
  if (!from.is_object()) return;
  const auto it = from.find(key);
  if (it == from.end() || !it->is_array()) return;
  size_t n = 0;
  for (const json& item : *it)
    if (item.is_object() && n++ < kMostItems) read(item);
}

EvidenceSeries ReadSeries(const json& from) {
  EvidenceSeries out{.name = Text(from, "metric_name"), .unit = Text(from, "unit")};
  if (out.name.empty()) out.name = Text(from, "label");
  Each(from, "dimensions", [&](const json& d) { out.resource = Text(d, "Value"); });
  const auto times = from.find("timestamps"), values = from.find("values");
  if (times == from.end() || values == from.end() || !times->is_array() || !values->is_array()) return out;
  const size_t n = std::min({times->size(), values->size(), kMostItems});
  for (size_t i = 0; i < n; ++i) {
    if (!(*values)[i].is_number() || !(*times)[i].is_string()) continue;
    out.times.push_back(ParseTime((*times)[i].get<std::string>()).value_or(Time{}));
    out.values.push_back((*values)[i].get<double>());
  }
  return out;
}

void ReadMetrics(const json& from, Evidence& e) {
  e.seen.insert("metrics");
  const auto add = [&e](const json& m) {
    if (EvidenceSeries s = ReadSeries(m); !s.name.empty() && !s.values.empty())
      e.series.push_back(std::move(s));
  };
  if (from.contains("values")) add(from);
  Each(from, "metric_data_results", add);
}

std::vector<NamedLoad> ReadLoads(const json& from, const char* key) {
  std::vector<NamedLoad> out;
  Each(from, key, [&](const json& item) {
    const std::string name = Text(item, "name");
    out.push_back({name.empty() ? Text(item, "id") : name, Real(item, "db_load_avg")});
  });
  return out;
}

void ReadInsights(const json& from, Evidence& e) {
  e.seen.insert("database load");
  DatabaseLoad load{.resource = Text(from, "db_instance_identifier"), .source = "Performance Insights"};
  if (const auto it = from.find("db_load"); it != from.end() && it->is_object()) {
    load.sessions = ReadSeries(*it);
    load.sessions.name = "db.load", load.sessions.resource = load.resource;
  }
  Each(from, "top_sql", [&](const json& s) {
    load.statements.push_back({Text(s, "statement"), Real(s, "db_load_avg"), Real(s, "calls_per_sec"),
                               ReadLoads(s, "wait_events")});
  });
  load.waits = ReadLoads(from, "top_wait_events");
  load.users = ReadLoads(from, "top_users");
  load.hosts = ReadLoads(from, "top_hosts");
  e.loads.push_back(std::move(load));
}

void ReadDatabaseEvents(const json& from, Evidence& e) {
  e.seen.insert("events");
  Each(from, "events", [&](const json& x) {
    EvidenceEvent event{
        .object = Text(x, "source_identifier"), .message = Text(x, "message"), .source = "rds"};
    event.first = event.last = Instant(x, "date");
    e.events.push_back(std::move(event));
  });
}

ContainerState ReadContainer(const json& from) {
  ContainerState out{.name = Text(from, "name"), .image = Text(from, "image")};
  out.ready = Text(from, "ready") == "True";
  out.restarts = Whole(from, "restart_count").value_or(0);
  const auto read = [&out](const json& state, bool last) {
    for (const char* kind : {"running", "waiting", "terminated"}) {
      const auto it = state.find(kind);
      if (it == state.end()) continue;
      const json& detail = it->is_object() ? *it : state;
      if (it->is_boolean() && !it->get<bool>()) continue;
      if (!last) out.state = kind, out.started = Instant(detail, "started_at");
      const std::string reason = Text(detail, "reason"), message = Text(detail, "message");
      (last ? out.last_reason : out.reason) = reason;
      if (out.message.empty() && (!last || !out.ready)) out.message = message;
      if (!out.exit_code && (!last || !out.ready)) out.exit_code = Whole(detail, "exit_code");
    }
    if (!out.exit_code && !last) out.exit_code = Whole(state, "exit_code");
  };
  if (const auto it = from.find("state"); it != from.end() && it->is_object()) read(*it, false);
  for (const char* key : {"last_state", "lastState", "last_termination"})
    if (const auto it = from.find(key); it != from.end() && it->is_object()) read(*it, true);
  return out;
}

std::vector<ObjectCondition> ReadConditions(const json& from) {
  std::vector<ObjectCondition> out;
  Each(from, "conditions", [&](const json& c) {
    out.push_back({Text(c, "type"), Text(c, "status"), Text(c, "reason"), Text(c, "message")});
  });
  return out;
}

void ReadPods(const json& from, Evidence& e) {
  e.seen.insert("pods");
  Each(from, "pods", [&](const json& p) {
    PodState pod{.name = Text(p, "name"), .name_space = Text(p, "namespace"), .phase = Text(p, "phase")};
    pod.node = Text(p, "node_name");
    pod.reason = Text(p, "reason"), pod.message = Text(p, "message");
    pod.started = Instant(p, "start_time"), pod.deleted = Instant(p, "deletion_timestamp");
    for (const char* key : {"init_containers", "containers"})
      Each(p, key, [&](const json& c) { pod.containers.push_back(ReadContainer(c)); });
    pod.conditions = ReadConditions(p);
    // A finished init container is as it should be.
    for (ContainerState& c : pod.containers)
      c.ready |= c.state == "terminated" && c.reason == "Completed" && c.exit_code == 0;
    e.pods.push_back(std::move(pod));
  });
}

void ReadKubernetesEvents(const json& from, Evidence& e) {
  e.seen.insert("events");
  for (const char* key : {"warning_events", "events", "normal_events"})
    Each(from, key, [&](const json& x) {
      EvidenceEvent event{.type = Text(x, "type"),
                          .reason = Text(x, "reason"),
                          .object = Text(x, "involved_object"),
                          .message = Text(x, "message")};
      event.name_space = Text(x, "namespace"), event.source = "kubernetes";
      event.count = Whole(x, "count").value_or(1);
      event.first = Instant(x, "first_time"), event.last = Instant(x, "last_time");
      e.events.push_back(std::move(event));
    });
}

void ReadDeployments(const json& from, Evidence& e) {
  e.seen.insert("deployments");
  Each(from, "deployments", [&](const json& d) {
    WorkloadState w{.name = Text(d, "name"), .name_space = Text(d, "namespace")};
    w.desired = Whole(d, "desired"), w.ready = Whole(d, "ready");
    w.available = Whole(d, "available"), w.updated = Whole(d, "updated");
    w.conditions = ReadConditions(d);
    e.workloads.push_back(std::move(w));
  });
}

void ReadNodes(const json& from, Evidence& e) {
  e.seen.insert("nodes");
  Each(from, "nodes", [&](const json& n) {
    NodeState node{.name = Text(n, "name")};
    const std::string ready = Text(n, "ready");
    node.ready = ready.empty() || LowerAscii(ready) == "true";
    node.unschedulable = Text(n, "unschedulable") == "True";
    const auto pressure = [&](const char* key, const char* name) {
      if (LowerAscii(Text(n, key)) == "true") node.pressures.push_back(name);
    };
    pressure("memory_pressure", "MemoryPressure");
    pressure("disk_pressure", "DiskPressure");
    pressure("pid_pressure", "PIDPressure");
    pressure("network_unavailable", "NetworkUnavailable");
    for (ObjectCondition& c : ReadConditions(n))
      if ((c.type == "Ready") != (LowerAscii(c.status) == "true")) node.conditions.push_back(std::move(c));
    e.nodes.push_back(std::move(node));
  });
}

void ReadPodLogs(const json& from, Evidence& e) {
  e.seen.insert("logs");
  const auto read = [&e](const json& pod) {
    const std::string text = Text(pod, "logs"), name = Text(pod, "pod_name");
    size_t at = 0, n = 0;
    while (at < text.size() && n++ < kMostItems) {
      const size_t end = std::min(text.find('\n', at), text.size());
      std::string line = text.substr(at, end - at);
      at = end + 1;
      if (line.empty()) continue;
      EvidenceLog log{.host = name, .message = line};
      const size_t space = line.find(' ');
      if (const auto time = ParseTime(line.substr(0, space)); time && space != std::string::npos) {
        log.time = *time;
        log.message = line.substr(space + 1);
        const size_t next = log.message.find(' ');
        const std::string level = LowerAscii(log.message.substr(0, next));
        if (level == "info" || level == "warn" || level == "error" || level == "debug" || level == "fatal")
          log.level = level;
      }
      e.logs.push_back(std::move(log));
    }
  };
  read(from);
  Each(from, "pods", read);
}

void ReadLogs(const json& from, Evidence& e) {
  e.seen.insert("logs");
  Each(from, "logs", [&](const json& l) {
    EvidenceLog log{.time = Instant(l, "timestamp"),
                    .level = Text(l, "status"),
                    .service = Text(l, "service"),
                    .host = Text(l, "host")};
    log.message = Text(l, "message");
    if (const auto tags = l.find("tags"); tags != l.end() && tags->is_array())
      for (const json& tag : *tags)
        if (tag.is_string() && tag.get<std::string>().starts_with("pod_name:"))
          log.host = tag.get<std::string>().substr(9);
    e.logs.push_back(std::move(log));
  });
}

void ReadMonitors(const json& from, Evidence& e) {
  e.seen.insert("monitors");
  Each(from, "monitors", [&](const json& m) {
    e.monitors.push_back({Text(m, "name"), Text(m, "query"), Text(m, "overall_state")});
  });
}

constexpr OpensreSource kSources[] = {
    {"aws_cloudwatch_metrics", "aws_cloudwatch_metrics.json", ReadMetrics},
    {"aws_performance_insights", "aws_performance_insights.json", ReadInsights},
    {"aws_rds_events", "aws_rds_events.json", ReadDatabaseEvents},
    {"eks_pods", "eks_pods.json", ReadPods},
    {"eks_events", "eks_events.json", ReadKubernetesEvents},
    {"eks_deployments", "eks_deployments.json", ReadDeployments},
    {"eks_node_health", "eks_node_health.json", ReadNodes},
    {"eks_pod_logs", "eks_pod_logs.json", ReadPodLogs},
    {"datadog_logs", "datadog_logs.json", ReadLogs},
    {"datadog_monitors", "datadog_monitors.json", ReadMonitors},
};

}  // namespace

void ReadAlert(const json& from, Evidence& e) {
  e.alert.title = Text(from, "title"), e.alert.state = Text(from, "state");
  const auto take = [&](const char* key, auto&& use) {
    if (const auto it = from.find(key); it != from.end() && it->is_object())
      for (const auto& [name, value] : it->items())
        if (value.is_string() && name.find("failure_mode") == std::string::npos)
          use(name, value.template get<std::string>());
  };
  take("commonLabels", [&](const std::string& k, const std::string& v) { e.alert.labels[k] = v; });
  take("commonAnnotations",
       [&](const std::string& k, const std::string& v) { e.alert.labels.try_emplace(k, v); });
  const auto label = [&](const char* key) {
    const auto it = e.alert.labels.find(key);
    return it == e.alert.labels.end() ? std::string() : it->second;
  };
  e.alert.name = label("alertname"), e.alert.severity = label("severity");
  e.alert.summary = label("summary") + " " + label("description") + " " + label("suspected_symptom");
  e.alert.error = label("error");
  for (const char* key : {"db_instance_identifier", "db_instance", "db_cluster"})
    if (const std::string v = label(key);
        !v.empty() && std::ranges::find(e.instances, v) == e.instances.end())
      e.instances.push_back(v);
  if (const std::string v = label("read_replica"); !v.empty()) e.replicas.push_back(v);
  e.name_space = label("kube_namespace").empty() ? label("namespace") : label("kube_namespace");
  e.workload = label("workload_name").empty() ? label("kube_deployment") : label("workload_name");
  if (e.workload.empty()) e.workload = label("kube_job");
  e.pod = label("kube_pod");
}

std::span<const OpensreSource> OpensreSources() { return kSources; }

}  // namespace tocsin::investigate::internal
