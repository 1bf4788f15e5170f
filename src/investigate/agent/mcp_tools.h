// McpTools: tools of other programs, over MCP, that a model may read with while it investigates.
//
// Offered are the tools named in the configuration, or, when none is named, those that their server calls
// read-only. What a server says of a tool is shown to a model and may attack it: it is cut, made printable
// and pinned. A tool whose description or schema is not what was first seen is refused until a restart,
// unless allow_changed. What a tool answers is text, bounded, and no more than data; it opens no other scope.
//
// Ownership: owns its connections. Thread-safety: all methods, one at a time. Bounds: kMaxMcpServers servers,
// kMaxOfferedTools tools, McpClientBounds. Errors of Call: McpClient's, kNotFound.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "ports/mcp/mcp_client.h"
#include "ports/model/model_types.h"

namespace tocsin::investigate {

inline constexpr size_t kMaxMcpServers = 16;
inline constexpr size_t kMaxOfferedTools = 64;
inline constexpr size_t kMaxOfferedBytes = 96u
                                           << 10;  // of all schemas together: a model reads them each turn

struct McpServerSettings {
  std::string name;  // a-z, 0-9 and _: the tools are called mcp_NAME_TOOL
  std::string url;
  std::string token_env, token_file;  // where its token is; both "": none is sent
  std::vector<std::string> tools;     // exactly these; empty: those that are read-only
  bool allow_changed = false;         // descriptions and schemas may change while this runs
};

class McpTools {
 public:
  explicit McpTools(std::vector<McpServerSettings> servers, ports::McpClientBounds bounds = {});

  struct Offer {
    std::vector<ports::ModelTool> tools;
    std::vector<std::string> notes;  // what is not offered, and why
  };
  // Asks every server what it has. One that does not answer takes nothing from the others.
  Offer Look(std::stop_token stop = {});
  // Of the last Look.
  bool Offers(const std::string& name) const;
  Result<ports::McpToolOutput> Call(const std::string& name, const nlohmann::json& arguments,
                                    std::stop_token stop = {});

 private:
  struct Server {
    McpServerSettings settings;
    std::unique_ptr<ports::McpClient> client;
    std::map<std::string, std::string> pinned;  // tool → as it was first said
  };
  struct Offered {
    size_t server = 0;
    std::string tool;
  };
  void LookAt(size_t index, Offer& offer, const std::stop_token& stop);

  mutable std::mutex mutex_;
  ports::McpClientBounds bounds_;
  std::vector<Server> servers_;
  std::map<std::string, Offered> offered_;  // by the name the model knows
  size_t offered_bytes_ = 0;
};

}  // namespace tocsin::investigate
