// McpClient: how Tocsin asks a server of MCP for its tools and calls them, over streamable HTTP. Both
// generations: server/discover (2026-07-28) is tried first, then initialize. Programs are not started: what
// may start one is act and recover alone.
//
// Everything the server says is hostile: bounded, parsed without trust, and given out as it is for whoever
// calls to mark as data. Nothing it asks of a client (sampling, roots, elicitation) is answered.
// Bounds: McpClientBounds. Ownership: owns its connection. Thread-safety: none, one owner. Errors:
// kUnavailable, kDeadlineExceeded, kUnauthenticated, kInvalidArgument (the server says that the call is
// wrong), kDataLoss (what it says is not MCP), kOutOfRange (too long), kCancelled.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "ports/http_client.h"

namespace tocsin::ports {

struct McpClientBounds {
  int64_t timeout_ms = 20'000;  // of one request
  size_t max_response_bytes = 4u << 20;
  size_t max_tools = 128;
  int max_pages = 10;
  size_t max_schema_bytes = 32u << 10;
  size_t max_text_bytes = 32u << 10;  // of one tool's answer
};

struct McpToolInfo {
  std::string name, description;
  nlohmann::json schema = nlohmann::json::object();
  bool read_only = false;  // as the server says
  std::string as_said;     // all of it, as one text: to see that it changed
};

struct McpToolOutput {
  std::string text;
  bool failed = false;
};

class McpClient {
 public:
  // `url`: of the endpoint, such as https://example.org/mcp. `token`: "" sends none.
  McpClient(std::string url, std::string token, McpClientBounds bounds = {});

  // Tools whose name or schema is out of bounds are left out.
  Result<std::vector<McpToolInfo>> ListTools(std::stop_token stop = {});
  Result<McpToolOutput> Call(const std::string& tool, const nlohmann::json& arguments,
                             std::stop_token stop = {});
  // "" before the first call.
  const std::string& version() const { return version_; }

 private:
  Status Connect(std::stop_token stop);
  Status Initialize(std::stop_token stop);
  // The result of a request; the connection made, and a lost session begun anew, when need be.
  Result<nlohmann::json> Ask(const std::string& method, const nlohmann::json& params, std::stop_token stop);
  struct Said {
    int status = 0;
    nlohmann::json answer;  // the JSON-RPC answer; null: none
    std::string session;
  };
  Result<Said> Post(const std::string& method, nlohmann::json params, bool notification,
                    std::stop_token stop);

  std::string url_, token_;
  McpClientBounds bounds_;
  HttpClient http_;
  std::string version_, session_;
  int64_t next_id_ = 1;
};

}  // namespace tocsin::ports
