// Which of the Kubernetes findings that hold is the cause: the deepest one that the failing pods can be put
// down to. Deepest means earliest on the way from a node to a served request (kDepth). What two different
// sets of pods show at once are two faults.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "investigate/diagnosis/database_signatures.h"
#include "investigate/diagnosis/database_view.h"
#include "investigate/diagnosis/kubernetes_signatures.h"
#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

constexpr std::array kDepth{"node_failure",
                            "node_pressure",
                            "quota_exceeded",
                            "admission_refused",
                            "evicted",
                            "node_lost",
                            "unschedulable",
                            "volume",
                            "pod_network",
                            "image_pull",
                            "missing_reference",
                            "container_start",
                            "pod_oom_killed",
                            "dns",
                            "certificate",
                            "authentication",
                            "permission",
                            "network_policy",
                            "rate_limited",
                            "application_configuration",
                            "bad_data",
                            "disk_full",
                            "application_memory",
                            "dependency_down",
                            "dependency_timeout",
                            "exception",
                            "liveness_probe",
                            "readiness_probe",
                            "crash_loop",
                            "autoscaler",
                            "replicas_missing",
                            "rollout_stuck"};
// Up to here a finding is a pod's own state; after it, what its logs and probes say.
constexpr size_t kLastOwnState = 12;

size_t Depth(const Finding& f) {
  const auto* it = std::ranges::find(kDepth, f.mode);
  return static_cast<size_t>(it - kDepth.begin());
}

std::set<std::string> PodsOf(const Finding& f) {
  std::set<std::string> out;
  for (const Fact& fact : f.facts)
    if (fact.subject == "Pod") out.insert(fact.resource);
  return out;
}

bool Explains(const Finding& a, const Finding& b, const KubernetesView& view) {
  if (Depth(a) >= Depth(b)) return false;
  if (b.mode == "autoscaler") return LowerAscii(view.evidence->alert.text()).find("hpa") == std::string::npos;
  const bool both_states = Depth(a) <= kLastOwnState && Depth(b) <= kLastOwnState;
  if (!both_states || a.mode.starts_with("node_")) return true;
  const auto of_a = PodsOf(a), of_b = PodsOf(b);
  if (of_a.empty() || of_b.empty()) return true;
  return std::ranges::any_of(of_b, [&](const std::string& p) { return of_a.contains(p); });
}

Finding Joined(const std::vector<Finding*>& causes) {
  Finding out = *causes.front();
  out.role = Role::kCause;
  for (size_t i = 1; i < causes.size(); ++i) {
    if (i == 1) out.cause = "Independent faults at the same time: (1) " + out.cause;
    out.mode += "+" + causes[i]->mode;
    out.strength = std::min(out.strength, causes[i]->strength);
    out.cause += fmt::format(". ({}) {}", i + 1, causes[i]->cause);
    out.chain.insert(out.chain.end(), causes[i]->chain.begin(), causes[i]->chain.end());
    out.facts.insert(out.facts.end(), causes[i]->facts.begin(), causes[i]->facts.end());
  }
  return out;
}

// What a cause brought about is evidence for it.
void AddFacts(const std::vector<Fact>& facts, Finding& out) {
  constexpr size_t kMost = 16;
  for (const Fact& fact : facts)
    if (out.facts.size() < kMost &&
        std::ranges::none_of(out.facts, [&](const Fact& f) { return f.text == fact.text; }))
      out.facts.push_back(fact);
}

