// command.run: programs that the configuration names, each with patterns for its arguments, run without a
// shell and locked in (ports/process/program_runner.h). A command that ran while Tocsin crashed is found
// again by its key.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/execute/executor_settings.h"

namespace tocsin::act {

std::vector<ActionSpec> CommandActions();
// `directory` is for the runner's files. Errors: as ProgramRunner::Make; kInvalidArgument for a pattern.
Result<std::unique_ptr<Executor>> MakeCommandExecutor(std::map<std::string, CommandEntry> commands,
                                                      const std::string& directory);

}  // namespace tocsin::act
