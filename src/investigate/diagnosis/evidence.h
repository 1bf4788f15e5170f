// Evidence: what was seen of an infrastructure incident, whoever collected it.
//
// One shape for every source: metric series (CloudWatch, OTel receivers), load breakdowns of a database
// (statements and wait events by average active sessions), Kubernetes objects and events, monitors, log lines
// and the alert that started the investigation. Nothing in here is a conclusion, and nothing is trusted:
// texts come from telemetry and are matched, quoted and bounded, never obeyed.
//
// Names are those of the platforms (CloudWatch metric names, Kubernetes reasons and condition types).
// Metrics: `values[i]` at `times[i]`; the unit is as the source gives it. A Time of 0 is "not known".
// Ownership: value types. Thread-safety: as any value.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kernel/time.h"

namespace tocsin::investigate {

struct EvidenceSeries {
  std::string name{};      // "CPUUtilization"
  std::string resource{};  // "orders-db"
  std::string unit{};      // "Percent", "Seconds", "Bytes"
  std::vector<Time> times{};
  std::vector<double> values{};
};

struct NamedLoad {
  std::string name{};  // a wait event, a user, a host
  double load = 0;     // average active sessions, or a share of the load: only compared with each other
};

struct StatementLoad {
  std::string text{};
  double load = 0;
  double calls_per_second = 0;
  std::vector<NamedLoad> waits{};
};

// Where a database spent its sessions' time over one window.
struct DatabaseLoad {
  std::string resource{};
  std::string source{};       // "Performance Insights", "pg_stat_activity"
  EvidenceSeries sessions{};  // average active sessions over the window
  std::vector<StatementLoad> statements{};
  std::vector<NamedLoad> waits{}, users{}, hosts{};
};

struct DatabaseInstance {
  std::string name{};
  std::string instance_class{};  // "db.r6g.xlarge"; empty when not known
  std::optional<double> max_connections{};
  std::optional<double> cpus{};
};

struct ContainerState {
  std::string name{}, image{};
  bool ready = false;
  int restarts = 0;
  std::string state{};              // running, waiting, terminated or empty
  std::string reason{}, message{};  // of the state, or of the last termination when that is all there is
  std::optional<int> exit_code{};
  std::string last_reason{};
  Time started{};
};

struct ObjectCondition {
  std::string type{}, status{}, reason{}, message{};
};

struct PodState {
  std::string name{}, name_space{}, phase{}, node{}, reason{}, message{};
  Time started{}, deleted{};
  std::vector<ContainerState> containers{};
  std::vector<ObjectCondition> conditions{};
};

struct WorkloadState {
  std::string name{}, name_space{};
  std::optional<int> desired{}, ready{}, available{}, updated{};
  std::vector<ObjectCondition> conditions{};
};

struct NodeState {
  std::string name{};
  bool ready = true;
  std::vector<std::string>
      pressures{};  // "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"
  bool unschedulable = false;
  std::vector<ObjectCondition> conditions{};
};

struct EvidenceEvent {
  std::string type{}, reason{}, object{}, message{}, name_space{};
  int count = 1;
  Time first{}, last{};
  std::string source{};  // "kubernetes", "rds"
};

struct EvidenceLog {
  Time time{};
  std::string level{}, service{}, host{}, message{};
};

struct MonitorState {
  std::string name{}, query{}, state{};  // OK, Alert, Warn, No Data
};

struct AlertFacts {
  std::string title{}, name{}, state{}, severity{}, summary{}, error{};
  std::map<std::string, std::string> labels{};
  std::string text() const { return title + "\n" + name + "\n" + summary + "\n" + error; }
};

struct Evidence {
  AlertFacts alert{};
  std::vector<std::string> instances{};  // databases the alert is about, the primary first
  std::vector<std::string> replicas{};   // and their read replicas
  std::string name_space{}, workload{}, pod{};
  std::vector<DatabaseInstance> databases{};
  std::vector<EvidenceSeries> series{};
  std::vector<DatabaseLoad> loads{};
  std::vector<PodState> pods{};
  std::vector<WorkloadState> workloads{};
  std::vector<NodeState> nodes{};
  std::vector<EvidenceEvent> events{};
  std::vector<EvidenceLog> logs{};
  std::vector<MonitorState> monitors{};
  std::set<std::string> seen{};     // kinds that were read: "pods", "events", "metrics", …, even when empty
  std::set<std::string> missing{};  // kinds that were asked for and could not be had
};

}  // namespace tocsin::investigate
