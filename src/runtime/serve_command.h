// `tocsin serve`: runs the server until SIGTERM or SIGINT. Exit code 2: a setting, the data directory or a
// port cannot be used; 3: the disk cannot be written.
#pragma once

#include "surface/cli/command.h"

namespace tocsin::runtime {

void AddServe(CLI::App& app, surface::CommandContext& context);

}  // namespace tocsin::runtime
