#include "ports/mcp/mcp_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "ports/mcp/mcp_wire.h"
#include "ports/model/sse_parser.h"

namespace tocsin::ports {
namespace {

using nlohmann::json;

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxDescriptionBytes = 8u << 10;
constexpr size_t kMaxSaidBytes = 300;  // of an error in the server's words

std::string Text(const json& object, const char* key) {
  if (!object.is_object()) return "";
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : "";
}

// One printable line of hostile text.
std::string OneLine(std::string_view text, size_t most) {
  std::string out(text.substr(0, most));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = '?';
  }
  return out;
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
  });
}

std::string Dump(const json& from) { return from.dump(-1, ' ', false, json::error_handler_t::replace); }

Status ErrorOf(const json& error) {
  int code = 0;
  if (const auto it = error.find("code"); it != error.end() && it->is_number_integer()) code = it->get<int>();
  return Status(code == mcp::kInvalidParams || code == mcp::kMethodNotFound ? Code::kInvalidArgument
                                                                            : Code::kUnavailable,
                fmt::format("the MCP server answered with error {}: {}", code,
                            OneLine(Text(error, "message"), kMaxSaidBytes)));
}

}  // namespace

McpClient::McpClient(std::string url, std::string token, McpClientBounds bounds)
    : url_(std::move(url)),
      token_(std::move(token)),
      bounds_(bounds),
      http_({5'000, bounds.timeout_ms, bounds.max_response_bytes}) {}

Result<McpClient::Said> McpClient::Post(const std::string& method, json params, bool notification,
                                        std::stop_token stop) {
  const bool stateless = version_ == mcp::kStatelessVersion;
  HttpRequest request{
      "POST",
      url_,
      {{"Content-Type", "application/json"}, {"Accept", "application/json, text/event-stream"}},
      {}};
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  if (!version_.empty()) request.headers.emplace_back("MCP-Protocol-Version", version_);
  if (!session_.empty()) request.headers.emplace_back("Mcp-Session-Id", session_);
  if (stateless) {
    params["_meta"] = {{mcp::kVersionKey, mcp::kStatelessVersion},
                       {mcp::kCapabilitiesKey, json::object()},
                       {mcp::kClientInfoKey, {{"name", "tocsin"}, {"version", "1"}}}};
    request.headers.emplace_back("Mcp-Method", method);
    if (const char* name = mcp::NameParameter(method))
      request.headers.emplace_back("Mcp-Name", mcp::EncodeHeaderValue(Text(params, name)));
  }
  json message{{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}};
  const int64_t id = next_id_;
  if (!notification) message["id"] = next_id_++;
  const std::string body = Dump(message);
  request.body = body;
  Said said;
  const auto take = [&](const json& one) {
    if (!one.is_object() || one.contains("method") || one.value("id", json()) != json(id)) return false;
    said.answer = one;
    return true;
  };
  SseParser parser(
      [&](const SseEvent& event) {
        const bool enough = take(mcp::ReadBoundedJson(event.data)) && method != "initialize";
        return enough ? Status(Code::kCancelled, "") : Status::Ok();  // of initialize, headers matter too
      },
      bounds_.max_response_bytes);
  HttpStream stream;
  stream.idle_timeout_ms = bounds_.timeout_ms;
  stream.stop = std::move(stop);
  stream.on_piece = [&](std::string_view piece) { return parser.Feed(piece).ok(); };
  const auto response = http_.Stream(request, stream);
  if (!said.answer.is_null()) {  // the rest of the stream was not wanted
    said.status = 200;
    if (response) said.session = response->Header("mcp-session-id");
    return said;
  }
  if (!response) return Error(response.error());
  said.status = response->status;
  said.session = response->Header("mcp-session-id");
  if (said.status == 401 || said.status == 403) {
    return Error(Code::kUnauthenticated,
                 fmt::format("{} answered {}: is its token right?", url_, said.status));
  }
  take(mcp::ReadBoundedJson(response->body));
  return said;
}

Status McpClient::Initialize(std::stop_token stop) {
  version_.clear();
  session_.clear();
  const json hello{{"protocolVersion", mcp::kSessionVersions[0]},
                   {"capabilities", json::object()},
                   {"clientInfo", {{"name", "tocsin"}, {"version", "1"}}}};
  TOCSIN_ASSIGN_OR_RETURN(const Said said, Post("initialize", hello, false, stop));
  const json result = said.answer.value("result", json());
  const std::string version = Text(result, "protocolVersion");
  if (std::ranges::none_of(mcp::kSessionVersions, [&](const char* v) { return version == v; })) {
    if (said.answer.contains("error")) return ErrorOf(said.answer["error"]);
    return Status(Code::kDataLoss,
                  fmt::format("{} speaks no MCP that is known here (HTTP {})", url_, said.status));
  }
  version_ = version;
  if (said.session.size() <= 512 && OneLine(said.session, 512) == said.session) session_ = said.session;
  TOCSIN_ASSIGN_OR_RETURN(const Said initialized,
                          Post("notifications/initialized", json::object(), true, stop));
  (void)initialized;
  return Status::Ok();
}

Status McpClient::Connect(std::stop_token stop) {
  if (!version_.empty()) return Status::Ok();
  session_.clear();
  version_ = mcp::kStatelessVersion;
  const auto found = Post("server/discover", json::object(), false, stop);
  if (found && found->answer.contains("result")) {
    const json versions = found->answer["result"].is_object()
                              ? found->answer["result"].value("supportedVersions", json::array())
                              : json::array();
    if (versions.is_array() && std::ranges::find(versions, json(mcp::kStatelessVersion)) != versions.end())
      return Status::Ok();
  }
  version_.clear();
  if (!found && found.error().code() != Code::kDataLoss) return found.error();
  return Initialize(stop);
}

Result<json> McpClient::Ask(const std::string& method, const json& params, std::stop_token stop) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    TOCSIN_RETURN_IF_ERROR(Connect(stop));
    TOCSIN_ASSIGN_OR_RETURN(const Said said, Post(method, params, false, stop));
    if (said.status == 404 && !session_.empty()) {  // the server forgot it
      version_.clear();
      continue;
    }
    if (!said.answer.is_object())
      return Error(Code::kDataLoss, fmt::format("{} answered {} without a message", url_, said.status));
    if (const auto error = said.answer.find("error"); error != said.answer.end())
      return Error(error->is_object() ? ErrorOf(*error) : Status(Code::kDataLoss, "an error without form"));
    const auto result = said.answer.find("result");
    if (result == said.answer.end() || !result->is_object())
      return Error(Code::kDataLoss, fmt::format("{}: an answer without a result", url_));
    return *result;
  }
  return Error(Code::kUnavailable, fmt::format("{} forgets its sessions", url_));
}

