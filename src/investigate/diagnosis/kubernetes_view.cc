#include "investigate/diagnosis/kubernetes_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>

#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

bool Has(const std::string& text, std::string_view part) {
  return LowerAscii(text).find(LowerAscii(part)) != std::string::npos;
}

bool OneOf(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view w) { return LowerAscii(text) == LowerAscii(w); });
}

bool ReadyCondition(const PodState& pod) {
  for (const ObjectCondition& c : pod.conditions)
    if (c.type == "Ready") return LowerAscii(c.status) == "true";
  return !pod.containers.empty() &&
         std::ranges::all_of(pod.containers, [](const ContainerState& c) { return c.ready; });
}

bool EventSays(const PodView& pod, std::initializer_list<std::string_view> reasons,
               std::string_view part = {}) {
  return std::ranges::any_of(pod.events, [&](const EvidenceEvent* e) {
    return OneOf(e->reason, reasons) && (part.empty() || Has(e->message, part));
  });
}

bool KilledForMemory(const ContainerState& c, const PodView& pod, const Evidence& e) {
  if (OneOf(c.reason, {"OOMKilled"}) || OneOf(c.last_reason, {"OOMKilled"}) || Has(c.message, "oomkilled"))
    return true;
  if (EventSays(pod, {"OOMKilling", "OOMKilled"})) return true;
  if (EventSays(pod, {"BackOff", "Killing", "Failed"}, "oomkilled")) return true;
  if (c.exit_code != 137) return false;
  return std::ranges::any_of(e.logs, [&](const EvidenceLog& l) {
    return l.host == pod.pod->name && Has(l.message, "memory cgroup out of memory");
  });
}

PodProblem WaitingProblem(const ContainerState& c) {
  if (OneOf(c.reason, {"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull",
                       "RegistryUnavailable", "ImageInspectError"}))
    return PodProblem::kImage;
  if (OneOf(c.reason, {"CreateContainerConfigError"})) return PodProblem::kConfigReference;
  if (OneOf(c.reason, {"CreateContainerError", "RunContainerError", "ContainerCannotRun", "StartError"}))
    return PodProblem::kStart;
  return PodProblem::kNone;
}

// Ready this moment, but restarted again and again, with trouble since the last start.
bool Flapping(const ContainerState& c, const PodView& pod) {
  if (c.restarts < 3 || !c.started.known()) return false;
  return std::ranges::any_of(pod.events, [&](const EvidenceEvent* e) {
    return e->count >= 3 && e->last >= c.started &&
           OneOf(e->reason, {"Unhealthy", "Killing", "BackOff", "OOMKilling"});
  });
}

PodProblem ContainerProblem(const ContainerState& c, const PodView& pod, const Evidence& e) {
  if (const PodProblem waiting = WaitingProblem(c); waiting != PodProblem::kNone) return waiting;
  if (c.ready && !Flapping(c, pod)) return PodProblem::kNone;
  if (KilledForMemory(c, pod, e)) return PodProblem::kOutOfMemory;
  const bool looping = OneOf(c.reason, {"CrashLoopBackOff"}) || c.restarts > 0 || c.state == "terminated";
  const bool probe = EventSays(pod, {"Killing"}, "probe") || EventSays(pod, {"Unhealthy"}, "liveness") ||
                     EventSays(pod, {"Unhealthy"}, "startup probe");
  if (looping && probe) return PodProblem::kProbeKilled;
  if (OneOf(c.reason, {"StartError"}) || c.exit_code == 126 || c.exit_code == 127) return PodProblem::kStart;
  if (OneOf(c.reason, {"Completed"}) && c.exit_code.value_or(0) == 0 && c.restarts == 0)
    return PodProblem::kCompleted;
  if (OneOf(c.reason, {"CrashLoopBackOff", "Error"}) || c.state == "terminated") return PodProblem::kCrash;
  if (OneOf(c.reason, {"ContainerCreating", "PodInitializing"}) || c.state == "waiting")
    return PodProblem::kStarting;
  return PodProblem::kNotReady;
}

bool WasEvicted(const PodView& v) {
  const PodState& p = *v.pod;
  if (OneOf(p.reason, {"Evicted"})) return true;
  if (!OneOf(p.phase, {"Failed"})) return false;
  return EventSays(v, {"Evicted"}) ||
         std::ranges::any_of(p.containers,
                             [](const ContainerState& c) { return OneOf(c.reason, {"Evicted"}); }) ||
         std::ranges::any_of(p.conditions, [](const ObjectCondition& c) {
           return Has(c.reason, "evict") || Has(c.message, "low on resource") || c.type == "DisruptionTarget";
         });
}

