// `tocsin eval templates`: are log lines of one kind told from those of another, and how fast?
#pragma once

#include <CLI/CLI.hpp>

#include "surface/cli/command.h"

namespace tocsin::surface {

// Adds `templates` to the `eval` subcommand.
void AddEvalTemplates(CLI::App& eval, CommandContext& context);

}  // namespace tocsin::surface
