// flag.set and flag.read: the default variant of feature flags, in a file of flagd or behind an API; reading
// also as an application does, by OFREP. Setting says what shall be, not what to change, so after a crash
// reading the flag tells what became of it, unless somebody else changed it too.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/execute/executor_settings.h"

namespace tocsin::act {

std::vector<ActionSpec> FlagActions();
// `directory`: notes of what a file was like before a run, kept for a week.
Result<std::unique_ptr<Executor>> MakeFlagExecutor(std::map<std::string, FlagStore> stores,
                                                   const std::string& directory);

}  // namespace tocsin::act
