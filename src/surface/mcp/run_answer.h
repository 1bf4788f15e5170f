// What tools say of a run: its state, what waits for people, and where people answer.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "act/run/run.h"
#include "surface/mcp/tool.h"

namespace tocsin::surface::mcp {

// kFailedPrecondition: acting is not configured.
Status NotConfigured();
ToolAnswer RunAnswer(const act::RunView& run);
// The id of a question that is open; "" when none is.
std::string OpenApproval(const act::RunView& run);
// inputRequests that tell people where to decide. Whatever is answered approves nothing.
nlohmann::json AskToDecideElsewhere(const act::RunView& run, const std::string& approval);

}  // namespace tocsin::surface::mcp
