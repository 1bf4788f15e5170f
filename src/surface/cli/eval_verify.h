// `tocsin eval verify`: does the verifier catch planted claims that are not true?
#pragma once

#include <CLI/CLI.hpp>

#include "surface/cli/command.h"

namespace tocsin::surface {

// Adds `verify` to the `eval` subcommand.
void AddEvalVerify(CLI::App& eval, CommandContext& context);

}  // namespace tocsin::surface
