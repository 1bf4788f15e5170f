// What `tocsin runbook lint` holds runbooks against: inventory, access and people on call, of the settings.
// In this layer because settings are. Errors: as ReadSettings.
#pragma once

#include <string>

#include "surface/cli/runbook_files.h"

namespace tocsin::runtime {

Result<surface::LintWorld> LintWorldOf(const std::string& config);

}  // namespace tocsin::runtime