// No node yet: empty, or a word in its place.
bool WithoutNode(const std::string& node) {
  return node.empty() ||
         OneOf(node, {"none", "<none>", "null", "unscheduled", "pending", "unassigned", "n/a", "-"});
}

PodProblem PhaseProblem(const PodView& v) {
  const PodState& p = *v.pod;
  if (p.deleted.known()) return PodProblem::kTerminating;
  if (OneOf(p.phase, {"Succeeded"})) return PodProblem::kCompleted;
  if (WasEvicted(v)) return PodProblem::kEvicted;
  if (OneOf(p.phase, {"Unknown"}) || OneOf(p.reason, {"NodeLost", "NodeUnreachable"}))
    return PodProblem::kNodeLost;
  if (!OneOf(p.phase, {"Pending"})) return PodProblem::kNone;
  for (const ObjectCondition& c : p.conditions)
    if (c.type == "PodScheduled" && LowerAscii(c.status) == "false") return PodProblem::kUnschedulable;
  const bool quiet =
      std::ranges::all_of(p.containers, [](const ContainerState& c) { return c.reason.empty(); });
  if (WithoutNode(p.node) && (quiet || EventSays(v, {"FailedScheduling"}))) return PodProblem::kUnschedulable;
  if (EventSays(v, {"FailedScheduling"}) && quiet) return PodProblem::kUnschedulable;
  if (EventSays(v, {"FailedMount", "FailedAttachVolume", "FailedMapVolume"})) {
    const bool reference =
        EventSays(v, {"FailedMount"}, "configmap") || EventSays(v, {"FailedMount"}, "secret");
    return reference ? PodProblem::kConfigReference : PodProblem::kVolume;
  }
  return EventSays(v, {"FailedCreatePodSandBox", "FailedCreatePodSandbox", "NetworkNotReady"})
             ? PodProblem::kSandbox
             : PodProblem::kNone;
}

void Classify(PodView& v, const Evidence& e) {
  if (!v.pod->containers.empty()) v.container = &v.pod->containers.front();
  for (const ContainerState& c : v.pod->containers) v.restarts += c.restarts;
  v.ready = ReadyCondition(*v.pod);
  v.problem = PhaseProblem(v);
  if (v.problem == PodProblem::kTerminating || v.problem == PodProblem::kCompleted) {
    v.ready = false;
    return;
  }
  if (v.problem != PodProblem::kNone) return;
  for (const ContainerState& c : v.pod->containers) {
    const PodProblem found = ContainerProblem(c, v, e);
    if (found == PodProblem::kNone || (v.problem != PodProblem::kNone && found >= v.problem)) continue;
    v.problem = found;
    v.container = &c;
  }
  if (v.problem == PodProblem::kNone && !v.ready)
    v.problem = OneOf(v.pod->phase, {"Pending"}) ? PodProblem::kStarting : PodProblem::kNotReady;
}

bool OfWorkload(const Evidence& e, const PodState& p) {
  if (!e.name_space.empty() && !p.name_space.empty() && p.name_space != e.name_space) return false;
  return e.workload.empty() || p.name == e.pod || p.name.starts_with(e.workload + "-") ||
         p.name == e.workload;
}

void AddPods(const Evidence& e, KubernetesView& view) {
  std::unordered_map<std::string, std::vector<const EvidenceEvent*>> events;
  for (const EvidenceEvent& event : e.events) events[ObjectName(event.object)].push_back(&event);
  for (const PodState& p : e.pods) {
    PodView v{.pod = &p};
    if (const size_t dash = p.name.rfind('-'); dash != std::string::npos)
      v.replica_set = p.name.substr(0, dash);
    if (const auto it = events.find(p.name); it != events.end()) v.events = it->second;
    Classify(v, e);
    if (OfWorkload(e, p))
      view.pods.push_back(std::move(v));
    else if (v.failing())
      view.others.push_back(std::move(v));
  }
  const auto by_name = [](const PodView& a, const PodView& b) { return a.pod->name < b.pod->name; };
  std::ranges::sort(view.pods, by_name);
  std::ranges::sort(view.others, by_name);
}

// The newest instant; log lines count only near the rest, so that one wrong clock does not age everything.
Time NewestInstant(const Evidence& e) {
  Time now, log;
  for (const EvidenceEvent& x : e.events) now = std::max({now, x.last, x.first});
  for (const PodState& p : e.pods) {
    now = std::max({now, p.started, p.deleted});
    for (const ContainerState& c : p.containers) now = std::max(now, c.started);
  }
  for (const EvidenceLog& l : e.logs)
    if (!now.known() || l.time < now + Duration::Hours(24)) log = std::max(log, l.time);
  return std::max(now, log);
}

