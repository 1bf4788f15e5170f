// KubernetesView: the evidence about one workload in the form its signatures ask for: every pod with its most
// specific problem, every event and log line with whether it still counts.
//
// State beats history: an event of a pod that is ready now is past, a pod with a deletion timestamp is
// leaving and proves nothing, an error line after which the service answered again is past. "Now" is the
// newest instant in the evidence. Ownership: borrows the Evidence. Thread-safe once built.
#pragma once

#include <string>
#include <vector>

#include "investigate/diagnosis/diagnosis.h"
#include "investigate/diagnosis/message_family.h"

namespace tocsin::investigate {

// From what stops a pod earliest to what stops it latest.
enum class PodProblem {
  kNone,
  kTerminating,
  kCompleted,
  kEvicted,
  kNodeLost,
  kUnschedulable,
  kVolume,
  kSandbox,
  kImage,
  kConfigReference,  // a ConfigMap, Secret or key that is not there
  kStart,            // the command cannot be run
  kOutOfMemory,
  kProbeKilled,  // by a liveness or startup probe
  kCrash,
  kNotReady,  // runs, readiness fails
  kStarting,
};

struct PodView {
  const PodState* pod = nullptr;
  PodProblem problem = PodProblem::kNone;
  const ContainerState* container = nullptr;  // the one with the problem, or the first
  std::string replica_set{};
  bool ready = false;
  int restarts = 0;
  std::vector<const EvidenceEvent*> events{};
  bool failing() const { return problem > PodProblem::kCompleted; }
};

struct LogView {
  const EvidenceLog* line = nullptr;
  Family family = Family::kNone;
};

struct KubernetesView {
  const Evidence* evidence = nullptr;
  std::vector<PodView> pods{};                     // of the workload, by name
  std::vector<PodView> others{};                   // failing pods of other workloads
  std::vector<const EvidenceEvent*> events{};      // by object and reason
  std::vector<const EvidenceLog*> lines{};         // by time, without those that address the reader
  std::vector<const EvidenceEvent*> current{};     // events that still count, by object and reason
  std::vector<const EvidenceEvent*> historical{};  // and those that do not
  std::vector<LogView> errors{};                   // log lines of an error family that still count
  std::vector<LogView> past_errors{};
  std::vector<EvidenceLog> quoted{};  // what the platform quotes of containers; `errors` may point here
  size_t plain_lines = 0;             // without any error family
  size_t ignored_lines = 0;           // that address the reader
  std::vector<const MonitorState*> alerting{};
  std::vector<const NodeState*> bad_nodes{};
  const WorkloadState* workload = nullptr;
  Time now{};
  bool degraded = false;  // a pod that should serve does not, or fewer are ready than desired
  bool any = false;

  std::vector<const PodView*> With(PodProblem problem) const;
  std::vector<const PodView*> Ready() const;
  std::vector<const EvidenceEvent*> Events(std::initializer_list<std::string_view> reasons) const;
  std::vector<const LogView*> Errors(Family family) const;
};

KubernetesView ViewKubernetes(const Evidence& evidence);
std::string ObjectName(const std::string& object);  // "Pod/a" → "a"
std::string JoinNames(const std::vector<const PodView*>& pods, size_t most = 4);

}  // namespace tocsin::investigate
