// Failures that a pod's own state shows. The state is the evidence; events and logs say why. Looks alike:
// exit code 137 is SIGKILL, and only OOMKilled (or the kernel's line) makes it memory; after failed liveness
// probes it is the kubelet. CrashLoopBackOff is what any repeated exit looks like, never a cause.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

#include "investigate/diagnosis/database_signatures.h"
#include "investigate/diagnosis/database_view.h"
#include "investigate/diagnosis/kubernetes_signatures.h"
#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

using Pods = std::vector<const PodView*>;

std::string Reason(const PodView& p) {
  if (p.container == nullptr) return p.pod->reason;
  return p.container->reason.empty() ? p.container->last_reason : p.container->reason;
}

// Events of these reasons, without those of other pods.
std::vector<const EvidenceEvent*> EventsOf(const KubernetesView& view, const Pods& pods,
                                           std::initializer_list<std::string_view> reasons) {
  std::set<std::string> ours, all;
  for (const PodView* p : pods) ours.insert(p->pod->name);
  for (const PodState& p : view.evidence->pods) all.insert(p.name);
  std::vector<const EvidenceEvent*> out;
  for (const EvidenceEvent* e : view.Events(reasons)) {
    const std::string name = ObjectName(e->object);
    if (ours.contains(name) || !all.contains(name)) out.push_back(e);
  }
  return out;
}

void AddFacts(const KubernetesView& view, const Pods& pods, std::initializer_list<std::string_view> reasons,
              Finding& out) {
  for (const PodView* p : pods) out.facts.push_back(PodFact(*p));
  std::set<std::string> said;
  for (const EvidenceEvent* e : EventsOf(view, pods, reasons)) {
    if (said.size() >= 6 || !said.insert(e->message).second) continue;
    out.facts.push_back(EventFact(*e));
    if (!out.onset.known() || (e->first.known() && e->first < out.onset)) out.onset = e->first;
  }
}

// The longest message an event or a container gives for these pods: it holds the detail.
std::string Detail(const KubernetesView& view, const Pods& pods,
                   std::initializer_list<std::string_view> reasons) {
  std::string best;
  for (const EvidenceEvent* e : EventsOf(view, pods, reasons))
    if (e->message.size() > best.size()) best = e->message;
  for (const PodView* p : pods) {
    if (p->container != nullptr && best.empty()) best = p->container->message;
    for (const ObjectCondition& c : p->pod->conditions)
      if (best.empty() && c.type == "PodScheduled") best = c.message;
  }
  return best;
}

