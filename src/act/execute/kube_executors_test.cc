// The Kubernetes executors against an API server's double on a real socket, and kubectl against the same
// double where it is installed: what it makes of a rollback and a cordon, ours must make too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "act/execute/catalogue.h"
#include "act/execute/testing/kube_double.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::KubeDouble;
using Fault = KubeDouble::Fault;
using Outcome = Receipt::Outcome;

constexpr const char* kWeb = "/apis/apps/v1/namespaces/shop/deployments/web";

class KubeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tocsin-kube-XXXXXX";
    folder_ = mkdtemp(name);
    std::ofstream(folder_ + "/token") << "t0ken\n";
    api_.PutDeployment(kWeb, "web:1", 3);
    ClusterEntry cluster;
    cluster.endpoint.base_url = api_.Url();
    cluster.token_file = folder_ + "/token";
    cluster.namespaces = {"shop", "team-*"};
    cluster.nodes = {"n*"};
    settings_.clusters["prod"] = cluster;
    Open();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void Open() {
    auto made = MakeExecutors(settings_, ports::SystemClock(), folder_);
    ASSERT_TRUE(made) << made.error().ToString();
    executors_ = std::move(*made);
  }
  static ExecutorCall Call(const std::string& action, const json& more = json::object(),
                           const std::string& key = "k1") {
    ExecutorCall call;
    call.action = "kubernetes." + action;
    call.with = {{"namespace", "shop"}, {"name", "web"}};
    call.with.update(more);
    call.idempotency_key = key;
    call.timeout = Duration::Seconds(10);
    return call;
  }
  static ExecutorCall NodeCall(const std::string& action, const json& more = json::object(),
                               const std::string& key = "k1") {
    ExecutorCall call = Call(action, json::object(), key);
    call.with = {{"node", "n1"}};
    call.with.update(more);
    return call;
  }
  Result<Preview> Look(const ExecutorCall& call) { return executors_->Find(call.action)->Look(call, {}); }
  Receipt Run(const ExecutorCall& call, std::stop_token stop = {}) {
    return executors_->Find(call.action)->Run(call, std::move(stop));
  }
  Receipt Recover(const ExecutorCall& call) { return executors_->Find(call.action)->Recover(call, {}); }
  Status Check(const ExecutorCall& call) { return executors_->Find(call.action)->Check(call); }
  json Template() const { return api_.Get(kWeb)["spec"]["template"]; }
  std::string Image() const { return Template()["spec"]["containers"][0]["image"]; }
  void PutPods() {
    const auto pod = [&](const std::string& name, const json& owner, const json& more = json::object()) {
      json object = {{"apiVersion", "v1"},
                     {"kind", "Pod"},
                     {"spec", {{"nodeName", "n1"}}},
                     {"status", {{"phase", "Running"}}}};
      if (!owner.is_null())
        object["metadata"]["ownerReferences"] = {
            {{"kind", owner}, {"name", "web-h1"}, {"uid", "u"}, {"controller", true}}};
      object.merge_patch(more);
      api_.Put("/api/v1/namespaces/shop/pods/" + name, object);
    };
    api_.Put("/api/v1/nodes/n1", {{"apiVersion", "v1"},
                                  {"kind", "Node"},
                                  {"spec", json::object()},
                                  {"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
    api_.Put("/api/v1/nodes/n2", {{"apiVersion", "v1"},
                                  {"kind", "Node"},
                                  {"spec", json::object()},
                                  {"status", {{"conditions", {{{"type", "Ready"}, {"status", "False"}}}}}}});
    for (const char* name : {"web-a", "web-b", "web-c"}) pod(name, "ReplicaSet");
    pod("agent", "DaemonSet");
    pod("etcd", json(), {{"metadata", {{"annotations", {{"kubernetes.io/config.mirror", "x"}}}}}});
    pod("elsewhere", "ReplicaSet", {{"spec", {{"nodeName", "n2"}}}});
  }
  // kubectl's output; "" when it is not installed.
  std::string Kubectl(const std::string& arguments) const {
    if (std::system("command -v kubectl >/dev/null 2>&1") != 0) return "";
    const std::string command = "HOME=" + folder_ + " kubectl --kubeconfig=/dev/null --server=" + api_.Url() +
                                " " + arguments + " 2>&1";
    std::string out;
    FILE* pipe = popen(command.c_str(), "r");
    char buffer[4096];
    while (size_t got = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
    const int status = pclose(pipe);
    EXPECT_EQ(status, 0) << out;
    return out.empty() ? "(nothing)" : out;
  }

  std::string folder_;
  KubeDouble api_{"t0ken"};
  ExecutorSettings settings_;
  std::unique_ptr<ExecutorDirectory> executors_;
};

TEST_F(KubeTest, Scales) {
  const auto preview = Look(Call("scale", {{"replicas", 5}}));
  ASSERT_TRUE(preview) << preview.error().ToString();
  EXPECT_EQ(preview->text, "scales deployment shop/web from 3 to 5 replicas");
  EXPECT_EQ(preview->undo, json({{"replicas", 3}, {"kind", "deployment"}, {"cluster", "prod"}}));
  EXPECT_EQ(preview->facts.instances, 3);
  EXPECT_EQ(preview->facts.healthy, 3);
  EXPECT_EQ(api_.Requests().back().query(), "dryRun=All");
  EXPECT_EQ(api_.Get(kWeb)["spec"]["replicas"], 3) << "looking changes nothing";
  EXPECT_TRUE(Look(Call("scale", {{"replicas", 3}}))->no_change);
  EXPECT_FALSE(Look(Call("scale", {{"replicas", 2000}}))) << "the API server's own no, from its dry run";

  EXPECT_EQ(Recover(Call("scale", {{"replicas", 5}})).outcome, Outcome::kNotDone);
  const auto receipt = Run(Call("scale", {{"replicas", 5}}));
  EXPECT_EQ(receipt.outcome, Outcome::kDone) << receipt.text;
  EXPECT_EQ(receipt.outputs, json({{"before", 3}, {"replicas", 5}}));
  EXPECT_EQ(api_.Get(kWeb)["spec"]["replicas"], 5);
  EXPECT_EQ(Run(Call("scale", {{"replicas", 4}}, "k2")).outcome, Outcome::kDone);
  EXPECT_EQ(api_.Get(kWeb)["metadata"]["annotations"]["tocsin.dev/last-keys"], "k2 k1");
  EXPECT_EQ(Recover(Call("scale", {{"replicas", 5}})).outcome, Outcome::kDone)
      << "a later step does not hide it";
  EXPECT_EQ(Recover(Call("scale", {{"replicas", 5}}, "k")).outcome, Outcome::kNotDone);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(Run(Call("scale", {{"replicas", i}}, "many-" + std::to_string(i))).outcome, Outcome::kDone);
  const std::string keys = api_.Get(kWeb)["metadata"]["annotations"]["tocsin.dev/last-keys"];
  EXPECT_EQ(std::count(keys.begin(), keys.end(), ' '), 7) << keys;
}

TEST_F(KubeTest, StaysWhereItMay) {
  const size_t before = api_.Requests().size();
  EXPECT_FALSE(Check(Call("scale", {{"replicas", 1}, {"namespace", "kube-system"}})).ok());
  EXPECT_FALSE(Check(Call("scale", {{"replicas", 1}, {"name", "../nodes"}})).ok());
  EXPECT_FALSE(Check(Call("scale", {{"replicas", 1}, {"name", "web?x=1"}})).ok());
  EXPECT_FALSE(Check(Call("scale", {{"replicas", -1}})).ok());
  EXPECT_FALSE(Check(Call("scale", {{"replicas", 1}, {"kind", "node"}})).ok());
  EXPECT_FALSE(Check(Call("scale", {{"replicas", 1}, {"kind", "daemonset"}})).ok());
  EXPECT_FALSE(Check(Call("scale", {{"replicas", 1}, {"cluster", "other"}})).ok());
  EXPECT_FALSE(Check(NodeCall("drain", {{"node", "master"}})).ok());
  EXPECT_FALSE(Check(Call("delete_pod", {{"namespace", "kube-system"}})).ok());
  EXPECT_EQ(Run(Call("scale", {{"replicas", 1}, {"namespace", "kube-system"}})).outcome, Outcome::kNotDone);
  EXPECT_EQ(api_.Requests().size(), before);
  EXPECT_EQ(Look(Call("scale", {{"replicas", 1}, {"name", "nothing"}})).error().code(), Code::kNotFound);
  std::ofstream(folder_ + "/token") << "wrong";
  EXPECT_EQ(Run(Call("scale", {{"replicas", 1}})).outcome, Outcome::kFailed);
  EXPECT_EQ(Look(Call("scale", {{"replicas", 1}})).error().code(), Code::kUnauthenticated);
  std::filesystem::remove(folder_ + "/token");
  EXPECT_EQ(Run(Call("scale", {{"replicas", 1}})).outcome, Outcome::kNotDone);
}

TEST_F(KubeTest, ACutConnectionIsAskedFor) {
  api_.Fail(Fault::kDropAfter);
  EXPECT_EQ(Run(Call("scale", {{"replicas", 5}})).outcome, Outcome::kDone) << "it had arrived";
  api_.Fail(Fault::kDropBefore);
  EXPECT_EQ(Run(Call("scale", {{"replicas", 6}}, "k2")).outcome, Outcome::kNotDone);
  api_.Fail(Fault::kError);
  EXPECT_EQ(Run(Call("scale", {{"replicas", 7}}, "k3")).outcome, Outcome::kNotDone);
  EXPECT_EQ(api_.Get(kWeb)["spec"]["replicas"], 5);
  api_.Fail(Fault::kConflict);
  EXPECT_EQ(Run(Call("scale", {{"replicas", 8}}, "k4")).outcome, Outcome::kDone) << "tried again";
  api_.Fail(Fault::kStall);
  std::stop_source stop;
  std::chrono::steady_clock::time_point at;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    at = std::chrono::steady_clock::now();
    stop.request_stop();
  });
  EXPECT_EQ(Run(Call("scale", {{"replicas", 9}}, "k5"), stop.get_token()).outcome, Outcome::kUnknown);
  stopper.join();
  EXPECT_LE(std::chrono::steady_clock::now() - at, std::chrono::milliseconds(250));
}

TEST_F(KubeTest, Restarts) {
  const auto receipt = Run(Call("restart"));
  EXPECT_EQ(receipt.outcome, Outcome::kDone) << receipt.text;
  EXPECT_EQ(Template()["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"],
            receipt.outputs["restarted_at"]);
  EXPECT_EQ(Template()["metadata"]["labels"]["app"], "web") << "the rest stays";
  EXPECT_EQ(Recover(Call("restart")).outputs, receipt.outputs);
  json web = api_.Get(kWeb);
  web["spec"]["paused"] = true;
  api_.Put(kWeb, web);
  EXPECT_EQ(Run(Call("restart", json::object(), "k2")).outcome, Outcome::kFailed);
}

TEST_F(KubeTest, RollsBackAsKubectlDoes) {
  for (const char* image : {"web:2", "web:3"}) api_.SetImage(kWeb, image);
  const auto preview = Look(Call("rollback"));
  ASSERT_TRUE(preview) << preview.error().ToString();
  EXPECT_EQ(preview->text, "rolls deployment shop/web back from revision 3 to 2");
  EXPECT_EQ(preview->undo["revision"], 3);
  EXPECT_EQ(Image(), "web:3");
  const auto receipt = Run(Call("rollback"));
  EXPECT_EQ(receipt.outcome, Outcome::kDone) << receipt.text;
  EXPECT_EQ(Image(), "web:2");
  const json ours = Template();
  EXPECT_FALSE(ours["metadata"]["labels"].contains("pod-template-hash"));
  EXPECT_EQ(Recover(Call("rollback")).outcome, Outcome::kDone);
  EXPECT_EQ(Run(Call("rollback", {{"revision", 3}}, "k2")).outcome, Outcome::kDone) << "the inverse";
  EXPECT_EQ(Image(), "web:3");
  if (const std::string said = Kubectl("-n shop rollout undo deployment/web"); !said.empty()) {
    EXPECT_THAT(said, HasSubstr("rolled back"));
    json theirs = Template();  // with fields that Go spells out
    theirs["metadata"].erase("creationTimestamp");
    theirs["spec"]["containers"][0].erase("resources");
    EXPECT_EQ(theirs, ours) << "kubectl makes the same of it";
    EXPECT_EQ(Kubectl("-n shop get deployment web -o jsonpath={.spec.replicas}"), "3");
  }
  EXPECT_EQ(Run(Call("rollback", {{"revision", 1}}, "k3")).outcome, Outcome::kDone);
  EXPECT_EQ(Image(), "web:1");
  EXPECT_EQ(Look(Call("rollback", {{"revision", 99}})).error().code(), Code::kNotFound);
  api_.PutDeployment("/apis/apps/v1/namespaces/shop/deployments/only", "only:1", 1);
  EXPECT_EQ(Look(Call("rollback", {{"name", "only"}})).error().code(), Code::kNotFound) << "no earlier one";
}

TEST_F(KubeTest, Reads) {
  const auto receipt = Run(Call("get"));
  EXPECT_EQ(receipt.outcome, Outcome::kDone) << receipt.text;
  EXPECT_EQ(receipt.outputs["ready"], 3);
  EXPECT_EQ(receipt.outputs["image"], "web:1");
  EXPECT_TRUE(executors_->Spec("kubernetes.get")->read_only);
}

TEST_F(KubeTest, CordonsAndTakesItBack) {
  PutPods();
  const auto preview = Look(NodeCall("cordon"));
  ASSERT_TRUE(preview) << preview.error().ToString();
  EXPECT_EQ(preview->undo, json({{"unschedulable", false}, {"cluster", "prod"}}));
  EXPECT_EQ(preview->facts.instances, 2);
  EXPECT_EQ(preview->facts.healthy, 1);
  EXPECT_EQ(Run(NodeCall("cordon")).outcome, Outcome::kDone);
  EXPECT_EQ(api_.Get("/api/v1/nodes/n1")["spec"]["unschedulable"], true);
  EXPECT_TRUE(Look(NodeCall("cordon"))->no_change);
  EXPECT_EQ(Recover(NodeCall("cordon")).outcome, Outcome::kDone);
  EXPECT_EQ(Run(NodeCall("cordon", {{"unschedulable", false}}, "k2")).outcome, Outcome::kDone);
  EXPECT_FALSE(api_.Get("/api/v1/nodes/n1")["spec"].contains("unschedulable"));
  if (const std::string said = Kubectl("cordon n1"); !said.empty()) {
    EXPECT_EQ(api_.Get("/api/v1/nodes/n1")["spec"]["unschedulable"], true);
    EXPECT_EQ(Run(NodeCall("uncordon", json::object(), "k3")).outcome, Outcome::kDone);
    EXPECT_THAT(Kubectl("cordon n1"), HasSubstr("cordoned")) << "not: already";
  }
}

TEST_F(KubeTest, DrainsWithinBudgets) {
  PutPods();
  api_.SetBudget(1);
  EXPECT_EQ(Look(NodeCall("drain"))->text, "cordons node n1 and evicts 3 pods; 2 of daemon sets stay");
  const auto receipt = Run(NodeCall("drain"));
  EXPECT_EQ(receipt.outcome, Outcome::kDone) << receipt.text;
  EXPECT_EQ(receipt.outputs["evicted"], 3);
  for (const char* gone : {"web-a", "web-b", "web-c"})
    EXPECT_TRUE(api_.Get("/api/v1/namespaces/shop/pods/" + std::string(gone)).is_null()) << gone;
  for (const char* there : {"agent", "etcd", "elsewhere"})
    EXPECT_FALSE(api_.Get("/api/v1/namespaces/shop/pods/" + std::string(there)).is_null()) << there;
  EXPECT_EQ(Recover(NodeCall("drain")).outcome, Outcome::kDone);
  EXPECT_EQ(Recover(NodeCall("drain", json::object(), "other")).outcome, Outcome::kNotDone);
}

TEST_F(KubeTest, ADrainThatCannotEnd) {
  PutPods();
  api_.SetBudget(0);
  auto call = NodeCall("drain");
  call.timeout = Duration::Millis(700);
  const auto receipt = Run(call);
  EXPECT_EQ(receipt.outcome, Outcome::kUnknown);
  EXPECT_THAT(receipt.text, HasSubstr("disruption budget"));
  EXPECT_EQ(Recover(call).outcome, Outcome::kUnknown);
  api_.Put("/api/v1/namespaces/shop/pods/alone", {{"kind", "Pod"}, {"spec", {{"nodeName", "n1"}}}});
  EXPECT_THAT(Look(NodeCall("drain")).error().message(),
              HasSubstr("shop/alone (nobody would make it again: force)"));
  EXPECT_EQ(Run(NodeCall("drain", json::object(), "k2")).outcome, Outcome::kNotDone);
  EXPECT_TRUE(Look(NodeCall("drain", {{"force", true}})));
  api_.Put("/api/v1/namespaces/shop/pods/alone",
           {{"kind", "Pod"},
            {"spec", {{"nodeName", "n1"}, {"volumes", {{{"name", "c"}, {"emptyDir", json::object()}}}}}}});
  EXPECT_FALSE(Look(NodeCall("drain", {{"force", true}})));
  EXPECT_TRUE(Look(NodeCall("drain", {{"force", true}, {"delete_local_data", true}})));
}

TEST_F(KubeTest, DeletesAPod) {
  PutPods();
  const auto call = Call("delete_pod", {{"name", "web-a"}});
  const auto preview = Look(call);
  ASSERT_TRUE(preview) << preview.error().ToString();
  EXPECT_THAT(preview->text, HasSubstr("ReplicaSet web-h1 makes another"));
  EXPECT_EQ(preview->facts.instances, 0) << "of its replica set";
  EXPECT_EQ(Recover(call).outcome, Outcome::kNotDone);
  EXPECT_EQ(Run(call).outcome, Outcome::kDone);
  EXPECT_EQ(Recover(call).outcome, Outcome::kDone) << "about to end";
  EXPECT_EQ(Recover(call).outcome, Outcome::kDone) << "gone";
  api_.Put("/api/v1/namespaces/shop/pods/db-0",
           {{"kind", "Pod"},
            {"metadata",
             {{"ownerReferences", {{{"kind", "StatefulSet"}, {"name", "db"}, {"controller", true}}}}}}});
  EXPECT_EQ(Recover(Call("delete_pod", {{"name", "db-0"}})).outcome, Outcome::kUnknown)
      << "made again, or never touched";
  api_.Fail(Fault::kDropBefore);
  EXPECT_EQ(Run(Call("delete_pod", {{"name", "web-b"}}, "k2")).outcome, Outcome::kNotDone);
  EXPECT_EQ(Run(Call("delete_pod", {{"name", "nothing"}}, "k3")).outcome, Outcome::kFailed);
}

}  // namespace
}  // namespace tocsin::act
