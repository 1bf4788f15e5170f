// What a person configures of investigations (docs/formats/configuration.md). Value type.
#pragma once

#include <optional>
#include <vector>

#include "investigate/agent/investigator.h"
#include "investigate/agent/mcp_tools.h"
#include "ports/model/model_client.h"

namespace tocsin::investigate {

struct InvestigationSettings {
  bool briefs = true;                         // made by itself when an incident opens
  std::optional<ports::ModelSettings> model;  // none: every brief is made without one
  bool ask_by_itself = false;   // the model is asked for briefs made by itself, not only on request
  InvestigatorOptions options;  // bounds of one investigation
  std::vector<McpServerSettings> mcp = {};  // other programs the model may read with
};

}  // namespace tocsin::investigate
