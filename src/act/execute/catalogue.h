// What there is to do: every action Tocsin knows, and the executors that the configuration gives the means
// for. An action without configuration is not in the directory, so that policy refuses it. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/execute/executor_settings.h"
#include "kernel/status.h"
#include "ports/clock.h"

namespace tocsin::act {

// By name; for lint and the catalogue, whatever is configured.
std::vector<ActionSpec> AllActionSpecs();

// Files of the executors are below `data_directory`/executors. `clock` must outlive the directory. Errors:
// kInvalidArgument (which entry), kUnavailable (a directory cannot be used).
Result<std::unique_ptr<ExecutorDirectory>> MakeExecutors(const ExecutorSettings& settings,
                                                         const ports::Clock& clock,
                                                         const std::string& data_directory);

}  // namespace tocsin::act
