// `tocsin config`: check a configuration before it is used, carry one over from Alertmanager, print the
// schema.
//
//   tocsin config check [FILE] [--json]              exit 0: fine, with what it means; 2: everything wrong
//   tocsin config import alertmanager.yml [-o FILE]  exit 0: written; 2: not read or not written
//   tocsin config schema                             JSON Schema, for editors
//
// In this layer because settings are.
#pragma once

#include "surface/cli/command.h"

namespace tocsin::runtime {

void AddConfig(CLI::App& app, surface::CommandContext& context);

}  // namespace tocsin::runtime
