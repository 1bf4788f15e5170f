// A clone of one configured repository, driven by the real git through the process port. Never a shell, a
// hook, a prompt, a setting of this machine or of a user; no protocol but the remote's own.
// Thread-safety: none, one owner at a time. Errors: kCancelled, kDeadlineExceeded (the call's time is over),
// kNotFound (no such commit), kFailedPrecondition (git says no, with its words), kUnavailable.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "act/execute/executor_settings.h"
#include "kernel/status.h"
#include "kernel/time.h"
#include "ports/process/program_runner.h"

namespace tocsin::act::internal {

class GitClone {
 public:
  GitClone(const RepositoryEntry& entry, std::string git, std::string directory, ports::ProgramRunner& runner,
           Duration timeout, std::stop_token stop);

  // The branch as it is on the remote now, checked out, nothing else there.
  Status Refresh();
  // The remote's branch is known anew; the files stay as they are.
  Status Fetch();
  // Its id, when it is on the branch.
  Result<std::string> Resolve(const std::string& revision);
  Result<std::string> Head() { return Resolve(Upstream()); }
  // What git prints; an exit code other than 0 is an error.
  Result<std::string> Git(const std::vector<std::string>& arguments);
  // Id of the branch's commit with this key; "" when there is none.
  Result<std::string> FindKey(const std::string& key);
  Status Push();
  std::string Upstream() const { return "refs/remotes/origin/" + entry_.branch; }

 private:
  Result<ports::ProgramEnd> Execute(const std::vector<std::string>& arguments);
  ports::Program MakeProgram(const std::vector<std::string>& arguments) const;

  const RepositoryEntry& entry_;
  const std::string git_, directory_;
  ports::ProgramRunner& runner_;
  std::chrono::steady_clock::time_point deadline_;
  std::stop_token stop_;
};

// A URL's scheme as git names its protocol: https, http, ssh, file. "" for what is none of them.
std::string GitProtocol(const std::string& remote);

}  // namespace tocsin::act::internal
