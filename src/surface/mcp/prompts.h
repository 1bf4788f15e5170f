// Prompts that people pick in their client: investigate_incident, review_run. Thread-safe; errors are the
// protocol's.
#pragma once

#include <nlohmann/json.hpp>

#include "surface/mcp/tool.h"

namespace tocsin::surface::mcp {

nlohmann::json ListPrompts();
// {description, messages}; kInvalidParams for an unknown name or argument.
RpcResult<nlohmann::json> GetPrompt(const McpSources& sources, const nlohmann::json& params);

}  // namespace tocsin::surface::mcp
