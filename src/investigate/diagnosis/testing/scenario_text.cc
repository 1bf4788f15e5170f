#include "investigate/diagnosis/testing/scenario_text.h"

#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <sstream>

namespace tocsin::investigate {
namespace {

Time At(const std::string& clock) {
  return ParseTime("2026-06-01T" + (clock.size() == 4 ? "0" + clock : clock) + ":00Z").value_or(Time{});
}

struct Line {
  std::vector<std::string> words;
  std::string after;  // behind the bar
  std::string Word(size_t i) const { return i < words.size() ? words[i] : std::string(); }
  std::string Option(const std::string& key) const {
    for (const std::string& w : words)
      if (w.starts_with(key + "=")) return w.substr(key.size() + 1);
    return {};
  }
};

Line Split(const std::string& text) {
  Line out;
  const size_t bar = text.find(" | ");
  if (bar != std::string::npos) out.after = text.substr(bar + 3);
  std::istringstream in(text.substr(0, bar));
  for (std::string w; in >> w;) out.words.push_back(w);
  return out;
}

void Database(const Line& l, Evidence& e) {
  e.instances = {l.Word(1)};
  if (const std::string r = l.Option("replica"); !r.empty()) e.replicas = {r};
  DatabaseInstance d{.name = l.Word(1), .instance_class = l.Option("class")};
  if (const std::string limit = l.Option("limit"); !limit.empty())
    d.max_connections = std::atof(limit.c_str());
  e.databases.push_back(d);
}

void Metric(const Line& l, Evidence& e) {
  EvidenceSeries s{.name = l.Word(1), .unit = l.Word(2)};
  const size_t at = s.name.find('@');
  s.resource = at != std::string::npos ? s.name.substr(at + 1) : e.instances.front();
  s.name = s.name.substr(0, at);
  if (s.name == "ReplicaLag" && at == std::string::npos && !e.replicas.empty())
    s.resource = e.replicas.front();
  for (size_t i = 3; i < l.words.size(); ++i) {
    s.times.push_back(At("10:00") + Duration::Minutes(static_cast<int64_t>(i - 3)));
    s.values.push_back(std::atof(l.words[i].c_str()));
  }
  e.seen.insert("metrics");
  e.series.push_back(std::move(s));
}

DatabaseLoad& Load(Evidence& e) {
  if (e.loads.empty()) e.loads.push_back({.resource = e.instances.front()});
  e.seen.insert("database load");
  return e.loads.front();
}

void Sql(const Line& l, const std::string& raw, Evidence& e) {
  StatementLoad s{.load = std::atof(l.Word(1).c_str()), .calls_per_second = std::atof(l.Word(2).c_str())};
  std::istringstream waits(l.Word(3));
  for (std::string one; std::getline(waits, one, ',');)
    s.waits.push_back({one.substr(0, one.find('=')), std::atof(one.substr(one.find('=') + 1).c_str())});
  const size_t start = raw.find(l.Word(3)) + l.Word(3).size() + 1;
  s.text = raw.substr(start);
  Load(e).statements.push_back(std::move(s));
}

void Pod(const Line& l, Evidence& e) {
  e.seen.insert("pods");
  PodState p{.name = l.Word(1), .name_space = e.name_space, .phase = "Running", .node = l.Word(2)};
  ContainerState c{.name = e.workload};
  const std::string state = l.Word(3);
  c.ready = state == "ready";
  c.state = state == "ready" || state == "notready" ? "running" : state;
  if (c.state != "running") c.reason = l.Word(4);
  c.message = l.after;
  c.restarts = std::atoi(l.Option("restarts").c_str());
  if (const std::string code = l.Option("exit"); !code.empty()) c.exit_code = std::atoi(code.c_str());
  if (const std::string t = l.Option("started"); !t.empty()) c.started = At(t);
  if (const std::string t = l.Option("deleted"); !t.empty()) p.deleted = At(t);
  if (const std::string phase = l.Option("phase"); !phase.empty()) p.phase = phase;
  if (const std::string space = l.Option("ns"); !space.empty()) p.name_space = space;
  p.reason = l.Option("reason");
  p.started = At("09:00");
  p.conditions.push_back({"Ready", c.ready ? "True" : "False", "", ""});
  p.conditions.push_back({"PodScheduled", "True", "", ""});
  p.containers.push_back(std::move(c));
  e.pods.push_back(std::move(p));
}

void Unscheduled(const Line& l, Evidence& e) {
  e.seen.insert("pods");
  PodState p{.name = l.Word(1), .name_space = e.name_space, .phase = "Pending"};
  p.conditions.push_back({"PodScheduled", "False", "Unschedulable", l.after});
  e.pods.push_back(std::move(p));
}

void Node(const Line& l, Evidence& e) {
  e.seen.insert("nodes");
  NodeState n{.name = l.Word(1), .ready = l.Word(2) != "notready"};
  if (l.Word(2).ends_with("Pressure")) n.pressures.push_back(l.Word(2));
  e.nodes.push_back(std::move(n));
}

void Deployment(const Line& l, Evidence& e) {
  e.seen.insert("deployments");
  WorkloadState w{.name = l.Word(1), .name_space = e.name_space};
  w.desired = std::atoi(l.Word(2).c_str()), w.ready = std::atoi(l.Word(3).c_str());
  w.available = w.ready;
  e.workloads.push_back(std::move(w));
}

void KubernetesEvent(const Line& l, Evidence& e) {
  e.seen.insert("events");
  EvidenceEvent x{.type = "Warning",
                  .reason = l.Word(1),
                  .object = l.Word(2),
                  .message = l.after,
                  .source = "kubernetes"};
  x.count = std::atoi(l.Word(3).c_str());
  x.first = At(l.Word(4)), x.last = At(l.Word(5));
  e.events.push_back(std::move(x));
}

using Reader = std::function<void(const Line&, const std::string&, ScenarioText&)>;

const std::map<std::string, Reader>& Readers() {
  static const std::map<std::string, Reader> kReaders{
      {"alert",
       [](const Line& l, const std::string&, ScenarioText& s) {
         s.evidence.alert.state = l.Word(1), s.evidence.alert.name = l.Word(2),
         s.evidence.alert.title = l.after;
       }},
      {"database", [](const Line& l, const std::string&, ScenarioText& s) { Database(l, s.evidence); }},
      {"metric", [](const Line& l, const std::string&, ScenarioText& s) { Metric(l, s.evidence); }},
      {"sessions",
       [](const Line& l, const std::string&, ScenarioText& s) {
         for (size_t i = 1; i < l.words.size(); ++i)
           Load(s.evidence).sessions.values.push_back(std::atof(l.words[i].c_str()));
       }},
      {"sql", [](const Line& l, const std::string& raw, ScenarioText& s) { Sql(l, raw, s.evidence); }},
      {"wait",
       [](const Line& l, const std::string&, ScenarioText& s) {
         Load(s.evidence).waits.push_back({l.Word(1), std::atof(l.Word(2).c_str())});
       }},
      {"event",
       [](const Line& l, const std::string&, ScenarioText& s) {
         s.evidence.seen.insert("events");
         EvidenceEvent x{.object = l.Word(2), .message = l.after, .source = "rds"};
         x.first = x.last = At(l.Word(1));
         s.evidence.events.push_back(std::move(x));
       }},
      {"workload",
       [](const Line& l, const std::string&, ScenarioText& s) {
         s.evidence.name_space = l.Word(1), s.evidence.workload = l.Word(2), s.evidence.pod = l.Option("pod");
       }},
      {"pod", [](const Line& l, const std::string&, ScenarioText& s) { Pod(l, s.evidence); }},
      {"unscheduled", [](const Line& l, const std::string&, ScenarioText& s) { Unscheduled(l, s.evidence); }},
      {"deployment", [](const Line& l, const std::string&, ScenarioText& s) { Deployment(l, s.evidence); }},
      {"progress",
       [](const Line& l, const std::string&, ScenarioText& s) {
         s.evidence.workloads.back().conditions.push_back({"Progressing", l.Word(2), l.Word(3), l.after});
       }},
      {"node", [](const Line& l, const std::string&, ScenarioText& s) { Node(l, s.evidence); }},
      {"kevent", [](const Line& l, const std::string&, ScenarioText& s) { KubernetesEvent(l, s.evidence); }},
      {"log",
       [](const Line& l, const std::string&, ScenarioText& s) {
         s.evidence.seen.insert("logs");
         s.evidence.logs.push_back(
             {At(l.Word(1)), l.Word(2) == "-" ? "" : l.Word(2), l.Word(3), l.Word(4), l.after});
       }},
      {"monitor",
       [](const Line& l, const std::string&, ScenarioText& s) {
         s.evidence.seen.insert("monitors");
         s.evidence.monitors.push_back({l.after, "", l.Word(1)});
       }},
      {"expect", [](const Line& l, const std::string&,
                    ScenarioText& s) { s.category = l.Word(1), s.mode = l.Word(2); }},
      {"says", [](const Line&, const std::string& raw, ScenarioText& s) { s.says.push_back(raw.substr(5)); }},
      {"never",
       [](const Line&, const std::string& raw, ScenarioText& s) { s.never.push_back(raw.substr(6)); }},
  };
  return kReaders;
}

}  // namespace

ScenarioText ParseScenarioText(const std::string& text) {
  ScenarioText out;
  std::istringstream in(text);
  size_t number = 0;
  for (std::string raw; std::getline(in, raw);) {
    ++number;
    if (raw.empty() || raw.front() == '#') continue;
    const Line line = Split(raw);
    const auto it = Readers().find(line.Word(0));
    if (it == Readers().end())
      out.problems.push_back(fmt::format("line {}: unknown statement {}", number, line.Word(0)));
    else
      it->second(line, raw, out);
  }
  return out;
}

}  // namespace tocsin::investigate
