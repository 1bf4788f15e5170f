#include "surface/mcp/stdio_bridge.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "claims/claim_text.h"
#include "surface/mcp/mcp_server.h"

namespace tocsin::surface::mcp {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kBetweenTries{500};
constexpr ports::HttpClientOptions kHttp{5'000, 120'000, 8u << 20};

const json* MetaVersion(const RpcMessage& message) {
  const auto meta = message.params.find("_meta");
  if (meta == message.params.end() || !meta->is_object()) return nullptr;
  const auto version = meta->find(kVersionKey);
  return version != meta->end() && version->is_string() ? &*version : nullptr;
}

bool IsInitialize(const RpcBody& body) {
  return !body.batch && body.messages[0].kind == RpcMessage::Kind::kRequest &&
         body.messages[0].method == "initialize";
}

bool WantsAnswer(const RpcBody& body) {
  return std::ranges::any_of(body.messages,
                             [](const RpcMessage& m) { return m.kind == RpcMessage::Kind::kRequest; });
}

// One error for each request.
std::string Failure(const RpcBody& body, const std::string& what) {
  json answers = json::array();
  for (const RpcMessage& message : body.messages) {
    if (message.kind == RpcMessage::Kind::kRequest)
      answers.push_back(RpcAnswer(message.id, RpcError{kServerError, what, nullptr}));
  }
  if (answers.empty()) return "";
  return WriteJson(body.batch ? answers : answers[0]);
}

int ErrorCodeOf(const json& answer) {
  if (!answer.is_object() || !answer.contains("error") || !answer["error"].is_object()) return 0;
  const auto code = answer["error"].find("code");
  return code != answer["error"].end() && code->is_number_integer() ? code->get<int>() : 0;
}

// A line of at most kMaxRpcBytes; what is longer is read to its end, and `too_long`.
bool ReadLine(std::istream& in, std::string& line, bool& too_long) {
  line.clear();
  too_long = false;
  std::streambuf* from = in.rdbuf();
  for (int c = from->sbumpc(); c != std::char_traits<char>::eof(); c = from->sbumpc()) {
    if (c == '\n') return true;
    if (line.size() >= kMaxRpcBytes) {
      too_long = true;
    } else {
      line += static_cast<char>(c);
    }
  }
  return !line.empty();
}

}  // namespace

StdioBridge::StdioBridge(std::string url, std::string token, int retries)
    : url_(std::move(url)), token_(std::move(token)), retries_(retries), client_(kHttp) {
  while (url_.ends_with('/')) url_.pop_back();
  if (!url_.ends_with("/mcp")) url_ += "/mcp";
}

ports::HttpRequest StdioBridge::Request(std::string_view body, const RpcBody& message) const {
  ports::HttpRequest request{
      "POST",
      url_,
      {{"Content-Type", "application/json"}, {"Accept", "application/json, text/event-stream"}},
      body};
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  const RpcMessage& first = message.messages[0];
  if (const json* stateless = MetaVersion(first)) {
    request.headers.emplace_back("MCP-Protocol-Version",
                                 EncodeHeaderValue(stateless->get_ref<const std::string&>()));
    request.headers.emplace_back("Mcp-Method", EncodeHeaderValue(first.method));
    const char* parameter = NameParameter(first.method);
    if (parameter != nullptr && first.params.contains(parameter) && first.params[parameter].is_string()) {
      request.headers.emplace_back("Mcp-Name",
                                   EncodeHeaderValue(first.params[parameter].get_ref<const std::string&>()));
    }
    return request;
  }
  if (IsInitialize(message)) return request;
  if (!session_.empty()) request.headers.emplace_back("Mcp-Session-Id", session_);
  if (!version_.empty()) request.headers.emplace_back("MCP-Protocol-Version", version_);
  return request;
}

Result<ports::HttpResponse> StdioBridge::Send(std::string_view body, const RpcBody& message) {
  const ports::HttpRequest request = Request(body, message);
  auto answer = client_.Send(request);
  for (int i = 0; i < retries_ && !answer && !client_.request_may_have_arrived(); ++i) {
    std::this_thread::sleep_for(kBetweenTries);
    answer = client_.Send(request);
  }
  return answer;
}

void StdioBridge::Remember(const ports::HttpResponse& response) {
  const json answer = ReadBoundedJson(response.body);
  session_ = response.Header("mcp-session-id");
  version_.clear();
  if (answer.is_object() && answer.contains("result") && answer["result"].is_object())
    version_ = TextOf(answer["result"], "protocolVersion");
}

bool StdioBridge::BeginAnew() {
  if (first_.empty()) return false;
  const auto body = ReadRpc(first_);
  if (!body) return false;
  const auto answer = Send(first_, *body);
  if (!answer || answer->status != 200) return false;
  Remember(*answer);
  constexpr std::string_view kInitialized = R"({"jsonrpc":"2.0","method":"notifications/initialized"})";
  (void)Send(kInitialized, *ReadRpc(kInitialized));
  return !session_.empty();
}

std::string StdioBridge::Take(std::string_view line, std::ostream& errors) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return "";
  const auto body = ReadRpc(line);
  if (!body) return WriteJson(RpcAnswer(nullptr, body.error()));
  if (IsInitialize(*body)) first_ = line;
  auto answer = Send(line, *body);
  if (answer && answer->status == 404 && ErrorCodeOf(ReadBoundedJson(answer->body)) == kSessionNotFound &&
      BeginAnew())
    answer = Send(line, *body);
  if (!answer) {
    const std::string what = fmt::format(
        "{}{}", answer.error().message(),
        client_.request_may_have_arrived() ? " (whether it was acted on is not known: ask list_runs)" : "");
    errors << "tocsin mcp: " << what << '\n';
    return Failure(*body, what);
  }
  if (answer->status == 200 && IsInitialize(*body)) Remember(*answer);
  if (!WantsAnswer(*body)) {
    if (answer->status >= 300) errors << "tocsin mcp: the server answered " << answer->status << '\n';
    return "";
  }
  const json said = ReadBoundedJson(answer->body);
  if ((said.is_object() && said.contains("jsonrpc")) || said.is_array()) return WriteJson(said);
  std::string what = fmt::format("the server answered {}", answer->status);
  if (said.is_object() && !TextOf(said, "detail").empty())
    what += ": " + claims::Printable(TextOf(said, "detail"), 500);
  errors << "tocsin mcp: " << what << '\n';
  return Failure(*body, what);
}

void StdioBridge::End() {
  if (session_.empty()) return;
  ports::HttpRequest request{"DELETE", url_, {{"Mcp-Session-Id", session_}}, {}};
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  (void)client_.Send(request);
  session_.clear();
}

void StdioBridge::Run(std::istream& in, std::ostream& out, std::ostream& errors) {
  std::string line;
  bool too_long = false;
  while (out && ReadLine(in, line, too_long)) {
    const std::string answer =
        too_long ? WriteJson(RpcAnswer(
                       nullptr, RpcError{kInvalidRequest,
                                         fmt::format("a line has at most {} bytes", kMaxRpcBytes), nullptr}))
                 : Take(line, errors);
    if (answer.empty()) continue;
    out << answer << '\n';
    out.flush();
  }
  End();
}

}  // namespace tocsin::surface::mcp
