// tocsin runbook lint|plan|list|import|schema: runbooks as files, without a server.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "act/policy/policy_rules.h"
#include "surface/cli/command.h"

namespace tocsin::surface {

// What lint holds runbooks against, besides themselves. Without rules nothing is known of it.
struct LintWorld {
  std::optional<act::PolicyRules> rules;
  std::vector<std::string> on_call;  // people
};
// Of a settings file; "" = tocsin.yaml where it is there. Settings are another layer's.
using ReadLintWorld = std::function<Result<LintWorld>(const std::string& config)>;

// `runbook` is the parent.
void AddRunbookFiles(CLI::App& runbook, CommandContext& context, ReadLintWorld read);

}  // namespace tocsin::surface