// What a past event of this reason meant, now that its object is well.
std::string_view Gloss(const std::string& reason) {
  struct Row {
    std::string_view reason, text;
  };
  static constexpr std::array kRows{
      Row{"FailedScheduling", "the pod was Pending, has been scheduled since and recovered"},
      Row{"BackOff", "restarts backed off, the state has recovered since"},
      Row{"Unhealthy", "a probe failed then and passes now, the pod has recovered"},
      Row{"Killing", "a container was stopped and has been replaced, recovered since"},
      Row{"Failed", "starting it failed then and has succeeded since, recovered"},
      Row{"ProgressDeadlineExceeded", "the rollout was late and has completed since, recovered"},
      Row{"FailedCreate", "pods were refused then and have been created since, recovered"},
      Row{"FailedMount", "the mount was retried and succeeded, recovered"},
      Row{"NodeNotReady", "the node was NotReady and is Ready again, recovered"},
      Row{"Evicted", "the pod was evicted and has been replaced, recovered"},
  };
  for (const Row& row : kRows)
    if (row.reason == reason) return row.text;
  return "the present state does not show it any more, it has recovered";
}

void DescribePast(const KubernetesView& view, Finding& out) {
  std::vector<const PodView*> leaving = view.With(PodProblem::kTerminating);
  if (!leaving.empty()) {
    std::string next;
    for (const PodView* p : view.Ready())
      if (p->replica_set != leaving.front()->replica_set) next = p->replica_set;
    out.cause += fmt::format(
        ". Pod {} is terminating (deletion timestamp {}): it belongs to the old ReplicaSet {}{}; what it "
        "reports is the "
        "end of a rollout and not a current failure",
        JoinNames(leaving), FormatTime(leaving.front()->pod->deleted), leaving.front()->replica_set,
        next.empty()
            ? ""
            : fmt::format(" which the ReplicaSet {} with {} Ready pods has replaced in a completed rollout",
                          next, view.Ready().size()));
    for (const PodView* p : leaving) out.facts.push_back(PodFact(*p));
  }
  for (const PodView* p : view.Ready()) {
    if (p->restarts == 0 || p->container == nullptr) continue;
    out.cause += fmt::format(
        ". Pod {} had {} container restart{}; it has been Running and Ready since {} and is not "
        "currently restarting: a transient restart that has recovered",
        p->pod->name, p->restarts, p->restarts == 1 ? "" : "s", FormatTime(p->container->started));
  }
  std::set<std::string> said;
  for (const EvidenceEvent* e : view.historical) {
    if (!said.insert(e->reason + e->object).second || said.size() > 4) continue;
    out.facts.push_back(EventFact(*e));
    out.cause += fmt::format(". The {} event of {} lies in the past (last {}): {}", e->reason, e->object,
                             e->last.known() ? FormatTime(e->last) : "seen earlier", Gloss(e->reason));
  }
  std::set<std::string> lines;
  for (const LogView& l : view.past_errors) {
    if (lines.size() >= 2 || !lines.insert(l.line->message).second) continue;
    out.facts.push_back(LogFact(l, 1));
    out.cause += fmt::format(". The error {} has not come again", Quoted(l.line->message, 160));
  }
}

void AddHistory(const KubernetesView& view, std::vector<Finding>& findings) {
  std::set<std::string> said;
  for (const EvidenceEvent* e : view.historical) {
    if (said.size() >= 4 || !said.insert(e->reason + e->object).second) continue;
    Finding f = MakeFinding("past_event", "earlier event", Category::kUnknown);
    f.role = Role::kHistory;
    f.remark = EventFact(*e).text + ": the object's present state does not show it any more";
    findings.push_back(std::move(f));
  }
}

}  // namespace

