// The Kubernetes API as the executors ask it: JSON over HTTPS with a service account's token, every request
// within one deadline. Also what they share: names, keys kept in an annotation, waiting.
//
// Who did what is kept on the object itself, in the same patch as the change:
//   metadata.annotations["tocsin.dev/last-keys"] = "KEY3 KEY2 KEY1"     newest first, the last eight
//
// Thread-safety: none, one owner. Errors: kInvalidArgument (422), kUnauthenticated, kPermissionDenied,
// kNotFound, kFailedPrecondition (409), kResourceExhausted (429), kUnavailable (5xx; no connection),
// kDeadlineExceeded, kCancelled, each with the API server's own words.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <string_view>

#include "act/execute/executor.h"
#include "act/execute/executor_settings.h"
#include "kernel/status.h"

namespace tocsin::act::internal {

struct KubeAnswer {
  Result<nlohmann::json> object;
  bool unknown = false;  // it failed, and yet may have been done
  int64_t retry_after_s = 0;
};

class KubeApi {
 public:
  KubeApi(const ClusterEntry& cluster, const ExecutorCall& call, std::stop_token stop);

  KubeAnswer Get(const std::string& path) { return Ask("GET", path, "", {}); }
  // All pages; `path` may have a query.
  Result<nlohmann::json> List(const std::string& path);
  KubeAnswer MergePatch(const std::string& path, const nlohmann::json& patch, bool dry_run) {
    return Ask("PATCH", path + (dry_run ? "?dryRun=All" : ""), "application/merge-patch+json", patch);
  }
  KubeAnswer JsonPatch(const std::string& path, const nlohmann::json& patch, bool dry_run) {
    return Ask("PATCH", path + (dry_run ? "?dryRun=All" : ""), "application/json-patch+json", patch);
  }
  KubeAnswer Post(const std::string& path, const nlohmann::json& body) {
    return Ask("POST", path, "application/json", body);
  }
  KubeAnswer Delete(const std::string& path, const nlohmann::json& options) {
    return Ask("DELETE", path, "application/json", options);
  }
  // False once the deadline has passed or a stop is requested; waits at most as long as that.
  bool Wait(Duration span) const;
  bool stopped() const { return stop_.stop_requested(); }

 private:
  KubeAnswer Ask(const std::string& method, const std::string& path, const std::string& type,
                 const nlohmann::json& body);

  const ClusterEntry& cluster_;
  std::chrono::steady_clock::time_point deadline_;
  std::stop_token stop_;
};

// The one the call names; of one that is configured alone, its name; else "".
std::string ClusterName(const std::map<std::string, ClusterEntry>& clusters, const ExecutorCall& call);
// RFC 1123: lower-case letters, digits, - and ., at most 253 bytes.
bool IsKubeName(std::string_view name);
bool HasKey(const nlohmann::json& object, const std::string& key);
// The annotation's new value.
std::string WithKey(const nlohmann::json& object, const std::string& key);
inline constexpr const char* kKeysAnnotation = "tocsin.dev/last-keys";
// What is at a pointer, or `otherwise` when nothing, or something of another type, is.
std::string TextAt(const nlohmann::json& object, const char* pointer, std::string otherwise = "");
int64_t NumberAt(const nlohmann::json& object, const char* pointer, int64_t otherwise);
bool FlagAt(const nlohmann::json& object, const char* pointer);
const nlohmann::json& ObjectAt(const nlohmann::json& object, const char* pointer);  // null when nothing is

// One change of one object, tried again when somebody else changed it in between. `patch` makes the merge
// patch from the object as it is; its annotation and resourceVersion are added.
template <class MakePatch>
KubeAnswer ChangeObject(KubeApi& api, const std::string& path, const std::string& key, bool dry_run,
                        const MakePatch& make_patch) {
  constexpr int kTries = 5;
  KubeAnswer answer{Error(Code::kUnavailable, "somebody else keeps changing it")};
  for (int i = 0; i < kTries; ++i) {
    const KubeAnswer now = api.Get(path);
    if (!now.object) return {Error(now.object.error())};
    nlohmann::json patch = make_patch(*now.object);
    patch["metadata"]["annotations"][kKeysAnnotation] = WithKey(*now.object, key);
    patch["metadata"]["resourceVersion"] = TextAt(*now.object, "/metadata/resourceVersion");
    answer = api.MergePatch(path, patch, dry_run);
    if (answer.object || answer.object.error().code() != Code::kFailedPrecondition) return answer;
  }
  return answer;
}

// kDone; kFailed when the API says no; kNotDone when nothing left; kUnknown.
Receipt ReceiptOf(const KubeAnswer& answer, const std::string& sentence,
                  nlohmann::json outputs = nlohmann::json::object());

}  // namespace tocsin::act::internal
