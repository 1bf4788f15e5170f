#include "act/execute/kube_workloads.h"

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

constexpr int64_t kMaxReplicas = 10'000;
constexpr const char* kRestartedAt = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt";
constexpr const char* kRevision = "/metadata/annotations/deployment.kubernetes.io~1revision";

std::string KindOf(const ExecutorCall& call) { return internal::TextIn(call.with, "kind", "deployment"); }
std::string NamespaceOf(const ExecutorCall& call) { return internal::TextIn(call.with, "namespace"); }
std::string ApiRoot(const ExecutorCall& call) { return "/apis/apps/v1/namespaces/" + NamespaceOf(call); }
std::string ObjectPath(const ExecutorCall& call) {
  return fmt::format("{}/{}s/{}", ApiRoot(call), KindOf(call), internal::TextIn(call.with, "name"));
}
std::string Subject(const ExecutorCall& call) {
  return fmt::format("{} {}/{}", KindOf(call), NamespaceOf(call), internal::TextIn(call.with, "name"));
}
int64_t ReplicasOf(const json& object) { return internal::NumberAt(object, "/spec/replicas", 1); }

TargetFacts FactsOf(const ExecutorCall& call, const json& object) {
  TargetFacts facts;
  const bool daemons = KindOf(call) == "daemonset";
  facts.instances = static_cast<int>(daemons ? internal::NumberAt(object, "/status/desiredNumberScheduled", 0)
                                             : ReplicasOf(object));
  facts.healthy = static_cast<int>(
      internal::NumberAt(object, daemons ? "/status/numberReady" : "/status/readyReplicas", 0));
  return facts;
}

// A change as it is to be made: a merge patch, or a JSON patch with a template, and what to say of it.
struct Change {
  json merge, patch;
  std::string sentence;
  json undo = json::object(), outputs = json::object();
  bool no_change = false;
};

