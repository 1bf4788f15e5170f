// `tocsin simulate`: traffic of a made-up support assistant with one unannounced change, for `tocsin replay`.
#pragma once

#include "surface/cli/command.h"

namespace tocsin::surface {

void AddSimulate(CLI::App& app, CommandContext& context);

}  // namespace tocsin::surface
