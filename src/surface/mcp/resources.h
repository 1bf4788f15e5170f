// Resources: tocsin://runbooks/{id} and tocsin://incidents/{id}/brief. Thread-safe; errors are the
// protocol's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "surface/mcp/tool.h"

namespace tocsin::surface::mcp {

inline constexpr size_t kResourcesOfAPage = 100;

// {resources, nextCursor}: runbooks, then briefs of incidents that are not over. kInvalidParams for a cursor
// that was not given.
RpcResult<nlohmann::json> ListResources(const McpSources& sources, const std::string& cursor);
nlohmann::json ListResourceTemplates();
// {contents}; `not_found` is the code when there is none.
RpcResult<nlohmann::json> ReadResource(const McpSources& sources, const std::string& uri, int not_found);

}  // namespace tocsin::surface::mcp
