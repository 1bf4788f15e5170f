// McpServer: MCP in both generations, apart from any transport: a message and its headers in, an answer out.
//
//   2025-11-25, 2025-06-18, 2025-03-26   initialize, then Mcp-Session-Id with every message
//   2026-07-28                           no handshake: each request says version and capabilities in _meta,
//   and
//                                        headers that must say the same (-32020, -32021, -32022)
//
// A session belongs to who began it. Nothing a client sends approves anything. Ownership: refers to its
// sources. Thread-safety: all methods; they read stores: not on an I/O thread.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "act/access.h"
#include "surface/mcp/json_rpc.h"
#include "surface/mcp/sessions.h"
#include "surface/mcp/tool.h"

namespace tocsin::surface::mcp {

struct McpIncoming {
  std::string_view body;
  std::optional<std::string> session, version, method, name;  // headers, as sent
  act::Caller caller;                                         // name "": nobody is known
};

struct McpOutgoing {
  int status = 200;     // of HTTP
  std::string body;     // "" = none (202)
  std::string session;  // Mcp-Session-Id of a session that began
};

class McpServer {
 public:
  explicit McpServer(McpSources sources) : sources_(std::move(sources)) {}

  McpOutgoing Handle(const McpIncoming& incoming);
  // DELETE: 200, 400 without an id, 404 when it is not this caller's.
  int EndSession(const std::optional<std::string>& session, const act::Caller& caller);
  size_t sessions() const { return sessions_.size(); }

 private:
  struct Context;  // of one request
  McpOutgoing Stateless(const McpIncoming& incoming, const RpcMessage& message);
  McpOutgoing Session(const McpIncoming& incoming, const RpcBody& body);
  McpOutgoing Initialize(const McpIncoming& incoming, const RpcMessage& message);
  RpcResult<nlohmann::json> Dispatch(const Context& context, const RpcMessage& message) const;
  RpcResult<nlohmann::json> CallTool(const Context& context, const nlohmann::json& params) const;
  nlohmann::json Capabilities() const;
  nlohmann::json Info() const;

  McpSources sources_;
  Sessions sessions_;
};

}  // namespace tocsin::surface::mcp