class KubeWorkloads : public Executor {
 public:
  KubeWorkloads(std::map<std::string, ClusterEntry> clusters, const ports::Clock& clock)
      : clusters_(std::move(clusters)), clock_(clock) {}
  std::vector<ActionSpec> Actions() const override { return KubeWorkloadActions(); }
  Status Check(const ExecutorCall& call) const override;
  Result<Preview> Look(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Run(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Recover(const ExecutorCall& call, std::stop_token stop) override;

 private:
  std::string ClusterName(const ExecutorCall& call) const { return internal::ClusterName(clusters_, call); }
  Result<const ClusterEntry*> Cluster(const ExecutorCall& call) const {
    return internal::FindEntry(clusters_, ClusterName(call), "cluster");
  }
  Result<Change> MakeChange(const ExecutorCall& call, KubeApi& api, const json& object) const;
  static Result<Change> MakeRollback(const ExecutorCall& call, KubeApi& api, const json& object);
  KubeAnswer Apply(const ExecutorCall& call, KubeApi& api, bool dry_run, Change& change) const;

  std::map<std::string, ClusterEntry> clusters_;
  const ports::Clock& clock_;
};

Status KubeWorkloads::Check(const ExecutorCall& call) const {
  TOCSIN_RETURN_IF_ERROR(internal::CheckParameters(KubeWorkloadActions(), call));
  TOCSIN_ASSIGN_OR_RETURN(const ClusterEntry* cluster, Cluster(call));
  for (const char* name : {"namespace", "name"}) {
    if (!internal::IsKubeName(internal::TextIn(call.with, name)))
      return Status(Code::kInvalidArgument, fmt::format("with.{}: is no name in Kubernetes", name));
  }
  if (!MatchesName(cluster->namespaces, NamespaceOf(call)))
    return Status(Code::kPermissionDenied,
                  fmt::format("with.namespace: the configuration does not allow {}", NamespaceOf(call)));
  const std::string kind = KindOf(call);
  const bool scalable = kind == "deployment" || kind == "statefulset";
  if (!(scalable || (kind == "daemonset" && call.action != "kubernetes.scale")))
    return Status(Code::kInvalidArgument, fmt::format("with.kind: {} cannot be used with '{}'", call.action,
                                                      claims::Printable(kind)));
  const int64_t replicas = internal::NumberIn(call.with, "replicas", 0);
  if (replicas < 0 || replicas > kMaxReplicas)
    return Status(Code::kInvalidArgument, fmt::format("with.replicas: is not from 0 to {}", kMaxReplicas));
  if (internal::NumberIn(call.with, "revision", 1) < 1)
    return Status(Code::kInvalidArgument, "with.revision: is not above 0");
  return {};
}

// "app=web,tier in (a,b)"
std::string SelectorOf(const json& object) {
  std::string out;
  const auto add = [&](const std::string& text) { out += (out.empty() ? "" : ",") + text; };
  for (const auto& [name, value] : internal::ObjectAt(object, "/spec/selector/matchLabels").items())
    add(fmt::format("{}={}", name, TextOf(value)));
  for (const json& one : internal::ObjectAt(object, "/spec/selector/matchExpressions")) {
    const std::string key = internal::TextIn(one, "key"), with = internal::TextIn(one, "operator");
    std::string values;
    for (const json& value : internal::ObjectAt(one, "/values"))
      values += (values.empty() ? "" : ",") + TextOf(value);
    if (with == "Exists") add(key);
    if (with == "DoesNotExist") add("!" + key);
    if (with == "In") add(fmt::format("{} in ({})", key, values));
    if (with == "NotIn") add(fmt::format("{} notin ({})", key, values));
  }
  return out;
}

bool IsControlledBy(const json& object, const std::string& uid) {
  return std::ranges::any_of(internal::ObjectAt(object, "/metadata/ownerReferences"), [&](const json& owner) {
    return internal::FlagIn(owner, "controller") && internal::TextIn(owner, "uid") == uid;
  });
}

int64_t RevisionOf(const json& object) {
  const std::string text = internal::TextAt(object, kRevision);
  int64_t revision = 0;
  for (const char c : text)
    revision = c >= '0' && c <= '9' && revision < 1'000'000'000 ? revision * 10 + (c - '0') : 0;
  return revision;
}

// The template of an earlier revision takes the place of the whole of this one's.
Result<Change> KubeWorkloads::MakeRollback(const ExecutorCall& call, KubeApi& api, const json& object) {
  if (KindOf(call) != "deployment")
    return Error(Code::kInvalidArgument, "with.kind: only a deployment can be rolled back");
  TOCSIN_ASSIGN_OR_RETURN(
      const json sets,
      api.List(ApiRoot(call) + "/replicasets?labelSelector=" + internal::EncodePart(SelectorOf(object))));
  const std::string uid = internal::TextAt(object, "/metadata/uid");
  const int64_t current = RevisionOf(object), wanted = internal::NumberIn(call.with, "revision", 0);
  const json* chosen = nullptr;
  for (const json& set : sets) {
    const int64_t revision = RevisionOf(set);
    if (!IsControlledBy(set, uid) || revision == 0) continue;
    const bool fits = wanted > 0
                          ? revision == wanted
                          : revision < current && (chosen == nullptr || revision > RevisionOf(*chosen));
    if (fits) chosen = &set;
  }
  if (chosen == nullptr)
    return Error(Code::kNotFound, wanted > 0 ? fmt::format("{} has no revision {}", Subject(call), wanted)
                                             : Subject(call) + " has no earlier revision");
  json pod = internal::ObjectAt(*chosen, "/spec/template");
  if (pod.contains("/metadata/labels"_json_pointer)) pod["metadata"]["labels"].erase("pod-template-hash");
  Change change;
  change.no_change = pod == internal::ObjectAt(object, "/spec/template");
  change.sentence =
      fmt::format("rolls {} back from revision {} to {}", Subject(call), current, RevisionOf(*chosen));
  change.undo = {{"revision", current}};
  change.outputs = {{"from", current}, {"to", RevisionOf(*chosen)}};
  json keys = internal::ObjectAt(object, "/metadata/annotations");
  if (!keys.is_object()) keys = json::object();
  keys[internal::kKeysAnnotation] = internal::WithKey(object, call.idempotency_key);
  // The generation changes with every change of the spec: nobody's is overwritten.
  change.patch = {{{"op", "test"},
                   {"path", "/metadata/generation"},
                   {"value", internal::NumberAt(object, "/metadata/generation", 0)}},
                  {{"op", "add"}, {"path", "/metadata/annotations"}, {"value", keys}},
                  {{"op", "replace"}, {"path", "/spec/template"}, {"value", pod}}};
  return change;
}

Result<Change> KubeWorkloads::MakeChange(const ExecutorCall& call, KubeApi& api, const json& object) const {
  Change change;
  if (call.action == "kubernetes.scale") {
    const int64_t now = ReplicasOf(object), wanted = internal::NumberIn(call.with, "replicas", 0);
    change.merge = {{"spec", {{"replicas", wanted}}}};
    change.sentence = fmt::format("scales {} from {} to {} replicas", Subject(call), now, wanted);
    change.undo = {{"replicas", now}, {"kind", KindOf(call)}};
    change.outputs = {{"before", now}, {"replicas", wanted}};
    change.no_change = now == wanted;
    return change;
  }
  if (internal::FlagAt(object, "/spec/paused"))
    return Error(Code::kFailedPrecondition,
                 Subject(call) + " is paused: nothing would roll out; resume it first");
  if (call.action == "kubernetes.rollback") return MakeRollback(call, api, object);
  const std::string now = FormatTime({clock_.Now().ns / 1'000'000'000 * 1'000'000'000});
  change.merge["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] = now;
  change.sentence = fmt::format("restarts {}, pod by pod", Subject(call));
  change.outputs = {{"restarted_at", now}};
  return change;
}

// Reads, changes, and reads and changes again when somebody else came first. `change`: the last one made.
KubeAnswer KubeWorkloads::Apply(const ExecutorCall& call, KubeApi& api, bool dry_run, Change& change) const {
  constexpr int kTries = 5;
  KubeAnswer answer{Error(Code::kUnavailable, "somebody else keeps changing it")};
  for (int i = 0; i < kTries; ++i) {
    const KubeAnswer now = api.Get(ObjectPath(call));
    if (!now.object) return {Error(now.object.error())};
    auto made = MakeChange(call, api, *now.object);
    if (!made) return {Error(made.error())};
    change = std::move(*made);
    if (!change.patch.is_null()) return api.JsonPatch(ObjectPath(call), change.patch, dry_run);
    change.merge["metadata"]["annotations"][internal::kKeysAnnotation] =
        internal::WithKey(*now.object, call.idempotency_key);
    change.merge["metadata"]["resourceVersion"] = internal::TextAt(*now.object, "/metadata/resourceVersion");
    answer = api.MergePatch(ObjectPath(call), change.merge, dry_run);
    if (answer.object || answer.object.error().code() != Code::kFailedPrecondition) return answer;
  }
  return answer;
}

Result<Preview> KubeWorkloads::Look(const ExecutorCall& call, std::stop_token stop) {
  TOCSIN_RETURN_IF_ERROR(Check(call));
  TOCSIN_ASSIGN_OR_RETURN(const ClusterEntry* cluster, Cluster(call));
  KubeApi api(*cluster, call, std::move(stop));
  const KubeAnswer now = api.Get(ObjectPath(call));
  if (!now.object) return Error(now.object.error());
  Preview preview = internal::MakePreview("reads " + Subject(call));
  if (call.action != "kubernetes.get") {
    Change change;
    const KubeAnswer dry = Apply(call, api, true, change);
    if (!dry.object) return Error(dry.object.error().WithContext("dry run"));
    change.undo["cluster"] = ClusterName(call);
    preview = internal::MakePreview(change.sentence, change.undo);
    preview.no_change = change.no_change;
  }
  preview.facts = FactsOf(call, *now.object);
  return preview;
}

Receipt ReadWorkload(const ExecutorCall& call, const json& object) {
  const TargetFacts facts = FactsOf(call, object);
  json images = json::array();
  for (const json& container : internal::ObjectAt(object, "/spec/template/spec/containers"))
    images.push_back(internal::TextIn(container, "image"));
  json outputs = {{"replicas", facts.instances.value_or(0)},
                  {"ready", facts.healthy.value_or(0)},
                  {"updated", internal::NumberAt(object, "/status/updatedReplicas", 0)},
                  {"image", images.empty() ? json("") : images[0]},
                  {"images", images},
                  {"revision", RevisionOf(object)},
                  {"paused", internal::FlagAt(object, "/spec/paused")}};
  return internal::MakeReceipt(Outcome::kDone,
                               fmt::format("{}: {} of {} ready, {}", Subject(call), facts.healthy.value_or(0),
                                           facts.instances.value_or(0), internal::TextIn(outputs, "image")),
                               std::move(outputs));
}

Receipt KubeWorkloads::Run(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok()) return internal::NotBegun(status);
  KubeApi api(**Cluster(call), call, stop);
  if (call.action == "kubernetes.get") {
    const KubeAnswer now = api.Get(ObjectPath(call));
    return now.object ? ReadWorkload(call, *now.object) : internal::ReceiptOf(now, Subject(call));
  }
  Change change;
  change.sentence = Subject(call);
  const KubeAnswer answer = Apply(call, api, false, change);
  Receipt receipt =
      internal::ReceiptOf(answer, change.sentence, answer.object ? change.outputs : json::object());
  // The object itself says whether it was changed.
  if (receipt.outcome == Outcome::kUnknown && !stop.stop_requested()) return Recover(call, std::move(stop));
  return receipt;
}

Receipt KubeWorkloads::Recover(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok())
    return internal::MakeReceipt(Outcome::kUnknown, status.message());
  if (call.action == "kubernetes.get") return Run(call, std::move(stop));
  KubeApi api(**Cluster(call), call, std::move(stop));
  const KubeAnswer now = api.Get(ObjectPath(call));
  if (!now.object && now.object.error().code() == Code::kNotFound)
    return internal::NotBegun(Status(Code::kNotFound, Subject(call) + " is not there"));
  if (!now.object) return internal::MakeReceipt(Outcome::kUnknown, now.object.error().message());
  const bool done = internal::HasKey(*now.object, call.idempotency_key);
  Receipt receipt = internal::MakeReceipt(
      done ? Outcome::kDone : Outcome::kNotDone,
      fmt::format("{} {} the mark of this step", Subject(call), done ? "has" : "does not have"),
      json::object(), {{"resource_version", internal::TextAt(*now.object, "/metadata/resourceVersion")}});
  if (done && call.action == "kubernetes.scale") receipt.outputs = {{"replicas", ReplicasOf(*now.object)}};
  if (done && call.action == "kubernetes.restart")
    receipt.outputs = {{"restarted_at", internal::TextAt(*now.object, kRestartedAt)}};
  return receipt;
}

ActionSpec WorkloadSpec(std::string name, std::string about, std::vector<ActionParameter> more) {
  std::vector<ActionParameter> parameters = {
      {"cluster", "text", false, "name in act.executors.clusters; the only one when absent"},
      {"namespace", "text", true, "one that the configuration allows"},
      {"kind", "text", false, "deployment when absent; statefulset, daemonset"},
      {"name", "text", true, "of the object"}};
  parameters.insert(parameters.end(), more.begin(), more.end());
  ActionSpec spec = internal::MakeSpec("kubernetes." + name, std::move(about), std::move(parameters));
  spec.recoverable = true;
  return spec;
}

json InverseOf(const std::string& action, json more) {
  json with = {
      {"cluster", "{{ undo.cluster }}"}, {"namespace", "{{ with.namespace }}"}, {"name", "{{ with.name }}"}};
  with.update(more);
  return {{"action", action}, {"with", with}};
}

}  // namespace

