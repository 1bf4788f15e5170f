// `tocsin eval rca`: are root causes ranked first, without fault times, and healthy windows left alone?
#pragma once

#include <CLI/CLI.hpp>

#include "surface/cli/command.h"

namespace tocsin::surface {

// Adds `rca` to the `eval` subcommand.
void AddEvalRca(CLI::App& eval, CommandContext& context);

}  // namespace tocsin::surface
