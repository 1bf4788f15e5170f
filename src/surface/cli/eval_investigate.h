// `tocsin eval investigate`: how often is the cause of a recorded incident named, and how often a wrong one?
#pragma once

#include <CLI/CLI.hpp>

#include "surface/cli/command.h"

namespace tocsin::surface {

// Adds `investigate` to the `eval` subcommand.
void AddEvalInvestigate(CLI::App& eval, CommandContext& context);

}  // namespace tocsin::surface
