// Failures of what a workload runs on: node conditions (for: a node NotReady or under pressure that carries
// failing pods; against: such a node beside a workload that serves), quota and admission (for: FailedCreate),
// the autoscaler (for: it cannot read its metrics, or is at its maximum), and a rollout past its deadline,
// which is a symptom of its pods unless nothing is found there.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "investigate/diagnosis/database_signatures.h"
#include "investigate/diagnosis/database_view.h"
#include "investigate/diagnosis/kubernetes_signatures.h"
#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

bool Says(const std::string& text, std::string_view part) {
  return LowerAscii(text).find(part) != std::string::npos;
}

std::string NodeText(const NodeState& n) {
  std::string out = n.ready ? "Ready" : "NotReady";
  for (const std::string& p : n.pressures) out += ", " + p;
  return out;
}

struct NodeTrouble {
  std::set<std::string> names;
  std::string which, pressure;  // "n2 is NotReady; …", "DiskPressure"
  bool not_ready = false;
};

NodeTrouble AddNodeFacts(const KubernetesView& view, const std::vector<const EvidenceEvent*>& events,
                         Finding& out) {
  NodeTrouble t;
  for (const NodeState* n : view.bad_nodes) {
    t.names.insert(n->name);
    t.which += (t.which.empty() ? "" : "; ") + fmt::format("{} is {}", n->name, NodeText(*n));
    t.not_ready |= !n->ready;
    if (!n->pressures.empty()) t.pressure = n->pressures.front();
    out.facts.push_back({.kind = FactKind::kState,
                         .subject = "Node",
                         .resource = n->name,
                         .text = fmt::format("Node {} is {}", n->name, NodeText(*n)),
                         .n = 1});
    for (const ObjectCondition& c : n->conditions)
      if (!c.message.empty())
        out.facts.push_back({.kind = FactKind::kState,
                             .subject = c.type,
                             .resource = n->name,
                             .text = fmt::format("{} of node {}: {}", c.type, n->name, Quoted(c.message)),
                             .n = 1});
  }
  for (const EvidenceEvent* e : events) {
    out.facts.push_back(EventFact(*e));
    t.names.insert(ObjectName(e->object));
    t.not_ready |= e->reason == "NodeNotReady";
  }
  if (t.which.empty()) t.which = out.facts.front().text;
  return t;
}

size_t PodsHit(const KubernetesView& view, const std::set<std::string>& nodes) {
  size_t hit = 0;
  for (const PodView& p : view.pods) {
    const bool there = nodes.contains(p.pod->node);
    hit += (p.failing() &&
            (there || p.problem == PodProblem::kNodeLost || p.problem == PodProblem::kUnschedulable)) ||
           (there && p.problem == PodProblem::kTerminating);
  }
  return hit;
}

Finding Nodes(const KubernetesView& view) {
  Finding out = MakeFinding("node_failure", "node failure", Category::kInfrastructure);
  const auto events =
      view.Events({"NodeNotReady", "NodeHasDiskPressure", "NodeHasInsufficientMemory",
                   "NodeHasInsufficientPID", "KubeletNotReady", "SystemOOM", "EvictionThresholdMet",
                   "NodeNotSchedulable", "TerminatingEvictedPod", "FreeDiskSpaceFailed", "Rebooted"});
  if (view.bad_nodes.empty() && events.empty()) {
    out.role = view.evidence->nodes.empty() ? Role::kNotAssessed : Role::kAbsent;
    out.remark = view.evidence->nodes.empty()
                     ? "the nodes' conditions were not available"
                     : fmt::format("all {} nodes are Ready without memory, disk or PID pressure",
                                   view.evidence->nodes.size());
    return out;
  }
  const NodeTrouble t = AddNodeFacts(view, events, out);
  const size_t hit = PodsHit(view, t.names);
  const bool asked = Says(view.evidence->alert.text(), "node");
  out.strength = hit > 0                                              ? 0.95
                 : asked && !view.bad_nodes.empty() && !view.degraded ? 0.85
                 : view.pods.empty()                                  ? 0.7
                                                                      : 0.3;
  if (out.strength < 0.5) {
    out.role = Role::kConfounder;
    out.remark = t.which + ", but none of the workload's pods fails there";
    return out;
  }
  if (!t.not_ready && !t.pressure.empty())
    out.category = Category::kResourceExhaustion, out.mode = "node_pressure", out.name = "node pressure";
  const bool pressed = !t.not_ready && !t.pressure.empty();
  out.cause = fmt::format("{}: {}; {} of the workload's pods are affected by it",
                          t.not_ready ? "Node failure (NotReady)"
                          : pressed   ? "Node under " + t.pressure
                                      : "Node trouble",
                          t.which, hit);
  out.chain = {pressed ? "A node runs low on a resource: " + t.pressure
                       : "A node stops being Ready (kubelet, runtime, network or hardware)",
               "Its pods are evicted, lost or not Ready, and new ones cannot be placed there"};
  return out;
}