std::vector<ActionSpec> KubeWorkloadActions() {
  ActionSpec scale = WorkloadSpec("scale", "sets how many replicas a workload has",
                                  {{"replicas", "integer", true, "how many there shall be"}});
  scale.undo = {"replicas", "kind", "cluster"};
  scale.outputs = {"before", "replicas"};
  scale.usual_inverse =
      InverseOf("kubernetes.scale", {{"replicas", "{{ undo.replicas }}"}, {"kind", "{{ undo.kind }}"}});
  ActionSpec restart = WorkloadSpec("restart", "replaces all pods of a workload, one after another", {});
  restart.outputs = {"restarted_at"};
  ActionSpec rollback =
      WorkloadSpec("rollback", "puts an earlier revision of a deployment back",
                   {{"revision", "integer", false, "which; the one before this when absent"}});
  rollback.undo = {"revision", "cluster"};
  rollback.outputs = {"from", "to"};
  rollback.usual_inverse = InverseOf("kubernetes.rollback", {{"revision", "{{ undo.revision }}"}});
  ActionSpec get = WorkloadSpec("get", "reads replicas and images of a workload", {});
  get.outputs = {"replicas", "ready", "updated", "image", "images", "revision", "paused"};
  get.read_only = true;
  return {scale, restart, rollback, get};
}

std::unique_ptr<Executor> MakeKubeWorkloads(std::map<std::string, ClusterEntry> clusters,
                                            const ports::Clock& clock) {
  return std::make_unique<KubeWorkloads>(std::move(clusters), clock);
}

}  // namespace tocsin::act
