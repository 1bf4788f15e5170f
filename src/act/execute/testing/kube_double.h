// KubeDouble: an API server of Kubernetes as far as Tocsin's executors and kubectl see it, on a real socket:
// tokens, discovery, lists with selectors and pages, merge and JSON patches with optimistic locking and dry
// runs, generations, evictions against disruption budgets, and a deployment controller that keeps replica
// sets and their revisions. Thread-safe. Header only: for tests.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>

#include "act/execute/testing/scripted_server.h"

namespace tocsin::act::testing {

class KubeDouble {
 public:
  enum class Fault { kNone, kDropBefore, kDropAfter, kError, kStall, kConflict };
  using json = nlohmann::json;

  explicit KubeDouble(std::string token)
      : token_(std::move(token)), server_([this](const ServerRequest& request) { return Answer(request); }) {}

  std::string Url() const { return server_.Url(); }
  std::vector<ServerRequest> Requests() const { return server_.Requests(); }
  // Of the next request that changes something.
  void Fail(Fault fault) {
    const std::scoped_lock lock(mutex_);
    fault_ = fault;
  }
  void Put(const std::string& path, json object) {
    const std::scoped_lock lock(mutex_);
    object["metadata"]["name"] = path.substr(path.rfind('/') + 1);
    if (const size_t at = path.find("/namespaces/"); at != std::string::npos)
      object["metadata"]["namespace"] = path.substr(at + 12, path.find('/', at + 12) - at - 12);
    object["metadata"]["uid"] = "uid-" + std::to_string(++version_);
    object["metadata"]["generation"] = 1;
    Store(path, std::move(object));
  }
  json Get(const std::string& path) const {
    const std::scoped_lock lock(mutex_);
    const auto it = objects_.find(path);
    return it == objects_.end() ? json() : it->second;
  }
  void Remove(const std::string& path) {
    const std::scoped_lock lock(mutex_);
    objects_.erase(path);
  }
  // A deployment with its first replica set, as the controller makes it.
  void PutDeployment(const std::string& path, const std::string& image, int replicas) {
    const std::string app = path.substr(path.rfind('/') + 1);
    Put(path, {{"apiVersion", "apps/v1"},
               {"kind", "Deployment"},
               {"spec",
                {{"replicas", replicas},
                 {"selector", {{"matchLabels", {{"app", app}}}}},
                 {"template",
                  {{"metadata", {{"labels", {{"app", app}}}}},
                   {"spec", {{"containers", {{{"name", "main"}, {"image", image}}}}}}}}}}});
    const std::scoped_lock lock(mutex_);
    Reconcile(path);
  }
  // As somebody's deployment does.
  void SetImage(const std::string& path, const std::string& image) {
    const std::scoped_lock lock(mutex_);
    json object = objects_.at(path);
    object["spec"]["template"]["spec"]["containers"][0]["image"] = image;
    object["metadata"]["generation"] = object["metadata"]["generation"].get<int>() + 1;
    Store(path, object);
    Reconcile(path);
  }
  void SetBudget(int evictions_allowed) {
    const std::scoped_lock lock(mutex_);
    evictions_allowed_ = evictions_allowed;
  }

 private:
  static ServerAnswer Failure(int status, const std::string& reason, const std::string& message) {
    return JsonAnswer(status, json({{"kind", "Status"},
                                    {"apiVersion", "v1"},
                                    {"metadata", json::object()},
                                    {"status", "Failure"},
                                    {"reason", reason},
                                    {"message", message},
                                    {"code", status}})
                                  .dump());
  }
  static ServerAnswer Missing(const std::string& path) {
    return Failure(404, "NotFound", "\"" + path.substr(path.rfind('/') + 1) + "\" not found");
  }
  void Store(const std::string& path, json object) {
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    objects_[path] = std::move(object);
  }
  static std::string Decode(const std::string& text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }
  static std::map<std::string, std::string> Query(const ServerRequest& request) {
    std::map<std::string, std::string> out;
    std::string text = request.query();
    while (!text.empty()) {
      const size_t end = std::min(text.find('&'), text.size()), equals = text.find('=');
      out[text.substr(0, equals)] = Decode(text.substr(equals + 1, end - equals - 1));
      text.erase(0, end + 1);
    }
    return out;
  }

