// MCP on streamable HTTP: POST and DELETE /mcp. An answer is JSON, or one event of a stream when that is all
// the client takes; no stream is kept open, so that GET is answered 405, as the protocol allows.
//
// Who calls is what the bearer token proves: an agent. A person's token is refused, because what speaks MCP
// is a program or a model, and would act as that person. Without ActDesk there are no tokens: callers on this
// machine may read. Pages of other origins are refused. Ownership: the router keeps the McpServer.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "surface/http/router.h"
#include "surface/mcp/tool.h"

namespace tocsin::surface {

struct McpHttpOptions {
  // Where people reach Tocsin, "https://tocsin.example.org": pages of there may call; "" = nowhere.
  std::function<std::string()> public_url = [] { return std::string(); };
};

void AddMcpRoutes(Router& router, const mcp::McpSources& sources, const McpHttpOptions& options);

// Whether a page of this origin may call: one of this machine, of `public_url`, or of the address that was
// asked when that is an IP address (a name could be made to lead here).
bool IsAllowedOrigin(std::string_view origin, std::string_view host, std::string_view public_url);

}  // namespace tocsin::surface
