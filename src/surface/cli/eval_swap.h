// `tocsin eval swap`: how soon would a silent change have been found in recorded answers?
#pragma once

#include <CLI/CLI.hpp>

#include "surface/cli/command.h"

namespace tocsin::surface {

// Adds `swap` to the `eval` subcommand.
void AddEvalSwap(CLI::App& eval, CommandContext& context);

}  // namespace tocsin::surface
