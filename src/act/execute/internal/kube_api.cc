#include "act/execute/internal/kube_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include "act/execute/internal/call_parts.h"
#include "act/execute/internal/endpoint.h"
#include "claims/claim_text.h"

namespace tocsin::act::internal {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kKeysKept = 8, kMaxTokenBytes = 16u << 10, kMaxItems = 5'000;
constexpr Duration kMostForOneRequest = Duration::Seconds(30);

Result<std::string> ReadToken(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string token(kMaxTokenBytes, '\0');
  in.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<size_t>(std::max<std::streamsize>(0, in.gcount())));
  while (!token.empty() && (token.back() == '\n' || token.back() == ' ' || token.back() == '\r'))
    token.pop_back();
  if (token.empty() || token.find_first_of("\r\n") != std::string::npos)
    return Error(Code::kUnavailable, fmt::format("cannot read a token from {}", path));
  return token;
}

Code CodeOf(int status) {
  switch (status) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kFailedPrecondition;
    case 429:
      return Code::kResourceExhausted;
    default:
      return status >= 500 ? Code::kUnavailable : Code::kInvalidArgument;
  }
}

const json& At(const json& object, const char* pointer) {
  static const json kNothing;
  const json::json_pointer place(pointer);
  return object.contains(place) ? object.at(place) : kNothing;
}

std::string KeysOf(const json& object) {
  const json& annotations = At(object, "/metadata/annotations");
  return annotations.is_object() ? TextIn(annotations, kKeysAnnotation) : "";
}

}  // namespace

KubeApi::KubeApi(const ClusterEntry& cluster, const ExecutorCall& call, std::stop_token stop)
    : cluster_(cluster),
      deadline_(SteadyClock::now() + std::chrono::nanoseconds(call.timeout.ns)),
      stop_(std::move(stop)) {}

bool KubeApi::Wait(Duration span) const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  const auto until = std::min(deadline_, SteadyClock::now() + std::chrono::nanoseconds(span.ns));
  never.wait_until(lock, stop_, until, [] { return false; });
  return !stopped() && SteadyClock::now() < deadline_;
}

KubeAnswer KubeApi::Ask(const std::string& method, const std::string& path, const std::string& type,
                        const json& body) {
  const Duration left{
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline_ - SteadyClock::now()).count()};
  if (left.ns <= 0) return {Error(Code::kDeadlineExceeded, "there was no time left for " + path)};
  Exchange exchange;
  exchange.method = method;
  exchange.path = path;
  exchange.timeout = std::min(left, kMostForOneRequest);
  exchange.headers.emplace_back("Accept", "application/json");
  if (!type.empty()) {
    exchange.headers.emplace_back("Content-Type", type);
    exchange.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  if (!cluster_.token_file.empty()) {
    auto token = ReadToken(cluster_.token_file);
    if (!token) return {Error(token.error())};
    exchange.headers.emplace_back("Authorization", "Bearer " + *token);
  }
  if (auto status = CheckPath(path); !status.ok()) return {Error(status)};
  const Answer answer = Send(cluster_.endpoint, exchange, stop_);
  const bool reads = method == "GET";
  if (!answer.response) return {Error(answer.response.error()), answer.may_have_arrived && !reads};
  json object = json::parse(answer.response->body, nullptr, false);
  const int status = answer.response->status;
  if (answer.Is2xx() && object.is_object()) return {std::move(object)};
  const std::string words = object.is_object() ? TextIn(object, "message") : "";
  const bool unknown = !reads && (status >= 500 || answer.Is2xx());
  return {
      Error(CodeOf(answer.Is2xx() ? 502 : status),
            claims::Printable(words.empty() ? fmt::format("{} {}: {}", method, path, status) : words, 300)),
      unknown, answer.response->retry_after_s};
}

Result<json> KubeApi::List(const std::string& path) {
  json items = json::array();
  std::string next;
  do {
    std::string page = path + (path.find('?') == std::string::npos ? "?" : "&") + "limit=100";
    if (!next.empty()) page += "&continue=" + EncodePart(next);
    KubeAnswer answer = Get(page);
    if (!answer.object) return Error(answer.object.error());
    for (json& item : (*answer.object)["items"]) items.push_back(std::move(item));
    next = TextAt(*answer.object, "/metadata/continue");
    if (items.size() > kMaxItems)
      return Error(Code::kOutOfRange, fmt::format("{} lists more than {}", path, kMaxItems));
  } while (!next.empty());
  return items;
}

std::string ClusterName(const std::map<std::string, ClusterEntry>& clusters, const ExecutorCall& call) {
  return TextIn(call.with, "cluster", clusters.size() == 1 ? clusters.begin()->first : "");
}

bool IsKubeName(std::string_view name) {
  return !name.empty() && name.size() <= 253 && name.front() != '.' && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

bool HasKey(const json& object, const std::string& key) {
  return !key.empty() && (" " + KeysOf(object) + " ").find(" " + key + " ") != std::string::npos;
}

std::string WithKey(const json& object, const std::string& key) {
  if (HasKey(object, key)) return KeysOf(object);
  std::string keys = key;
  const std::string before = KeysOf(object);
  size_t at = 0;
  for (size_t kept = 1; kept < kKeysKept && at < before.size(); ++kept) {
    const size_t end = std::min(before.find(' ', at), before.size());
    keys += " " + before.substr(at, end - at);
    at = end + 1;
  }
  return keys;
}

std::string TextAt(const json& object, const char* pointer, std::string otherwise) {
  const json& value = At(object, pointer);
  return value.is_string() ? value.get<std::string>() : std::move(otherwise);
}
int64_t NumberAt(const json& object, const char* pointer, int64_t otherwise) {
  const json& value = At(object, pointer);
  return value.is_number_integer() ? value.get<int64_t>() : otherwise;
}
bool FlagAt(const json& object, const char* pointer) {
  const json& value = At(object, pointer);
  return value.is_boolean() && value.get<bool>();
}
const json& ObjectAt(const json& object, const char* pointer) { return At(object, pointer); }

Receipt ReceiptOf(const KubeAnswer& answer, const std::string& sentence, json outputs) {
  using Outcome = Receipt::Outcome;
  if (answer.object)
    return MakeReceipt(Outcome::kDone, sentence, std::move(outputs),
                       {{"resource_version", TextAt(*answer.object, "/metadata/resourceVersion")}});
  const Status& why = answer.object.error();
  const Outcome outcome = answer.unknown ? Outcome::kUnknown
                          : why.code() == Code::kUnavailable || why.code() == Code::kCancelled ||
                                  why.code() == Code::kDeadlineExceeded
                              ? Outcome::kNotDone
                              : Outcome::kFailed;
  return MakeReceipt(outcome, fmt::format("{}: {}", sentence, why.message()), std::move(outputs),
                     {{"error", std::string(CodeName(why.code()))}});
}

}  // namespace tocsin::act::internal