void AddNodes(const Evidence& e, KubernetesView& view) {
  for (const NodeState& n : e.nodes)
    if (!n.ready || !n.pressures.empty()) view.bad_nodes.push_back(&n);
  std::ranges::sort(view.bad_nodes, {}, [](const NodeState* n) { return n->name; });
}

void FindDegradation(const Evidence& e, KubernetesView& view) {
  for (const WorkloadState& w : e.workloads)
    if (w.name == e.workload || (e.workload.empty() && e.workloads.size() == 1)) view.workload = &w;
  size_t ready = 0;
  bool lost = false;
  for (const PodView& p : view.pods) {
    ready += p.ready;
    lost |= p.problem == PodProblem::kEvicted || p.problem == PodProblem::kNodeLost;
    // An evicted pod stays as a dead record beside its replacement.
    view.degraded |= p.failing() && p.problem != PodProblem::kEvicted;
  }
  if (view.workload == nullptr || !view.workload->desired) return;
  const int desired = *view.workload->desired;
  const bool short_of = view.workload->ready.value_or(desired) < desired;
  if (view.pods.empty())
    view.degraded |= short_of;
  else
    view.degraded |= static_cast<int>(ready) < desired && (short_of || lost);
}

// Whether events of these objects count, by name; what is not here is neither pod nor node.
std::unordered_map<std::string, bool> CountingObjects(const KubernetesView& view) {
  std::unordered_map<std::string, bool> out;
  for (const NodeState& n : view.evidence->nodes) out[n.name] = !n.ready || !n.pressures.empty();
  for (const PodState& p : view.evidence->pods) out[p.name] = false;  // a healthy pod of another workload
  for (const auto* list : {&view.pods, &view.others})
    for (const PodView& p : *list)
      out[p.pod->name] =
          p.problem == PodProblem::kEvicted ? view.degraded || !view.bad_nodes.empty() : p.failing();
  return out;
}

bool StillCounts(const EvidenceEvent& event, const KubernetesView& view,
                 const std::unordered_map<std::string, bool>& objects) {
  const Evidence& e = *view.evidence;
  const bool recent =
      !view.now.known() || !event.last.known() || view.now - event.last < Duration::Minutes(30);
  if (const auto it = objects.find(ObjectName(event.object)); it != objects.end()) return it->second;
  const bool scaler = Has(event.object, "horizontalpodautoscaler") || Has(event.reason, "metric");
  return recent && (scaler || view.degraded || e.pods.empty());
}

void AddEvents(const Evidence& e, KubernetesView& view) {
  const auto objects = CountingObjects(view);
  for (const EvidenceEvent& event : e.events) {
    view.events.push_back(&event);
    if (event.source == "rds" || event.source == "database" || event.type == "Normal") continue;
    if (FamilyOf(event.message) == Family::kInstruction) {
      ++view.ignored_lines;
      continue;
    }
    (StillCounts(event, view, objects) ? view.current : view.historical).push_back(&event);
  }
  const auto order = [](const EvidenceEvent* a, const EvidenceEvent* b) {
    return std::tie(a->object, a->reason, a->message, a->last) <
           std::tie(b->object, b->reason, b->message, b->last);
  };
  std::ranges::sort(view.events, order);
  std::ranges::sort(view.current, order);
  std::ranges::sort(view.historical, order);
}

// What a probe or a load balancer asks says that the service is slow or down, not why.
bool AboutProbes(const std::string& message) {
  const std::string text = LowerAscii(message);
  return std::ranges::any_of(
      std::initializer_list<const char*>{"probe", "healthz", "livez", "readyz", "/health", "/ready",
                                         "health check", "healthcheck"},
      [&](const char* part) { return text.find(part) != std::string::npos; });
}

// The same line reports the trouble and its end.
bool SaysItPassed(const std::string& message) {
  static constexpr std::array kWords{"retry succeeded",    "succeeded after", "succeeded on retry",
                                     "recovered",          "reconnected",     "retried successfully",
                                     "connection restored"};
  return std::ranges::any_of(kWords, [&](const char* word) { return Has(message, word); });
}

bool IsErrorLine(const EvidenceLog& line, Family family) {
  if (family == Family::kNone || family == Family::kInstruction || family > Family::kLastOfApplications)
    return false;
  if (SaysItPassed(line.message)) return false;
  if ((family == Family::kTimeout || family == Family::kUnreachable) && AboutProbes(line.message))
    return false;
  const std::string level = LowerAscii(line.level);
  return !(level == "info" || level == "debug" || level == "ok" || level == "notice" || level == "trace");
}