void DescribeHealthy(const KubernetesView& view, Finding& out) {
  const Evidence& e = *view.evidence;
  const auto ready = view.Ready();
  out.cause = fmt::format("No failure: {} operates within normal bounds",
                          e.workload.empty() ? "the workload" : e.workload);
  if (!ready.empty()) out.cause += fmt::format(", all {} current pods are Running and Ready", ready.size());
  if (const std::string state = LowerAscii(e.alert.state);
      !e.alert.title.empty() && state != "normal" && state != "ok")
    out.cause += fmt::format("; the alert {} describes no present failure", Quoted(e.alert.title));
  DescribePast(view, out);
  for (const PodView* p : ready) out.facts.push_back(PodFact(*p));
  if (view.workload != nullptr && view.workload->desired)
    out.facts.push_back(
        {.kind = FactKind::kState,
         .subject = "Deployment",
         .resource = view.workload->name,
         .text = fmt::format("Deployment {} reports desired={} ready={} available={}", view.workload->name,
                             *view.workload->desired, view.workload->ready.value_or(0),
                             view.workload->available.value_or(0)),
         .n = 1});
  if (!e.nodes.empty() && view.bad_nodes.empty())
    out.facts.push_back(
        {.kind = FactKind::kState,
         .subject = "Node",
         .text = fmt::format("All {} nodes are Ready without pressure conditions", e.nodes.size()),
         .n = e.nodes.size()});
  if (!view.alerting.empty())
    out.cause += fmt::format(
        ". The monitor {} is in state {}, but no pod, event, node or log line shows a failure: it is "
        "spurious on "
        "this evidence",
        Quoted(view.alerting.front()->name), view.alerting.front()->state);
  if (!e.monitors.empty() && view.alerting.empty())
    out.facts.push_back({.kind = FactKind::kMonitor,
                         .subject = "monitors",
                         .text = fmt::format("The {} monitors are OK", e.monitors.size()),
                         .n = e.monitors.size()});
  if (e.seen.contains("events") && view.current.empty())
    out.facts.push_back({.kind = FactKind::kAbsence,
                         .subject = "events",
                         .text = "No Warning events of serving pods",
                         .n = 0});
  if (!e.logs.empty() && view.errors.empty())
    out.facts.push_back({.kind = FactKind::kAbsence,
                         .subject = "logs",
                         .text = fmt::format("The logs ({} lines) hold no current errors", e.logs.size()),
                         .n = e.logs.size()});
  out.chain = {
      "No causal chain: nothing fails now. The alert is informational, or fired on something that has "
      "passed"};
}

Finding ArbitrateKubernetes(const KubernetesView& view, std::vector<Finding>& findings) {
  std::vector<Finding*> live;
  for (Finding& f : findings)
    if (f.role == Role::kAbsent && f.strength >= 0.5) live.push_back(&f);
  std::ranges::stable_sort(live, {}, [](const Finding* f) { return Depth(*f); });
  std::vector<Finding*> causes, symptoms;
  for (Finding* f : live) {
    const auto by = std::ranges::find_if(causes, [&](const Finding* a) { return Explains(*a, *f, view); });
    if (by == causes.end()) {
      f->role = Role::kCause;
      causes.push_back(f);
      continue;
    }
    f->role = Role::kSymptom;
    f->remark = fmt::format("a symptom of the {}: {}", (*by)->name, f->cause);
    symptoms.push_back(f);
  }
  // The fault of the pod the alert names comes first.
  std::ranges::stable_sort(causes, {},
                           [&](const Finding* f) { return !PodsOf(*f).contains(view.evidence->pod); });
  if (!causes.empty()) {
    Finding cause = Joined(causes);
    for (const Finding* f : symptoms) AddFacts(f->facts, cause);
    if (const std::string siblings = Siblings(view); !siblings.empty())
      cause.facts.push_back(
          {.kind = FactKind::kState, .subject = "siblings", .text = siblings, .n = view.Ready().size()});
    if (const std::string& title = view.evidence->alert.title; !title.empty())
      cause.chain.push_back(fmt::format("The alert fired: {}", Quoted(title)));
    AddHistory(view, findings);
    return cause;
  }
  const bool answered = !view.evidence->pods.empty() || view.workload != nullptr;
  Finding out = MakeFinding("unknown", "unknown", Category::kUnknown);
  const bool quiet =
      view.errors.empty() && view.current.empty() && view.bad_nodes.empty() && view.plain_lines > 0;
  if (view.degraded || !answered || (!view.alerting.empty() && !quiet)) return out;
  out = MakeFinding("healthy", "no failure", Category::kHealthy);
  out.strength = 0.9;
  DescribeHealthy(view, out);
  return out;
}

}  // namespace tocsin::investigate
