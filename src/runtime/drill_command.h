// `tocsin drill access [--send] [--days 14] [--timeout 5s] [--json] [--config FILE] [--data DIR]`: whether
// the people on call can be told and can open what they are sent. Exit code 1: something is missing; 2: the
// settings cannot be read.
#pragma once

#include "surface/cli/command.h"

namespace tocsin::runtime {

void AddDrillAccess(CLI::App& drill, surface::CommandContext& context);

}  // namespace tocsin::runtime
