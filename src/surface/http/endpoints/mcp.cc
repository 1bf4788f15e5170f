#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <memory>

#include "kernel/ascii.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/problem.h"
#include "surface/mcp/mcp_http.h"
#include "surface/mcp/mcp_server.h"

namespace tocsin::surface {
namespace {

using mcp::McpServer;

std::optional<std::string> Field(const Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

// "host" of "host:port" or "[::1]:port", without brackets.
std::string_view HostOf(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    return close == std::string_view::npos ? "" : authority.substr(1, close - 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool IsAddress(std::string_view host) {
  boost::system::error_code error;
  (void)boost::asio::ip::make_address(host, error);
  return !error;
}

bool IsThisMachine(std::string_view host) {
  if (LowerAscii(host) == "localhost") return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

// Who calls, or the answer.
tl::expected<act::Caller, Response> WhoCalls(const mcp::McpSources& sources, const Request& request) {
  if (sources.act == nullptr) {
    if (!request.from_loopback || !IsThisMachine(HostOf(request.Header("host")))) {
      return tl::unexpected(ProblemResponse(
          403, "acting is not configured, so that there are no tokens: MCP is for this machine only"));
    }
    return act::Caller{};
  }
  constexpr std::string_view kScheme = "bearer ";
  std::string_view token = request.Header("authorization");
  if (LowerAscii(token.substr(0, kScheme.size())) != kScheme) {
    Response response = ProblemResponse(401, "an agent's token is needed: Authorization: Bearer TOKEN");
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"tocsin\"");
    return tl::unexpected(std::move(response));
  }
  token.remove_prefix(kScheme.size());
  auto caller = sources.act->Authenticate(token);
  if (!caller) {
    Response response = ProblemResponse(caller.error());
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"tocsin\", error=\"invalid_token\"");
    return tl::unexpected(std::move(response));
  }
  if (caller->person) {
    return tl::unexpected(ProblemResponse(
        403, "this is a person's token: what speaks MCP is a program or a model; give it an agent's token"));
  }
  caller->via = "mcp";
  return *caller;
}

std::optional<Response> Refuse(const Request& request, const McpHttpOptions& options) {
  const auto origin = Field(request, "origin");
  if (origin && !IsAllowedOrigin(*origin, request.Header("host"), options.public_url()))
    return ProblemResponse(403, "pages of this origin may not call Tocsin");
  return std::nullopt;
}

enum class AnswerAs { kJson, kStream, kNothing };
AnswerAs Wanted(const Request& request) {
  const std::string_view accept = request.Header("accept");
  if (accept.empty() || request.Accepts("application/json") || accept.find("*/*") != std::string_view::npos ||
      accept.find("application/*") != std::string_view::npos)
    return AnswerAs::kJson;
  return request.Accepts("text/event-stream") ? AnswerAs::kStream : AnswerAs::kNothing;
}

Response Post(McpServer& server, const mcp::McpSources& sources, const McpHttpOptions& options,
              const Request& request) {
  if (auto refusal = Refuse(request, options)) return *refusal;
  auto caller = WhoCalls(sources, request);
  if (!caller) return caller.error();
  if (request.ContentType() != "application/json")
    return ProblemResponse(415, "the Content-Type must be application/json");
  if (!request.Header("content-encoding").empty())
    return ProblemResponse(415, "the body must not be compressed");
  const AnswerAs wanted = Wanted(request);
  if (wanted == AnswerAs::kNothing)
    return ProblemResponse(406, "answers are application/json or text/event-stream: Accept names neither");
  if (request.body.size() > mcp::kMaxRpcBytes)
    return ProblemResponse(413, fmt::format("a message has at most {} bytes", mcp::kMaxRpcBytes));
  mcp::McpIncoming incoming;
  incoming.body = request.body;
  incoming.session = Field(request, "mcp-session-id");
  incoming.version = Field(request, "mcp-protocol-version");
  incoming.method = Field(request, "mcp-method");
  incoming.name = Field(request, "mcp-name");
  incoming.caller = *caller;
  mcp::McpOutgoing outgoing = server.Handle(incoming);
  Response response;
  response.status = outgoing.status;
  if (!outgoing.session.empty()) response.headers.emplace_back("Mcp-Session-Id", outgoing.session);
  response.headers.emplace_back("Cache-Control", "no-store");
  if (wanted == AnswerAs::kStream && !outgoing.body.empty() && outgoing.status == 200) {
    response.content_type = "text/event-stream";
    response.body = "event: message\ndata: " + outgoing.body + "\n\n";
  } else {
    response.body = std::move(outgoing.body);
  }
  return response;
}

Response Delete(McpServer& server, const mcp::McpSources& sources, const McpHttpOptions& options,
                const Request& request) {
  if (auto refusal = Refuse(request, options)) return *refusal;
  auto caller = WhoCalls(sources, request);
  if (!caller) return caller.error();
  const int status = server.EndSession(Field(request, "mcp-session-id"), *caller);
  if (status == 404) return ProblemResponse(404, "there is no such session");
  if (status == 400) return ProblemResponse(400, "the header Mcp-Session-Id is missing");
  return Response{};
}

}  // namespace

bool IsAllowedOrigin(std::string_view origin, std::string_view host, std::string_view public_url) {
  const size_t scheme_end = origin.find("://");
  if (scheme_end == std::string_view::npos) return false;
  const std::string_view scheme = origin.substr(0, scheme_end);
  const std::string_view authority = origin.substr(scheme_end + 3);
  if ((scheme != "http" && scheme != "https") || authority.find_first_of("/@?#") != std::string_view::npos)
    return false;
  if (IsThisMachine(HostOf(authority))) return true;
  if (IsAddress(HostOf(authority)) && authority == host) return true;
  if (!public_url.starts_with(origin) || public_url.empty()) return false;
  return public_url.size() == origin.size() || public_url[origin.size()] == '/';
}

void AddMcpRoutes(Router& router, const mcp::McpSources& sources, const McpHttpOptions& options) {
  auto server = std::make_shared<McpServer>(sources);
  Route post{"POST", "/mcp", nullptr, {}, true};
  post.handler = [server, sources, options](Request&& request, const Responder& respond) {
    respond(Post(*server, sources, options, request));
  };
  post.operation.summary = "MCP: one JSON-RPC message of an agent (docs/guides/mcp.md)";
  post.operation.request_types = {"application/json"};
  post.operation.answers = {
      {200, "application/json", "the JSON-RPC answer"},
      {202, "application/json", "a notification was taken; no body"},
      {401, "application/problem+json", "no agent's token"},
      {403, "application/problem+json", "a page of another origin, or a person's token"}};
  router.Add(std::move(post));
  Route end{"DELETE", "/mcp", nullptr, {}, true};
  end.handler = [server, sources, options](Request&& request, const Responder& respond) {
    respond(Delete(*server, sources, options, request));
  };
  end.operation.summary = "MCP: end a session";
  end.operation.answers = {{200, "application/json", "it is over"},
                           {404, "application/problem+json", "there is no such session"}};
  router.Add(std::move(end));
}

void AddMcp(Router& router, const ApiDependencies& api) {
  AddMcpRoutes(router, {api.ledger, api.investigations, api.clock, api.act, api.version},
               {[&api] { return api.dispatch.config()->url; }});
}

}  // namespace tocsin::surface