Result<std::vector<McpToolInfo>> McpClient::ListTools(std::stop_token stop) {
  std::vector<McpToolInfo> out;
  std::string cursor;
  for (int page = 0; page < bounds_.max_pages; ++page) {
    json params = json::object();
    if (!cursor.empty()) params["cursor"] = cursor;
    TOCSIN_ASSIGN_OR_RETURN(const json result, Ask("tools/list", params, stop));
    const json tools = result.value("tools", json::array());
    if (!tools.is_array()) return Error(Code::kDataLoss, fmt::format("{}: 'tools' is no list", url_));
    for (const json& tool : tools) {
      if (out.size() >= bounds_.max_tools) return out;
      McpToolInfo info;
      info.name = Text(tool, "name");
      info.description = Text(tool, "description");
      if (!IsName(info.name) || info.description.size() > kMaxDescriptionBytes) continue;
      info.schema = tool.value("inputSchema", json::object());
      if (!info.schema.is_object() || Text(info.schema, "type") != "object" ||
          Dump(info.schema).size() > bounds_.max_schema_bytes)
        continue;
      const json annotations = tool.value("annotations", json());
      info.read_only = annotations.is_object() && annotations.value("readOnlyHint", json()) == true;
      info.as_said = Dump({{"description", info.description},
                           {"schema", info.schema},
                           {"annotations", annotations},
                           {"title", Text(tool, "title")}});
      out.push_back(std::move(info));
    }
    cursor = Text(result, "nextCursor");
    if (cursor.empty() || cursor.size() > 4096) return out;
  }
  return out;
}

Result<McpToolOutput> McpClient::Call(const std::string& tool, const json& arguments, std::stop_token stop) {
  TOCSIN_ASSIGN_OR_RETURN(const json result,
                          Ask("tools/call", {{"name", tool}, {"arguments", arguments}}, stop));
  if (Text(result, "resultType") == "input_required")
    return Error(Code::kFailedPrecondition,
                 "the tool asks for something from people: it is not answered here");
  McpToolOutput out;
  out.failed = result.value("isError", json()) == true;
  const json content = result.value("content", json::array());
  if (content.is_array()) {
    for (const json& block : content) {
      if (Text(block, "type") != "text") continue;
      if (!out.text.empty()) out.text += '\n';
      out.text += Text(block, "text");
      if (out.text.size() > bounds_.max_text_bytes) break;
    }
  }
  if (out.text.empty() && result.contains("structuredContent")) out.text = Dump(result["structuredContent"]);
  if (out.text.size() > bounds_.max_text_bytes) out.text.resize(bounds_.max_text_bytes);
  return out;
}

}  // namespace tocsin::ports