Finding Creation(const KubernetesView& view) {
  Finding out = MakeFinding("quota_exceeded", "resource quota", Category::kResourceExhaustion);
  const EvidenceEvent* quota = nullptr;
  const EvidenceEvent* other = nullptr;
  for (const EvidenceEvent* e : view.Events({"FailedCreate", "ReplicaSetCreateError"}))
    (Says(e->message, "quota") || Says(e->message, "limitrange") || Says(e->message, "maximum") ? quota
                                                                                                : other) = e;
  if (quota == nullptr && other == nullptr) {
    out.role = view.evidence->seen.contains("events") ? Role::kAbsent : Role::kNotAssessed;
    out.remark = out.role == Role::kAbsent
                     ? "no FailedCreate event is current: no quota or admission rule refuses pods"
                     : "no events were seen";
    return out;
  }
  const EvidenceEvent& e = quota != nullptr ? *quota : *other;
  out.strength = 0.95;
  out.onset = e.first;
  out.facts.push_back(EventFact(e));
  if (view.workload != nullptr && view.workload->desired)
    out.facts.push_back(
        {.kind = FactKind::kState,
         .subject = "Deployment",
         .resource = view.workload->name,
         .text = fmt::format("Deployment {} wants {} replicas, {} are ready", view.workload->name,
                             *view.workload->desired, view.workload->ready.value_or(0)),
         .n = 1});
  if (quota == nullptr) {
    out.mode = "admission_refused", out.name = "admission refusal",
    out.category = Category::kConfigurationError;
    out.cause = fmt::format("Pods of {} cannot be created, the API server refuses them: {}",
                            ObjectName(e.object), Quoted(e.message, 500));
    out.chain = {"An admission rule, webhook or missing service account refuses the pods",
                 "FailedCreate; fewer replicas than desired"};
  } else {
    out.cause = fmt::format(
        "The namespace's ResourceQuota is exceeded: new pods of {} are refused with FailedCreate, exceeded "
        "quota: {}",
        ObjectName(e.object), Quoted(e.message, 500));
    out.chain = {"The requested CPU, memory or pod count exceeds what the namespace's ResourceQuota has left",
                 "The ReplicaSet controller cannot create pods (FailedCreate, forbidden: exceeded quota)",
                 "Fewer replicas run than desired"};
  }
  return out;
}

Finding Autoscaler(const KubernetesView& view) {
  Finding out = MakeFinding("autoscaler", "autoscaler failure", Category::kConfigurationError);
  const auto blind =
      view.Events({"FailedGetResourceMetric", "FailedComputeMetricsReplicas", "FailedGetExternalMetric",
                   "FailedGetPodsMetric", "FailedGetObjectMetric", "FailedGetScale", "FailedUpdateScale",
                   "InvalidSelector", "FailedRescale", "FailedGetContainerResourceMetric"});
  const auto limited = view.Events({"ScalingLimited", "TooManyReplicas", "MaxReplicasReached"});
  if (blind.empty() && limited.empty()) return out;
  int count = 0;
  for (const auto* list : {&blind, &limited})
    for (const EvidenceEvent* e : *list) out.facts.push_back(EventFact(*e)), count += e->count;
  // A scrape that fails now and then is normal; it matters when it lasts, or when something suffers.
  const bool asked = Says(view.evidence->alert.text(), "hpa") || Says(view.evidence->alert.text(), "scal");
  out.strength = asked || view.degraded || !view.alerting.empty() || count >= 5 ? 0.8 : 0.4;
  const EvidenceEvent& e = blind.empty() ? *limited.front() : *blind.front();
  if (blind.empty()) {
    out.category = Category::kResourceExhaustion;
    out.cause = fmt::format(
        "The HorizontalPodAutoscaler {} is at its maximum number of replicas (maxReplicas) and cannot add "
        "more: {}",
        ObjectName(e.object), Quoted(e.message, 300));
    out.chain = {"Load grows", "The autoscaler reaches maxReplicas", "The replicas are saturated"};
  } else {
    out.cause = fmt::format(
        "The HorizontalPodAutoscaler {} cannot read the metrics it scales on ({}), so it does not scale: {}",
        ObjectName(e.object), e.reason, Quoted(e.message, 300));
    out.chain = {"The HPA's metrics are missing: no metrics server, no resource requests, or a wrong target",
                 "The autoscaler does not add replicas", "The replicas there are carry the whole load"};
  }
  return out;
}