  ServerAnswer Answer(const ServerRequest& request) {
    const auto authorization = request.headers.find("authorization");
    // kubectl sends no token without TLS.
    const auto agent = request.headers.find("user-agent");
    const bool kubectl = agent != request.headers.end() && agent->second.starts_with("kubectl/");
    if (!kubectl && (authorization == request.headers.end() || authorization->second != "Bearer " + token_))
      return Failure(401, "Unauthorized", "Unauthorized");
    const std::scoped_lock lock(mutex_);
    if (request.method == "GET") return Read(request);
    const bool dry = Query(request)["dryRun"] == "All";
    const Fault fault = dry ? Fault::kNone : std::exchange(fault_, Fault::kNone);
    if (fault == Fault::kDropBefore) return ServerAnswer::Drop();
    if (fault == Fault::kStall) return ServerAnswer::Stall();
    if (fault == Fault::kError) return Failure(500, "InternalError", "etcdserver: request timed out");
    if (fault == Fault::kConflict) Touch(request.path());
    ServerAnswer answer = Change(request, dry);
    return fault == Fault::kDropAfter ? ServerAnswer::Drop() : answer;
  }
  void Touch(const std::string& path) {
    if (const auto it = objects_.find(path); it != objects_.end()) Store(path, it->second);
  }

  ServerAnswer Read(const ServerRequest& request) {
    const std::string path = request.path();
    if (auto found = Discovery(path); !found.is_null()) return JsonAnswer(200, found.dump());
    if (const auto it = objects_.find(path); it != objects_.end()) {
      const json object = it->second;
      // Pods end a moment after they were told to.
      if (object["metadata"].contains("deletionTimestamp")) objects_.erase(it);
      return JsonAnswer(200, object.dump());
    }
    const std::string kind = path.substr(path.rfind('/') + 1);
    if (kind != "pods" && kind != "nodes" && !kind.ends_with("sets") && kind != "deployments")
      return Missing(path);
    return List(path, Query(request));
  }
  ServerAnswer List(const std::string& path, std::map<std::string, std::string> query) {
    const std::string kind = path.substr(path.rfind('/') + 1);
    json items = json::array();
    for (const auto& [at, object] : objects_) {
      const bool inside =
          at.starts_with(path + "/") || (path == "/api/v1/pods" && at.find("/pods/") != std::string::npos);
      if (inside && Selected(object, query)) items.push_back(object);
    }
    const size_t limit =
        query.contains("limit") && query["limit"] != "0" ? std::stoul(query["limit"]) : items.size();
    const size_t from = query.contains("continue") ? std::stoul(query["continue"]) : 0;
    const size_t to = std::min({items.size(), from + limit, from + 2});  // never more than two a page
    json page = json::array();
    for (size_t i = from; i < to; ++i) page.push_back(items[i]);
    json metadata = {{"resourceVersion", std::to_string(version_)}};
    if (to < items.size()) metadata["continue"] = std::to_string(to);
    const std::string name = kind == "pods"          ? "Pod"
                             : kind == "nodes"       ? "Node"
                             : kind == "deployments" ? "Deployment"
                                                     : "ReplicaSet";
    return JsonAnswer(200, json({{"kind", name + "List"},
                                 {"apiVersion", path.starts_with("/api/") ? "v1" : "apps/v1"},
                                 {"metadata", metadata},
                                 {"items", page}})
                               .dump());
  }
  static bool Selected(const json& object, std::map<std::string, std::string>& query) {
    if (const auto it = query.find("fieldSelector");
        it != query.end() && it->second.starts_with("spec.nodeName=")) {
      if (object.value("/spec/nodeName"_json_pointer, "") != it->second.substr(14)) return false;
    }
    std::string labels = query.contains("labelSelector") ? query["labelSelector"] : "";
    while (!labels.empty()) {
      const size_t end = std::min(labels.find(','), labels.size()), equals = labels.find('=');
      const json::json_pointer place("/metadata/labels/" + labels.substr(0, equals));
      if (object.value(place, "") != labels.substr(equals + 1, end - equals - 1)) return false;
      labels.erase(0, end + 1);
    }
    return true;
  }
  static json Resource(const std::string& name, const std::string& singular, const std::string& kind,
                       bool namespaced) {
    return {{"name", name},
            {"singularName", singular},
            {"namespaced", namespaced},
            {"kind", kind},
            {"verbs", {"get", "list", "patch", "delete"}}};
  }
  static json Discovery(const std::string& path) {
    if (path == "/version") return {{"major", "1"}, {"minor", "31"}, {"gitVersion", "v1.31.0"}};
    if (path == "/api") return {{"kind", "APIVersions"}, {"versions", {"v1"}}};
    if (path == "/apis") {
      const json version = {{"groupVersion", "apps/v1"}, {"version", "v1"}};
      return {{"kind", "APIGroupList"},
              {"apiVersion", "v1"},
              {"groups", {{{"name", "apps"}, {"versions", {version}}, {"preferredVersion", version}}}}};
    }
    if (path == "/api/v1")
      return {
          {"kind", "APIResourceList"},
          {"groupVersion", "v1"},
          {"resources", {Resource("pods", "pod", "Pod", true), Resource("nodes", "node", "Node", false)}}};
    if (path == "/apis/apps/v1")
      return {{"kind", "APIResourceList"},
              {"groupVersion", "apps/v1"},
              {"resources",
               {Resource("deployments", "deployment", "Deployment", true),
                Resource("replicasets", "replicaset", "ReplicaSet", true)}}};
    return {};
  }

