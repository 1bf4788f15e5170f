#include "act/execute/kube_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "act/execute/internal/call_parts.h"
#include "act/execute/internal/endpoint.h"
#include "act/execute/internal/kube_api.h"
#include "claims/claim_text.h"

namespace tocsin::act {
namespace {

using internal::KubeAnswer;
using internal::KubeApi;
using nlohmann::json;
using Outcome = Receipt::Outcome;

constexpr Duration kBetweenTries = Duration::Seconds(1);

std::string NodeOf(const ExecutorCall& call) { return internal::TextIn(call.with, "node"); }
std::string NodePath(const ExecutorCall& call) { return "/api/v1/nodes/" + NodeOf(call); }
std::string PodPath(const json& pod) {
  return fmt::format("/api/v1/namespaces/{}/pods/{}", internal::TextAt(pod, "/metadata/namespace"),
                     internal::TextAt(pod, "/metadata/name"));
}
std::string PodPath(const ExecutorCall& call) {
  return fmt::format("/api/v1/namespaces/{}/pods/{}", internal::TextIn(call.with, "namespace"),
                     internal::TextIn(call.with, "name"));
}
std::string PodName(const json& pod) {
  return internal::TextAt(pod, "/metadata/namespace") + "/" + internal::TextAt(pod, "/metadata/name");
}
bool IsOfPod(const ExecutorCall& call) { return call.action == "kubernetes.delete_pod"; }
// What the node shall be after this call.
bool WantsCordon(const ExecutorCall& call) {
  if (call.action == "kubernetes.uncordon") return false;
  return call.action == "kubernetes.drain" || !call.with.contains("unschedulable") ||
         internal::FlagIn(call.with, "unschedulable");
}

const json* ControllerOf(const json& pod) {
  for (const json& owner : internal::ObjectAt(pod, "/metadata/ownerReferences")) {
    if (internal::FlagIn(owner, "controller")) return &owner;
  }
  return nullptr;
}

bool IsReady(const json& object) {
  return std::ranges::any_of(internal::ObjectAt(object, "/status/conditions"), [](const json& condition) {
    return internal::TextIn(condition, "type") == "Ready" && internal::TextIn(condition, "status") == "True";
  });
}

bool KeepsLocalData(const json& pod) {
  return std::ranges::any_of(internal::ObjectAt(pod, "/spec/volumes"),
                             [](const json& volume) { return volume.contains("emptyDir"); });
}

// The pods of a node, sorted by what a drain does with them.
struct PodsOfNode {
  std::vector<json> evict;
  int stay = 0;                         // of daemon sets, and mirrors of static pods
  std::vector<std::string> in_the_way;  // "shop/db-0 (keeps local data)"
};

class KubeNodes : public Executor {
 public:
  explicit KubeNodes(std::map<std::string, ClusterEntry> clusters) : clusters_(std::move(clusters)) {}
  std::vector<ActionSpec> Actions() const override { return KubeNodeActions(); }
  Status Check(const ExecutorCall& call) const override;
  Result<Preview> Look(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Run(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Recover(const ExecutorCall& call, std::stop_token stop) override;

 private:
  std::string ClusterName(const ExecutorCall& call) const { return internal::ClusterName(clusters_, call); }
  Result<const ClusterEntry*> Cluster(const ExecutorCall& call) const {
    return internal::FindEntry(clusters_, ClusterName(call), "cluster");
  }
  static KubeAnswer Cordon(const ExecutorCall& call, KubeApi& api, bool dry_run);
  static Receipt Drain(const ExecutorCall& call, KubeApi& api);
  static Receipt DeletePod(const ExecutorCall& call, KubeApi& api);
  static Result<Preview> LookAtPod(const ExecutorCall& call, KubeApi& api);
  Result<Preview> LookAtNode(const ExecutorCall& call, KubeApi& api) const;

  std::map<std::string, ClusterEntry> clusters_;
};

Status KubeNodes::Check(const ExecutorCall& call) const {
  TOCSIN_RETURN_IF_ERROR(internal::CheckParameters(KubeNodeActions(), call));
  TOCSIN_ASSIGN_OR_RETURN(const ClusterEntry* cluster, Cluster(call));
  for (const char* name : {"node", "namespace", "name"}) {
    if (call.with.contains(name) && !internal::IsKubeName(internal::TextIn(call.with, name)))
      return Status(Code::kInvalidArgument, fmt::format("with.{}: is no name in Kubernetes", name));
  }
  if (IsOfPod(call) && !MatchesName(cluster->namespaces, internal::TextIn(call.with, "namespace")))
    return Status(Code::kPermissionDenied, "with.namespace: the configuration does not allow this namespace");
  if (!IsOfPod(call) && !MatchesName(cluster->nodes, NodeOf(call)))
    return Status(Code::kPermissionDenied, "with.node: the configuration does not allow this node");
  return {};
}

KubeAnswer KubeNodes::Cordon(const ExecutorCall& call, KubeApi& api, bool dry_run) {
  return internal::ChangeObject(api, NodePath(call), call.idempotency_key, dry_run, [&](const json&) {
    return json{{"spec", {{"unschedulable", WantsCordon(call) ? json(true) : json()}}}};
  });
}

Result<PodsOfNode> SortPods(const ExecutorCall& call, KubeApi& api) {
  TOCSIN_ASSIGN_OR_RETURN(json pods, api.List("/api/v1/pods?fieldSelector=" +
                                              internal::EncodePart("spec.nodeName=" + NodeOf(call))));
  PodsOfNode sorted;
  for (json& pod : pods) {
    const json* const owner = ControllerOf(pod);
    const std::string phase = internal::TextAt(pod, "/status/phase");
    const bool over = phase == "Succeeded" || phase == "Failed";
    const bool mirror =
        !internal::ObjectAt(pod, "/metadata/annotations/kubernetes.io~1config.mirror").is_null();
    if (mirror || (owner != nullptr && internal::TextIn(*owner, "kind") == "DaemonSet" && !over)) {
      ++sorted.stay;
    } else {
      if (owner == nullptr && !over && !internal::FlagIn(call.with, "force"))
        sorted.in_the_way.push_back(PodName(pod) + " (nobody would make it again: force)");
      if (KeepsLocalData(pod) && !over && !internal::FlagIn(call.with, "delete_local_data"))
        sorted.in_the_way.push_back(PodName(pod) + " (keeps local data: delete_local_data)");
      sorted.evict.push_back(std::move(pod));
    }
  }
  return sorted;
}

Status NothingInTheWay(const PodsOfNode& pods) {
  if (pods.in_the_way.empty()) return {};
  return Status(Code::kInvalidArgument, fmt::format("{} pods are in the way, as {}", pods.in_the_way.size(),
                                                    pods.in_the_way.front()));
}

Result<Preview> KubeNodes::LookAtPod(const ExecutorCall& call, KubeApi& api) {
  const KubeAnswer pod = api.Get(PodPath(call));
  if (!pod.object) return Error(pod.object.error());
  const json* const owner = ControllerOf(*pod.object);
  Preview preview = internal::MakePreview(
      fmt::format("deletes pod {}{}", PodName(*pod.object),
                  owner == nullptr ? ": nobody makes it again"
                                   : fmt::format("; {} {} makes another", internal::TextIn(*owner, "kind"),
                                                 internal::TextIn(*owner, "name"))));
  preview.facts.instances = 1;
  preview.facts.healthy = IsReady(*pod.object) ? 1 : 0;
  const std::string kind = owner == nullptr ? "" : internal::TextIn(*owner, "kind");
  if (kind != "ReplicaSet" && kind != "StatefulSet") return preview;
  const KubeAnswer set = api.Get(
      fmt::format("/apis/apps/v1/namespaces/{}/{}s/{}", internal::TextIn(call.with, "namespace"),
                  kind == "ReplicaSet" ? "replicaset" : "statefulset", internal::TextIn(*owner, "name")));
  if (!set.object) return preview;
  preview.facts.instances = static_cast<int>(internal::NumberAt(*set.object, "/spec/replicas", 1));
  preview.facts.healthy = static_cast<int>(internal::NumberAt(*set.object, "/status/readyReplicas", 0));
  return preview;
}

// Facts of a node are those of its cluster: how many nodes there are, and how many could take pods.
Result<Preview> KubeNodes::LookAtNode(const ExecutorCall& call, KubeApi& api) const {
  const KubeAnswer node = api.Get(NodePath(call));
  if (!node.object) return Error(node.object.error());
  const bool cordoned = internal::FlagAt(*node.object, "/spec/unschedulable");
  const KubeAnswer dry = Cordon(call, api, true);
  if (!dry.object) return Error(dry.object.error().WithContext("dry run"));
  std::string text = fmt::format("{} node {}", WantsCordon(call) ? "cordons" : "uncordons", NodeOf(call));
  bool empty = true;
  if (call.action == "kubernetes.drain") {
    TOCSIN_ASSIGN_OR_RETURN(const PodsOfNode pods, SortPods(call, api));
    TOCSIN_RETURN_IF_ERROR(NothingInTheWay(pods));
    empty = pods.evict.empty();
    text += fmt::format(" and evicts {} pods; {} of daemon sets stay", pods.evict.size(), pods.stay);
  }
  Preview preview =
      internal::MakePreview(text, {{"unschedulable", cordoned}, {"cluster", ClusterName(call)}});
  preview.no_change = cordoned == WantsCordon(call) && empty;
  const auto nodes = api.List("/api/v1/nodes");
  if (!nodes) return preview;  // the account may not list them
  preview.facts.instances = static_cast<int>(nodes->size());
  preview.facts.healthy = static_cast<int>(std::ranges::count_if(
      *nodes, [](const json& one) { return IsReady(one) && !internal::FlagAt(one, "/spec/unschedulable"); }));
  return preview;
}

Result<Preview> KubeNodes::Look(const ExecutorCall& call, std::stop_token stop) {
  TOCSIN_RETURN_IF_ERROR(Check(call));
  TOCSIN_ASSIGN_OR_RETURN(const ClusterEntry* cluster, Cluster(call));
  KubeApi api(*cluster, call, std::move(stop));
  return IsOfPod(call) ? LookAtPod(call, api) : LookAtNode(call, api);
}

// Asks for every eviction until it is granted. A budget (429) is waited for, the other pods meanwhile go; a
// pod that is gone is good. `at`: the pod it failed at.
Status EvictAll(KubeApi& api, const std::vector<json>& pods, std::string& at) {
  std::vector<const json*> waiting;
  for (const json& pod : pods) waiting.push_back(&pod);
  while (true) {
    Duration pause = kBetweenTries;
    Status last;
    for (auto it = waiting.begin(); it != waiting.end();) {
      const json& pod = **it;
      const json body = {
          {"apiVersion", "policy/v1"},
          {"kind", "Eviction"},
          {"metadata",
           {{"name", internal::TextAt(pod, "/metadata/name")},
            {"namespace", internal::TextAt(pod, "/metadata/namespace")}}},
          {"deleteOptions", {{"preconditions", {{"uid", internal::TextAt(pod, "/metadata/uid")}}}}}};
      const KubeAnswer answer = api.Post(PodPath(pod) + "/eviction", body);
      const Code code = answer.object ? Code::kOk : answer.object.error().code();
      // kFailedPrecondition: there is one of another uid, so ours is gone.
      if (code == Code::kOk || code == Code::kNotFound || code == Code::kFailedPrecondition) {
        it = waiting.erase(it);
        continue;
      }
      at = PodName(pod);
      last = answer.object.error();
      if (!last.retryable() || api.stopped()) return last;
      if (answer.retry_after_s > 0) pause = Duration::Seconds(std::min<int64_t>(answer.retry_after_s, 10));
      ++it;
    }
    if (waiting.empty()) return {};
    if (!api.Wait(pause)) return last;
  }
}

Status AwaitGone(KubeApi& api, const json& pod) {
  while (true) {
    const KubeAnswer now = api.Get(PodPath(pod));
    if (!now.object && now.object.error().code() == Code::kNotFound) return {};
    if (!now.object && !now.object.error().retryable()) return now.object.error();
    if (now.object &&
        internal::TextAt(*now.object, "/metadata/uid") != internal::TextAt(pod, "/metadata/uid"))
      return {};
    if (!api.Wait(Duration::Millis(500))) return Status(Code::kDeadlineExceeded, "it is still there");
  }
}

Receipt KubeNodes::Drain(const ExecutorCall& call, KubeApi& api) {
  const auto before = SortPods(call, api);
  if (!before) return internal::NotBegun(before.error());
  if (auto status = NothingInTheWay(*before); !status.ok()) return internal::NotBegun(status);
  const KubeAnswer cordoned = Cordon(call, api, false);
  if (!cordoned.object) return internal::ReceiptOf(cordoned, "cordons node " + NodeOf(call));
  // Those that came before it was cordoned.
  const auto pods = SortPods(call, api);
  Status status = pods ? NothingInTheWay(*pods) : pods.error();
  size_t gone = 0;
  const size_t all = pods ? pods->evict.size() : 0;
  std::string at;
  if (status.ok()) status = EvictAll(api, pods->evict, at);
  for (size_t i = 0; status.ok() && i < all; ++i, ++gone) {
    at = PodName(pods->evict[i]);
    status = AwaitGone(api, pods->evict[i]);
    if (!status.ok()) break;
  }
  const json outputs = {{"evicted", gone}};
  if (status.ok())
    return internal::MakeReceipt(Outcome::kDone,
                                 fmt::format("node {} is cordoned, its {} pods are gone", NodeOf(call), gone),
                                 outputs);
  // The node is cordoned and some pods are gone: that is neither done nor undone.
  return internal::MakeReceipt(
      Outcome::kUnknown,
      fmt::format("node {} is cordoned, but not empty: {}: {}", NodeOf(call), at, status.message()), outputs,
      {{"error", std::string(CodeName(status.code()))}});
}

Receipt KubeNodes::DeletePod(const ExecutorCall& call, KubeApi& api) {
  const std::string sentence =
      "deletes pod " + internal::TextIn(call.with, "namespace") + "/" + internal::TextIn(call.with, "name");
  // Marked first: one that is still there with the mark was not deleted.
  const KubeAnswer marked = internal::ChangeObject(api, PodPath(call), call.idempotency_key, false,
                                                   [](const json&) { return json::object(); });
  if (!marked.object) {
    Receipt receipt = internal::ReceiptOf(marked, sentence);
    if (receipt.outcome == Outcome::kUnknown) receipt.outcome = Outcome::kNotDone;
    return receipt;
  }
  const std::string uid = internal::TextAt(*marked.object, "/metadata/uid");
  const KubeAnswer answer = api.Delete(
      PodPath(call), {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"preconditions", {{"uid", uid}}}});
  return internal::ReceiptOf(answer, sentence, answer.object ? json{{"uid", uid}} : json::object());
}

Receipt KubeNodes::Run(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok()) return internal::NotBegun(status);
  KubeApi api(**Cluster(call), call, stop);
  if (call.action == "kubernetes.drain") return Drain(call, api);
  Receipt receipt;
  if (IsOfPod(call)) {
    receipt = DeletePod(call, api);
  } else {
    const std::string sentence =
        fmt::format("{} node {}", WantsCordon(call) ? "cordons" : "uncordons", NodeOf(call));
    receipt = internal::ReceiptOf(Cordon(call, api, false), sentence, {{"unschedulable", WantsCordon(call)}});
  }
  if (receipt.outcome == Outcome::kUnknown && !stop.stop_requested()) return Recover(call, std::move(stop));
  return receipt;
}

Receipt RecoverPod(const ExecutorCall& call, const KubeAnswer& pod) {
  const auto says = [&](Outcome outcome, std::string_view what) {
    return internal::MakeReceipt(outcome,
                                 fmt::format("pod {}/{} {}", internal::TextIn(call.with, "namespace"),
                                             internal::TextIn(call.with, "name"), what));
  };
  if (!pod.object) {
    return pod.object.error().code() == Code::kNotFound
               ? says(Outcome::kDone, "is gone")
               : says(Outcome::kUnknown, pod.object.error().message());
  }
  const bool marked = internal::HasKey(*pod.object, call.idempotency_key);
  if (marked && !internal::TextAt(*pod.object, "/metadata/deletionTimestamp").empty())
    return says(Outcome::kDone, "is about to end");
  if (marked) return says(Outcome::kNotDone, "is still there, marked by this step");
  const json* const owner = ControllerOf(*pod.object);
  // The name of a replica set's pod is never used again; a stateful set's is.
  if (owner != nullptr && internal::TextIn(*owner, "kind") == "ReplicaSet")
    return says(Outcome::kNotDone, "is still there, untouched by this step");
  return says(Outcome::kUnknown, "is there: untouched by this step, or made again after it");
}

Receipt KubeNodes::Recover(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok())
    return internal::MakeReceipt(Outcome::kUnknown, status.message());
  KubeApi api(**Cluster(call), call, std::move(stop));
  if (IsOfPod(call)) return RecoverPod(call, api.Get(PodPath(call)));
  const KubeAnswer node = api.Get(NodePath(call));
  if (!node.object && node.object.error().code() != Code::kNotFound)
    return internal::MakeReceipt(Outcome::kUnknown, node.object.error().message());
  if (!node.object || !internal::HasKey(*node.object, call.idempotency_key))
    return internal::NotBegun(
        Status(Code::kNotFound, fmt::format("node {} does not have the mark of this step", NodeOf(call))));
  if (call.action != "kubernetes.drain")
    return internal::MakeReceipt(Outcome::kDone,
                                 fmt::format("node {} has the mark of this step", NodeOf(call)),
                                 {{"unschedulable", WantsCordon(call)}});
  const auto pods = SortPods(call, api);
  if (pods && pods->evict.empty())
    return internal::MakeReceipt(Outcome::kDone, fmt::format("node {} is cordoned and empty", NodeOf(call)));
  return internal::MakeReceipt(
      Outcome::kUnknown,
      pods ? fmt::format("node {} is cordoned, {} pods are still there", NodeOf(call), pods->evict.size())
           : pods.error().message());
}

ActionSpec NodeSpec(std::string name, std::string about, std::vector<ActionParameter> more) {
  std::vector<ActionParameter> parameters = {
      {"cluster", "text", false, "name in act.executors.clusters; the only one when absent"},
      {"node", "text", true, "one that the configuration allows"}};
  parameters.insert(parameters.end(), more.begin(), more.end());
  ActionSpec spec = internal::MakeSpec("kubernetes." + name, std::move(about), std::move(parameters));
  spec.undo = {"unschedulable", "cluster"};
  spec.outputs = {"unschedulable"};
  spec.recoverable = true;
  spec.usual_inverse = {{"action", "kubernetes.cordon"},
                        {"with",
                         {{"cluster", "{{ undo.cluster }}"},
                          {"node", "{{ with.node }}"},
                          {"unschedulable", "{{ undo.unschedulable }}"}}}};
  return spec;
}

}  // namespace

std::vector<ActionSpec> KubeNodeActions() {
  ActionSpec drain = NodeSpec("drain", "cordons a node and evicts its pods, within their disruption budgets",
                              {{"delete_local_data", "boolean", false, "also pods with an emptyDir"},
                               {"force", "boolean", false, "also pods that nobody would make again"}});
  drain.outputs = {"evicted"};
  drain.recoverable = false;  // half a drain is for a person to judge
  ActionSpec pod = internal::MakeSpec(
      "kubernetes.delete_pod", "deletes a pod, so that its controller makes another",
      {{"cluster", "text", false, "name in act.executors.clusters; the only one when absent"},
       {"namespace", "text", true, "one that the configuration allows"},
       {"name", "text", true, "of the pod"}});
  pod.outputs = {"uid"};
  return {NodeSpec("cordon", "lets no new pods onto a node",
                   {{"unschedulable", "boolean", false, "true when absent; false takes it back"}}),
          NodeSpec("uncordon", "lets pods onto a node again", {}), drain, pod};
}

std::unique_ptr<Executor> MakeKubeNodes(std::map<std::string, ClusterEntry> clusters) {
  return std::make_unique<KubeNodes>(std::move(clusters));
}

}  // namespace tocsin::act
