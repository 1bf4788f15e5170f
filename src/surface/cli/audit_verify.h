// `tocsin audit verify --data DIR [--json]`: recomputes the audit chain of a data directory, also beside a
// running server (reads only). Exit code 0 intact, 1 broken, 3 no ledger there.
#pragma once

#include "surface/cli/command.h"

namespace tocsin::surface {

// `audit` is the parent subcommand.
void AddAuditVerify(CLI::App& audit, CommandContext& context);

}  // namespace tocsin::surface