  ServerAnswer Change(const ServerRequest& request, bool dry) {
    const std::string path = request.path();
    const json body = json::parse(request.body, nullptr, false);
    if (body.is_discarded()) return Failure(400, "BadRequest", "the body is not JSON");
    if (request.method == "POST" && path.ends_with("/eviction"))
      return Evict(path.substr(0, path.size() - 9), body);
    const auto it = objects_.find(path);
    if (it == objects_.end()) return Missing(path);
    if (request.method == "DELETE") return Delete(path, body);
    if (request.method != "PATCH") return Failure(405, "MethodNotAllowed", "not allowed");
    return Patch(it->second, path, request.headers.at("content-type"), body, dry);
  }
  ServerAnswer Patch(const json& before, const std::string& path, const std::string& type, const json& body,
                     bool dry) {
    json after = before;
    if (type == "application/json-patch+json") {
      try {
        after = before.patch(body);
      } catch (const json::exception& e) {
        return Failure(422, "Invalid", std::string("the server rejected our request: ") + e.what());
      }
    } else if (type == "application/merge-patch+json" || type == "application/strategic-merge-patch+json") {
      after.merge_patch(body);
    } else {
      return Failure(415, "UnsupportedMediaType", type);
    }
    if (after["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"] ||
        after["metadata"]["uid"] != before["metadata"]["uid"]) {
      return Failure(409, "Conflict",
                     "the object has been modified; please apply your changes to the latest version");
    }
    if (after.value("/spec/replicas"_json_pointer, 0) > 1000)
      return Failure(422, "Invalid", "spec.replicas: exceeded quota");
    if (dry) return JsonAnswer(200, after.dump());
    if (after["spec"] != before["spec"])
      after["metadata"]["generation"] = before["metadata"]["generation"].get<int>() + 1;
    Store(path, after);
    if (path.find("/deployments/") != std::string::npos) Reconcile(path);
    return JsonAnswer(200, objects_[path].dump());
  }
  ServerAnswer Delete(const std::string& path, const json& options) {
    json& object = objects_[path];
    const std::string uid = options.value("/preconditions/uid"_json_pointer, "");
    if (!uid.empty() && object["metadata"]["uid"] != uid)
      return Failure(409, "Conflict", "the UID in the precondition differs");
    object["metadata"]["deletionTimestamp"] = "2026-11-24T02:10:05Z";
    return JsonAnswer(200, object.dump());
  }
  ServerAnswer Evict(const std::string& path, const json& body) {
    if (!objects_.contains(path)) return Missing(path);
    if (body.value("kind", "") != "Eviction") return Failure(400, "BadRequest", "no Eviction");
    if (evictions_allowed_ == 0) {
      ServerAnswer no = Failure(429, "TooManyRequests",
                                "Cannot evict pod as it would violate the pod's disruption budget.");
      no.more_headers = "Retry-After: 1\r\n";
      evictions_allowed_ = 1;  // another pod has become ready meanwhile
      return no;
    }
    if (evictions_allowed_ > 0) --evictions_allowed_;
    const ServerAnswer deleted = Delete(path, body.value("deleteOptions", json::object()));
    return deleted.status == 200
               ? JsonAnswer(201, R"({"kind":"Status","apiVersion":"v1","status":"Success"})")
               : deleted;
  }
  // The deployment controller: the replica set of the template has the newest revision.
  void Reconcile(const std::string& path) {
    json deployment = objects_[path];
    const std::string sets = path.substr(0, path.find("/deployments/")) + "/replicasets/";
    json wanted = deployment["spec"]["template"];
    int newest = 0;
    std::string same;
    for (const auto& [at, set] : objects_) {
      if (!at.starts_with(sets) ||
          set["metadata"]["ownerReferences"][0]["uid"] != deployment["metadata"]["uid"])
        continue;
      newest = std::max(
          newest,
          std::stoi(set["metadata"]["annotations"]["deployment.kubernetes.io/revision"].get<std::string>()));
      json pod = set["spec"]["template"];
      pod["metadata"]["labels"].erase("pod-template-hash");
      if (pod == wanted) same = at;
    }
    const std::string current =
        deployment.value("/metadata/annotations/deployment.kubernetes.io~1revision"_json_pointer, "");
    if (same.empty()) {
      const std::string hash = "h" + std::to_string(newest + 1);
      same = sets + deployment["metadata"]["name"].get<std::string>() + "-" + hash;
      wanted["metadata"]["labels"]["pod-template-hash"] = hash;
      json labels = wanted["metadata"]["labels"];
      json set = {{"apiVersion", "apps/v1"},
                  {"kind", "ReplicaSet"},
                  {"metadata",
                   {{"name", same.substr(same.rfind('/') + 1)},
                    {"namespace", deployment["metadata"]["namespace"]},
                    {"labels", labels},
                    {"annotations", {{"deployment.kubernetes.io/revision", "0"}}},
                    {"ownerReferences",
                     {{{"apiVersion", "apps/v1"},
                       {"kind", "Deployment"},
                       {"name", deployment["metadata"]["name"]},
                       {"uid", deployment["metadata"]["uid"]},
                       {"controller", true}}}}}},
                  {"spec", {{"replicas", 0}, {"selector", {{"matchLabels", labels}}}, {"template", wanted}}}};
      set["metadata"]["uid"] = "uid-" + std::to_string(++version_);
      Store(same, set);
    }
    json set = objects_[same];
    if (current.empty() || set["metadata"]["annotations"]["deployment.kubernetes.io/revision"] != current) {
      const std::string revision = std::to_string(newest + 1);
      set["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = revision;
      Store(same, set);
      deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = revision;
    }
    deployment["status"] = {{"readyReplicas", deployment["spec"]["replicas"]},
                            {"updatedReplicas", deployment["spec"]["replicas"]},
                            {"observedGeneration", deployment["metadata"]["generation"]}};
    Store(path, deployment);
  }

  const std::string token_;
  mutable std::mutex mutex_;
  std::map<std::string, json> objects_;
  int version_ = 100;
  int evictions_allowed_ = -1;  // no budget
  Fault fault_ = Fault::kNone;
  ScriptedServer server_;  // last: it begins to ask when it is made
};

}  // namespace tocsin::act::testing
