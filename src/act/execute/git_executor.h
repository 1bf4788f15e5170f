// git.revert and git.restore: a commit taken back, or a path as it was in an earlier revision, on the branch
// of a repository that the configuration names; with the real git, in a clone of Tocsin's own, without hooks,
// prompts or anybody's settings. A change is one commit, pushed without force; it carries its key:
//
//   Revert "Raise the pool size"
//
//   This reverts commit 4c7a….
//
//   Tocsin-Key: KEY
//
// After a crash the branch on the remote tells: the trailer is there, or nothing was done.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "act/execute/executor_settings.h"

namespace tocsin::act {

std::vector<ActionSpec> GitActions();
// `directory`: for the clones. Errors: as ProgramRunner::Make.
Result<std::unique_ptr<Executor>> MakeGitExecutor(const ExecutorSettings& settings,
                                                  const std::string& directory);

}  // namespace tocsin::act