// What the platform quotes of a failing container counts as its own line.
void AddQuoted(KubernetesView& view, std::vector<LogView>& errors) {
  for (const PodView& p : view.pods) {
    if (p.problem != PodProblem::kCrash || p.container == nullptr) continue;
    EvidenceLog line{.host = p.pod->name, .message = p.container->message};
    view.quoted.push_back(std::move(line));
  }
  for (const EvidenceLog& line : view.quoted)
    if (const Family f = ApplicationFamilyOf(line.message); IsErrorLine(line, f))
      errors.push_back({&line, f});
}

void AddLogs(const Evidence& e, KubernetesView& view) {
  Time last_plain, last_error;
  std::vector<LogView> errors;
  AddQuoted(view, errors);
  for (const EvidenceLog& line : e.logs) {
    const Family family = ApplicationFamilyOf(line.message);
    if (family == Family::kInstruction) {
      ++view.ignored_lines;
      continue;
    }
    view.lines.push_back(&line);
    const bool stale = view.now.known() && line.time.known() && view.now - line.time > Duration::Hours(6);
    if (!IsErrorLine(line, family)) {
      ++view.plain_lines;
      if (!stale) last_plain = std::max(last_plain, line.time);
    } else if (stale) {
      view.past_errors.push_back({&line, family});
    } else {
      errors.push_back({&line, family});
      last_error = std::max(last_error, line.time);
    }
  }
  const bool recovered = !view.degraded && view.alerting.empty() && last_error.known() &&
                         last_plain >= last_error + Duration::Minutes(5);
  auto& into = recovered ? view.past_errors : view.errors;
  into.insert(into.end(), errors.begin(), errors.end());
  const auto order = [](const LogView& a, const LogView& b) {
    return std::tie(a.line->time, a.line->message) < std::tie(b.line->time, b.line->message);
  };
  std::ranges::sort(view.lines, [](const EvidenceLog* a, const EvidenceLog* b) {
    return std::tie(a->time, a->host, a->message) < std::tie(b->time, b->host, b->message);
  });
  std::ranges::sort(view.errors, order);
  std::ranges::sort(view.past_errors, order);
}

}  // namespace

std::string ObjectName(const std::string& object) {
  const size_t slash = object.rfind('/');
  return slash == std::string::npos ? object : object.substr(slash + 1);
}

std::string JoinNames(const std::vector<const PodView*>& pods, size_t most) {
  std::string out;
  for (size_t i = 0; i < pods.size() && i < most; ++i) out += (i == 0 ? "" : ", ") + pods[i]->pod->name;
  return pods.size() > most ? fmt::format("{} and {} more", out, pods.size() - most) : out;
}

std::vector<const PodView*> KubernetesView::With(PodProblem problem) const {
  std::vector<const PodView*> out;
  for (const PodView& p : pods)
    if (p.problem == problem) out.push_back(&p);
  return out;
}

std::vector<const PodView*> KubernetesView::Ready() const {
  std::vector<const PodView*> out;
  for (const PodView& p : pods)
    if (p.ready && !p.failing()) out.push_back(&p);
  return out;
}

std::vector<const EvidenceEvent*> KubernetesView::Events(
    std::initializer_list<std::string_view> reasons) const {
  std::vector<const EvidenceEvent*> out;
  for (const EvidenceEvent* e : current)
    if (OneOf(e->reason, reasons)) out.push_back(e);
  return out;
}

std::vector<const LogView*> KubernetesView::Errors(Family family) const {
  std::vector<const LogView*> out;
  for (const LogView& l : errors)
    if (l.family == family) out.push_back(&l);
  return out;
}

KubernetesView ViewKubernetes(const Evidence& e) {
  KubernetesView view{.evidence = &e};
  AddPods(e, view);
  AddNodes(e, view);
  for (const MonitorState& m : e.monitors)
    if (OneOf(m.state, {"Alert", "Alerting", "Warn", "Critical", "firing"})) view.alerting.push_back(&m);
  view.now = NewestInstant(e);
  FindDegradation(e, view);
  AddEvents(e, view);
  AddLogs(e, view);
  view.any = !e.pods.empty() || !view.current.empty() || !view.historical.empty() || !e.workloads.empty() ||
             !e.nodes.empty() || !e.logs.empty() || !e.monitors.empty();
  return view;
}

}  // namespace tocsin::investigate
