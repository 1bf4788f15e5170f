// Tool: one thing that a client of MCP may ask: its name, what it takes, what it promises, and the function
// that answers. A table of them (tool_table.h) is all that tools/list and tools/call know.
//
// What tools return is data: texts of telemetry, models, people and programs, bounded, and marked as such.
// No tool approves, releases the kill switch, acknowledges, closes or pages.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "act/access.h"
#include "act/act_desk.h"
#include "kernel/status.h"
#include "ports/clock.h"
#include "store/ledger.h"
#include "surface/mcp/json_rpc.h"

namespace tocsin::investigate {
class InvestigationDesk;
}

namespace tocsin::surface::mcp {

// What MCP is given of the rest of Tocsin. All of it must outlive the server.
struct McpSources {
  store::Ledger& ledger;
  investigate::InvestigationDesk& investigations;
  const ports::Clock& clock;
  act::ActDesk* act = nullptr;  // null: acting is not configured; reading is
  std::string version;
};

// Whoever calls, and how.
struct ToolCall {
  const McpSources& sources;
  act::Caller caller;  // name "": nobody is known, because acting is not configured
  const nlohmann::json& arguments;
  bool may_ask_people = false;  // input_required is understood, and people can be shown something
  bool stateless = false;       // of generation 2026-07-28
  // Of a retry of an answer that was input_required.
  std::optional<std::string> state = std::nullopt;
  bool people_accepted = false;  // says only that they want it looked at again
};

struct ToolAnswer {
  std::string text;     // a line or two, made by code of ids and numbers only
  std::string page;     // the same for people, with whatever texts; shown between marks
  nlohmann::json data;  // null: none
  bool failed = false;
  // Not null: people must do something elsewhere first; the client then asks again with `state`.
  nlohmann::json input_requests;
  std::string state;
};

// An error of the protocol; what only this call did wrong is a ToolAnswer that failed.
using ToolResult = RpcResult<ToolAnswer>;

struct Tool {
  std::string name, title, about;
  nlohmann::json input_schema;
  bool read_only = true;
  bool destructive = false;
  bool idempotent = true;
  bool open_world = false;  // reaches beyond Tocsin
  std::function<ToolResult(const ToolCall&)> run;
};

ToolAnswer ToolFailure(const Status& status);

// Schemas. {"type": "object", …}, closed.
nlohmann::json ObjectSchema(nlohmann::json properties, std::vector<std::string> required = {});
nlohmann::json TextSchema(const char* about, size_t most = 200);
nlohmann::json CountSchema(const char* about, int64_t low, int64_t high);
// Against what the schemas above and plain arrays say. kInvalidArgument names the argument.
Status CheckArguments(const nlohmann::json& schema, const nlohmann::json& arguments);

std::string TextOf(const nlohmann::json& arguments, const char* key);
int64_t CountOf(const nlohmann::json& arguments, const char* key, int64_t otherwise);

// The same with long texts and lists cut until it is at most so many bytes; says "cut" then.
nlohmann::json BoundJson(const nlohmann::json& from, size_t most);

}  // namespace tocsin::surface::mcp