Finding Rollout(const KubernetesView& view) {
  Finding out = MakeFinding("rollout_stuck", "stuck rollout", Category::kConfigurationError);
  const ObjectCondition* late = nullptr;
  if (view.workload != nullptr)
    for (const ObjectCondition& c : view.workload->conditions)
      if (c.reason == "ProgressDeadlineExceeded" ||
          (c.type == "Progressing" && LowerAscii(c.status) == "false"))
        late = &c;
  const auto events = view.Events({"ProgressDeadlineExceeded", "DeploymentStalled", "FailedRollout"});
  const bool missing =
      view.workload != nullptr && view.workload->desired && !view.pods.empty() && view.degraded;
  if (late == nullptr && events.empty()) {
    if (view.workload == nullptr || !view.workload->desired) {
      out.role = Role::kNotAssessed;
      out.remark = "the deployment's state was not available";
    } else if (!view.degraded) {
      out.remark = fmt::format("the deployment's rollout is complete: desired={} ready={} available={}",
                               *view.workload->desired, view.workload->ready.value_or(0),
                               view.workload->available.value_or(view.workload->ready.value_or(0)));
    }
    if (!missing || out.role == Role::kNotAssessed) return out;
  }
  out.strength = late != nullptr || !events.empty() ? 0.7 : 0.5;
  out.remark = "its pods do not become Ready";
  const std::string name = view.workload != nullptr ? view.workload->name : view.evidence->workload;
  if (view.workload != nullptr && view.workload->desired)
    out.facts.push_back(
        {.kind = FactKind::kState,
         .subject = "Deployment",
         .resource = name,
         .text = fmt::format("Deployment {}: desired={} ready={} available={}", name, *view.workload->desired,
                             view.workload->ready.value_or(0), view.workload->available.value_or(0)),
         .n = 1});
  if (late != nullptr)
    out.facts.push_back({.kind = FactKind::kState,
                         .subject = late->reason,
                         .resource = name,
                         .text = fmt::format("Condition {} is {}: {} {}", late->type, late->status,
                                             late->reason, Quoted(late->message)),
                         .n = 1});
  for (const EvidenceEvent* e : events) out.facts.push_back(EventFact(*e));
  if (late == nullptr && events.empty()) {
    out.mode = "replicas_missing", out.name = "missing replicas";
    out.cause = fmt::format("Deployment {} has fewer replicas ready than desired", name);
    out.chain = {"Pods of the deployment are not Ready", "Fewer replicas serve than desired"};
    return out;
  }
  out.cause = fmt::format(
      "The rollout of deployment {} is stuck (ProgressDeadlineExceeded): pods of the new ReplicaSet do not "
      "become Ready",
      name);
  out.chain = {"A new version is rolled out", "Its pods do not become Ready within the deadline",
               "The rollout stops; the old ReplicaSet keeps serving"};
  return out;
}

}  // namespace

void AddPlatformFindings(const KubernetesView& view, std::vector<Finding>& out) {
  out.push_back(Nodes(view));
  out.push_back(Creation(view));
  if (Finding f = Autoscaler(view); f.strength > 0) out.push_back(std::move(f));
  if (Finding f = Rollout(view); f.strength > 0 || !f.remark.empty()) out.push_back(std::move(f));
}

}  // namespace tocsin::investigate