std::string ImageOf(const std::string& text) {
  static const RE2 kImage(R"(image\s+\\?"([^"\\]+)\\?")");
  std::string image;
  RE2::PartialMatch(text, kImage, &image);
  return image;
}

void AppendLogs(const KubernetesView& view, Family family, Finding& out) {
  const auto lines = view.Errors(family);
  for (size_t i = 0; i < lines.size() && i < 3; ++i) out.facts.push_back(LogFact(*lines[i], lines.size()));
}

void OutOfMemory(const KubernetesView& view, const Pods& pods, Finding& out) {
  AddFacts(view, pods, {"BackOff", "OOMKilling", "OOMKilled", "Killing"}, out);
  AppendLogs(view, Family::kOutOfMemory, out);
  for (const EvidenceLog* line : view.lines)
    if (LowerAscii(line->message).find("limit") != std::string::npos &&
        LowerAscii(line->message).find("mi") != std::string::npos && out.facts.size() < 10)
      out.facts.push_back(
          {.kind = FactKind::kLog, .subject = line->host, .text = "Log: " + Quoted(line->message), .n = 1});
  out.cause = fmt::format(
      "Container {} in pod {} exceeds its memory limit and is killed by the kernel (OOMKilled, exit code "
      "137); the "
      "kubelet restarts it and it ends in CrashLoopBackOff (restart count {})",
      pods.front()->container->name, JoinNames(pods), pods.front()->restarts);
  out.chain = {
      "Memory use of the container grows to its memory limit",
      "The kernel's OOM killer ends the process with SIGKILL (exit code 137)",
      "The kubelet restarts the container, memory grows again, and the restarts back off (CrashLoopBackOff)"};
}

void Image(const KubernetesView& view, const Pods& pods, Finding& out) {
  AddFacts(view, pods, {"Failed", "BackOff", "ErrImagePull", "ImagePullBackOff", "InspectFailed"}, out);
  const std::string detail = Detail(view, pods, {"Failed", "ErrImagePull"});
  std::string image = ImageOf(detail);
  if (image.empty()) image = ImageOf(pods.front()->container->message);
  if (image.empty()) image = pods.front()->container->image;
  const std::string text = LowerAscii(detail + pods.front()->container->message);
  const auto has = [&text](std::string_view part) { return text.find(part) != std::string::npos; };
  std::string why = "the pull fails";
  if (has("manifest unknown") || has("not found") || has("notfound"))
    why = "the registry answers manifest unknown / not found: this tag does not exist in the registry";
  else if (has("unauthorized") || has("denied") || has("authentication") || has("403") || has("401"))
    why = "the registry denies access: the pull credentials (imagePullSecrets) are missing or wrong";
  else if (has("no such host") || has("timeout") || has("i/o") || has("refused") || has("unavailable"))
    why = "the registry cannot be reached", out.category = Category::kInfrastructure;
  else if (has("toomanyrequests") || has("rate limit"))
    why = "the registry's pull rate limit is reached", out.category = Category::kDependencyFailure;
  else if (has("couldn't parse") || has("invalidimagename"))
    why = "the image name is invalid";
  out.cause = fmt::format("Pods {} cannot pull image {} and wait in ImagePullBackOff: {}", JoinNames(pods),
                          image.empty() ? "(name not known)" : image, why);
  out.chain = {fmt::format("A deploy set the container image to {}", image),
               "The kubelet asks the registry, and " + why, "It retries with back-off: ImagePullBackOff",
               "The new pods never become Ready and the rollout stalls"};
}

void ConfigReference(const KubernetesView& view, const Pods& pods, Finding& out) {
  AddFacts(view, pods, {"Failed", "FailedMount", "CreateContainerConfigError"}, out);
  const std::string detail = Detail(view, pods, {"Failed", "FailedMount"});
  const std::string own = pods.front()->container != nullptr ? pods.front()->container->message : "";
  const std::string& text = own.empty() ? detail : own;
  static const RE2 kWhat(R"((?i)(configmap|secret)s?\s+\\?"?([\w./-]+)\\?"?)");
  std::string kind, name;
  RE2::PartialMatch(text, kWhat, &kind, &name);
  out.cause = fmt::format(
      "Pods {} cannot start ({}): they refer to {} that does not exist or lacks the key: {}", JoinNames(pods),
      Reason(*pods.front()).empty() ? "CreateContainerConfigError" : Reason(*pods.front()),
      name.empty() ? "a ConfigMap or Secret" : fmt::format("the {} {}", kind, name), Quoted(text, 400));
  out.chain = {fmt::format("The pod template refers to a missing {}",
                           name.empty() ? "ConfigMap or Secret" : kind + " " + name),
               "The kubelet cannot build the container's environment or volumes",
               "The containers do not start and the pods never become Ready"};
}

void Start(const KubernetesView& view, const Pods& pods, Finding& out) {
  AddFacts(view, pods, {"Failed", "BackOff"}, out);
  const PodView& p = *pods.front();
  out.cause = fmt::format(
      "The command of container {} in {} cannot be run ({}{}): {}", p.container->name, JoinNames(pods),
      Reason(p), p.container->exit_code ? fmt::format(", exit code {}", *p.container->exit_code) : "",
      Quoted(p.container->message.empty() ? Detail(view, pods, {"Failed"}) : p.container->message, 300));
  out.chain = {"The image and the command or mounts of the pod template do not fit",
               "The container never starts"};
}

void Unschedulable(const KubernetesView& view, const Pods& pods, Finding& out) {
  AddFacts(view, pods, {"FailedScheduling", "NotTriggerScaleUp"}, out);
  const std::string detail = Detail(view, pods, {"FailedScheduling"});
  const std::string text = LowerAscii(detail);
  const auto has = [&text](std::string_view part) { return text.find(part) != std::string::npos; };
  std::string why = "no node fits";
  if (has("insufficient")) {
    why = has("insufficient memory") && has("insufficient cpu")
              ? "the nodes have not enough free CPU and memory for the requests"
          : has("insufficient memory") ? "the nodes have not enough free memory for the request"
          : has("insufficient cpu")    ? "the nodes have not enough free CPU for the request"
                                       : "the nodes lack a requested resource";
  } else if (has("too many pods")) {
    why = "the nodes already run as many pods as they may";
  } else if (has("persistentvolumeclaim") || has("volume")) {
    out.category = Category::kConfigurationError,
    why = "a volume claim is not bound or cannot be attached there";
  } else if (has("taint") || has("affinity") || has("selector") || has("topology")) {
    out.category = Category::kConfigurationError;
    why = "node selector, affinity or taints of the nodes exclude every node";
  }
  out.cause =
      fmt::format("Pods {} are Pending and unschedulable: {}: {}", JoinNames(pods), why, Quoted(detail, 400));
  out.chain = {fmt::format("The scheduler finds no node: {}", why), "FailedScheduling; the pods stay Pending",
               "Fewer replicas run than desired"};
}

void Probe(const KubernetesView& view, const Pods& pods, Finding& out) {
  AddFacts(view, pods, {"Unhealthy", "Killing", "BackOff"}, out);
  const std::string detail = Detail(view, pods, {"Unhealthy"});
  const bool startup = LowerAscii(detail).find("startup") != std::string::npos;
  const PodView& p = *pods.front();
  out.cause = fmt::format(
      "The {} probe of container {} fails and the kubelet kills and restarts the container ({}, restart "
      "count {}): {}. "
      "The container itself starts and runs: the probe's path, port, timeout or initial delay does not fit "
      "the "
      "application (probe misconfiguration)",
      startup ? "startup" : "liveness", p.container->name, JoinNames(pods), p.restarts, Quoted(detail, 300));
  out.chain = {"The liveness probe fails although the application is only slow to start or serves elsewhere",
               "The kubelet kills the container (SIGTERM, then SIGKILL) and restarts it",
               "The restarts back off: CrashLoopBackOff"};
}

void NotReady(const KubernetesView& view, const Pods& pods, Finding& out) {
  AddFacts(view, pods, {"Unhealthy", "ReadinessGateNotReady"}, out);
  const std::string detail = Detail(view, pods, {"Unhealthy"});
  const bool probe = !view.Events({"Unhealthy"}).empty();
  if (!probe) out.strength = 0.55;
  out.cause =
      fmt::format("Pods {} run but are not Ready{}: they are taken out of the Service's endpoints",
                  JoinNames(pods), probe ? ", their readiness probe fails: " + Quoted(detail, 300) : "");
  out.chain = {"The readiness probe fails", "The pods leave the Service's endpoints",
               "Fewer replicas serve traffic"};
}

std::string ExitMeaning(int code) {
  switch (code) {
    case 0:
      return "the process ends by itself though it should keep running";
    case 134:
      return "SIGABRT, the process aborted itself";
    case 137:
      return "SIGKILL, without an OOM kill being reported";
    case 139:
      return "SIGSEGV, a segmentation fault";
    case 143:
      return "SIGTERM, it was asked to stop";
    default:
      return "the application's own error exit";
  }
}

void Crash(const KubernetesView& view, const Pods& pods, Finding& out) {
  AddFacts(view, pods, {"BackOff", "Failed"}, out);
  const PodView& p = *pods.front();
  std::string code;
  if (p.container->exit_code) {
    code =
        fmt::format(" with exit code {} ({})", *p.container->exit_code, ExitMeaning(*p.container->exit_code));
    if (*p.container->exit_code == 139 || *p.container->exit_code == 134)
      out.category = Category::kCodeDefect;
  }
  std::string last;
  for (const EvidenceLog* line : view.lines) {
    const std::string level = LowerAscii(line->level);
    if (line->host == p.pod->name && (level == "error" || level == "fatal" || level == "critical")) {
      last = std::max(last, line->message);
      out.category = Category::kCodeDefect;
    }
  }
  out.strength = out.category == Category::kCodeDefect ? 0.75 : 0.55;
  const bool new_only =
      std::ranges::none_of(view.Ready(), [&](const PodView* r) { return r->replica_set == p.replica_set; });
  if (out.category == Category::kUnknown && new_only && !view.Ready().empty()) {
    out.category =
        Category::kCodeDefect;  // the new version is at fault, in its code or what was shipped with it
    out.strength = 0.6;
  }
  out.cause = fmt::format(
      "Container {} in pod {} exits{} and is restarted again and again (CrashLoopBackOff, restart count {}); "
      "{}",
      p.container->name, JoinNames(pods), code, p.restarts,
      last.empty() ? new_only && !view.Ready().empty()
                         ? "only the new ReplicaSet's version does so, its logs do not say why"
                         : "its own logs do not say why"
                   : "its log says: " + Quoted(last, 300));
  out.chain = {"The application exits" + code, "The kubelet restarts it with back-off: CrashLoopBackOff"};
}

void Plain(const KubernetesView& view, const Pods& pods, Finding& out, const char* what,
           std::initializer_list<std::string_view> reasons) {
  AddFacts(view, pods, reasons, out);
  const std::string detail = Detail(view, pods, reasons);
  out.cause = fmt::format("Pods {} {}: {}", JoinNames(pods), what,
                          Quoted(detail.empty() ? pods.front()->pod->message : detail, 400));
  out.chain = {fmt::format("Pods of the workload {}", what), "Fewer replicas run than desired"};
}

void Describe(const KubernetesView& view, PodProblem problem, const Pods& pods, Finding& out) {
  switch (problem) {
    case PodProblem::kOutOfMemory:
      return OutOfMemory(view, pods, out);
    case PodProblem::kImage:
      return Image(view, pods, out);
    case PodProblem::kConfigReference:
      return ConfigReference(view, pods, out);
    case PodProblem::kStart:
      return Start(view, pods, out);
    case PodProblem::kUnschedulable:
      return Unschedulable(view, pods, out);
    case PodProblem::kProbeKilled:
      return Probe(view, pods, out);
    case PodProblem::kNotReady:
      return NotReady(view, pods, out);
    case PodProblem::kCrash:
      return Crash(view, pods, out);
    case PodProblem::kEvicted:
      return Plain(view, pods, out, "were evicted by the kubelet because the node ran low on a resource",
                   {"Evicted", "EvictionThresholdMet", "FreeDiskSpaceFailed"});
    case PodProblem::kNodeLost:
      return Plain(view, pods, out, "are on a node that no longer answers",
                   {"NodeNotReady", "NodeControllerEviction"});
    case PodProblem::kVolume:
      return Plain(view, pods, out, "wait for a volume that cannot be attached or mounted",
                   {"FailedMount", "FailedAttachVolume", "FailedMapVolume"});
    case PodProblem::kSandbox:
      return Plain(view, pods, out,
                   "get no network sandbox (the CNI plugin fails, often out of IP addresses)",
                   {"FailedCreatePodSandBox", "FailedCreatePodSandbox", "NetworkNotReady"});
    default:
      return;
  }
}

struct Row {
  PodProblem problem;
  const char* mode;
  const char* name;
  Category category;
  const char* absent;  // what was looked for and not found
};

constexpr Row kRows[] = {
    {PodProblem::kOutOfMemory, "pod_oom_killed", "OOM kill", Category::kResourceExhaustion,
     "not an OOM, not OOMKilled: no container of a serving pod was terminated with reason OOMKilled"},
    {PodProblem::kImage, "image_pull", "image pull failure", Category::kConfigurationError,
     "no image pull failure: no container of a pod that should serve waits in ImagePullBackOff or "
     "ErrImagePull"},
    {PodProblem::kConfigReference, "missing_reference", "missing ConfigMap or Secret",
     Category::kConfigurationError, "no missing ConfigMap or Secret: no CreateContainerConfigError"},
    {PodProblem::kStart, "container_start", "command that cannot run", Category::kConfigurationError,
     nullptr},
    {PodProblem::kUnschedulable, "unschedulable", "scheduling failure", Category::kResourceExhaustion,
     "no scheduling failure: every pod has a node and no FailedScheduling event is current"},
    {PodProblem::kProbeKilled, "liveness_probe", "liveness probe failure", Category::kConfigurationError,
     "no probe failure: no container is being killed by a liveness or startup probe, no Unhealthy event is "
     "current"},
    {PodProblem::kCrash, "crash_loop", "application crash", Category::kUnknown, nullptr},
    {PodProblem::kNotReady, "readiness_probe", "readiness failure", Category::kConfigurationError, nullptr},
    {PodProblem::kEvicted, "evicted", "eviction", Category::kResourceExhaustion, nullptr},
    {PodProblem::kNodeLost, "node_lost", "lost node", Category::kInfrastructure, nullptr},
    {PodProblem::kVolume, "volume", "volume failure", Category::kInfrastructure, nullptr},
    {PodProblem::kSandbox, "pod_network", "pod network failure", Category::kInfrastructure, nullptr},
};

}  // namespace

void AddPodFindings(const KubernetesView& view, std::vector<Finding>& out) {
  for (const Row& row : kRows) {
    Finding f = MakeFinding(row.mode, row.name, row.category);
    const Pods pods = view.With(row.problem);
    const bool dead = row.problem == PodProblem::kEvicted && !view.degraded && view.bad_nodes.empty();
    if (pods.empty() || dead) {
      f.remark = row.absent != nullptr ? row.absent : "";
      // Whether a probe fails is told by events.
      if (row.problem == PodProblem::kProbeKilled && !view.evidence->seen.contains("events")) {
        f.role = Role::kNotAssessed;
        f.remark = "no events were seen";
      } else if (row.problem == PodProblem::kProbeKilled && !view.Events({"Unhealthy"}).empty()) {
        f.remark = "no container is being killed by a liveness or startup probe";
      }
      if (dead && !pods.empty()) {
        f.role = Role::kHistory;
        f.remark =
            fmt::format("{} were evicted earlier and have been replaced: every desired replica is Ready",
                        JoinNames(pods));
      } else if (view.pods.empty()) {
        f.role = Role::kNotAssessed;
        f.remark = "no pods of the workload were seen";
      }
      if (!f.remark.empty()) out.push_back(std::move(f));
      continue;
    }
    f.strength = 0.9;
    Describe(view, row.problem, pods, f);
    out.push_back(std::move(f));
  }
}

}  // namespace tocsin::investigate
