// `tocsin eval mix`: does traffic whose mix drifts, behaviour unchanged, raise a behaviour alarm?
#pragma once

#include <CLI/CLI.hpp>

#include "surface/cli/command.h"

namespace tocsin::surface {

// Adds `mix` to the `eval` subcommand.
void AddEvalMix(CLI::App& eval, CommandContext& context);

}  // namespace tocsin::surface
