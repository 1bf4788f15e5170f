#include "act/execute/internal/git_clone.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "act/execute/internal/call_parts.h"
#include "claims/claim_text.h"

namespace tocsin::act::internal {
namespace {

using ports::Program;
using ports::ProgramEnd;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kMaxGitOutput = 1u << 20;

std::string Trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::string QuotedForSsh(const std::string& path) {
  return "'" + path + "'";
}  // the reader allows no quote in it

}  // namespace

std::string GitProtocol(const std::string& remote) {
  if (remote.starts_with("https://")) return "https";
  if (remote.starts_with("http://")) return "http";
  if (remote.starts_with("ssh://")) return "ssh";
  return remote.starts_with('/') ? "file" : "";
}

GitClone::GitClone(const RepositoryEntry& entry, std::string git, std::string directory,
                   ports::ProgramRunner& runner, Duration timeout, std::stop_token stop)
    : entry_(entry),
      git_(std::move(git)),
      directory_(std::move(directory)),
      runner_(runner),
      deadline_(SteadyClock::now() + std::chrono::nanoseconds(timeout.ns)),
      stop_(std::move(stop)) {}

Program GitClone::MakeProgram(const std::vector<std::string>& arguments) const {
  Program program;
  program.arguments = {git_};
  const std::string protocol = GitProtocol(entry_.remote);
  for (const std::string& setting :
       {std::string("core.hooksPath=/dev/null"), std::string("core.fsmonitor=false"),
        std::string("gc.auto=0"), std::string("maintenance.auto=false"),
        std::string("submodule.recurse=false"), std::string("commit.gpgSign=false"),
        std::string("push.gpgSign=false"), std::string("http.followRedirects=false"),
        std::string("protocol.allow=never"), "protocol." + protocol + ".allow=always",
        "user.name=" + entry_.author_name, "user.email=" + entry_.author_email}) {
    program.arguments.insert(program.arguments.end(), {"-c", setting});
  }
  program.arguments.insert(program.arguments.end(), arguments.begin(), arguments.end());
  program.environment = {{"PATH", "/usr/bin:/bin"},      {"LC_ALL", "C"},
                         {"GIT_CONFIG_NOSYSTEM", "1"},   {"GIT_CONFIG_GLOBAL", "/dev/null"},
                         {"GIT_ATTR_NOSYSTEM", "1"},     {"GIT_TERMINAL_PROMPT", "0"},
                         {"GIT_ASKPASS", "/bin/false"},  {"SSH_ASKPASS", "/bin/false"},
                         {"GIT_EDITOR", "/bin/false"},   {"GIT_LITERAL_PATHSPECS", "1"},
                         {"GIT_NO_REPLACE_OBJECTS", "1"}};
  if (protocol == "ssh") {
    program.environment["GIT_SSH_COMMAND"] = fmt::format(
        "ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o "
        "UserKnownHostsFile={} -i {}",
        QuotedForSsh(entry_.known_hosts_file), QuotedForSsh(entry_.ssh_key_file));
  }
  if (!entry_.authorization.empty()) {  // not among the arguments, which every user sees
    program.environment["GIT_CONFIG_COUNT"] = "1";
    program.environment["GIT_CONFIG_KEY_0"] = "http.extraHeader";
    program.environment["GIT_CONFIG_VALUE_0"] = "Authorization: " + entry_.authorization;
  }
  program.network = protocol != "file";
  program.limits.output_bytes = kMaxGitOutput;
  program.limits.file_bytes = size_t{4} << 30;
  program.limits.memory_bytes = size_t{8} << 30;
  return program;
}

Result<ProgramEnd> GitClone::Execute(const std::vector<std::string>& arguments) {
  Program program = MakeProgram(arguments);
  program.timeout.ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(deadline_ - SteadyClock::now()).count();
  if (program.timeout.ns <= 0) return Error(Code::kDeadlineExceeded, "there was no time left for git");
  TOCSIN_ASSIGN_OR_RETURN(ProgramEnd end, runner_.Run("", program, stop_));
  if (stop_.stop_requested()) return Error(Code::kCancelled, "git was stopped");
  if (end.outcome == ProgramEnd::Outcome::kTimedOut)
    return Error(Code::kDeadlineExceeded, "git took too long");
  if (end.outcome != ProgramEnd::Outcome::kExited)
    return Error(Code::kUnavailable, "git did not end by itself");
  return end;
}

Result<std::string> GitClone::Git(const std::vector<std::string>& arguments) {
  std::vector<std::string> inside = {"-C", directory_};
  inside.insert(inside.end(), arguments.begin(), arguments.end());
  TOCSIN_ASSIGN_OR_RETURN(ProgramEnd end, Execute(inside));
  if (end.value != 0)
    return Error(Code::kFailedPrecondition, fmt::format("git {}: {}", arguments.front(), LastWords(end)));
  if (end.out_cut) return Error(Code::kOutOfRange, "git says more than 1 MiB");
  return std::move(end.out);
}

Status GitClone::Fetch() {
  if (!std::filesystem::exists(directory_ + "/.git")) {
    TOCSIN_ASSIGN_OR_RETURN(const ProgramEnd made, Execute({"init", "-q", "--template=", directory_}));
    if (made.value != 0) return Status(Code::kUnavailable, "git init: " + LastWords(made));
  }
  const auto fetched =
      Git({"fetch", "-q", "--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--",
           entry_.remote, fmt::format("+refs/heads/{}:{}", entry_.branch, Upstream())});
  if (fetched) return {};
  const Status& why = fetched.error();
  return why.code() == Code::kFailedPrecondition ? Status(Code::kUnavailable, why.message()) : why;
}

Status GitClone::Refresh() {
  TOCSIN_RETURN_IF_ERROR(Fetch());
  for (int i = 0; i < 2; ++i) {
    // What a git that was killed left behind; nobody else works here.
    std::error_code error;
    for (const char* left :
         {"index.lock", "HEAD.lock", "REVERT_HEAD", "CHERRY_PICK_HEAD", "MERGE_MSG", "sequencer"})
      std::filesystem::remove_all(directory_ + "/.git/" + left, error);
    auto checked_out = Git({"checkout", "-q", "-f", "--detach", Upstream()});
    if (checked_out) checked_out = Git({"clean", "-q", "-ffdx"});
    if (checked_out) return {};
    if (checked_out.error().code() != Code::kFailedPrecondition || i == 1) return checked_out.error();
    std::filesystem::remove_all(directory_, error);
    TOCSIN_RETURN_IF_ERROR(Fetch());
  }
  return {};
}

Result<std::string> GitClone::Resolve(const std::string& revision) {
  auto id = Git({"rev-parse", "-q", "--verify", "--end-of-options", revision + "^{commit}"});
  if (!id && id.error().code() == Code::kFailedPrecondition)
    return Error(Code::kNotFound,
                 fmt::format("there is no commit '{}' on {}", claims::Printable(revision), entry_.branch));
  if (!id) return Error(id.error());
  const std::string found = Trimmed(std::move(*id));
  const auto inside = Git({"merge-base", "--is-ancestor", found, Upstream()});
  if (!inside && inside.error().code() == Code::kFailedPrecondition)
    return Error(Code::kNotFound,
                 fmt::format("commit '{}' is not on {}", claims::Printable(revision), entry_.branch));
  if (!inside) return Error(inside.error());
  return found;
}

Result<std::string> GitClone::FindKey(const std::string& key) {
  TOCSIN_ASSIGN_OR_RETURN(
      const std::string log,
      Git({"log", "-n", "50", "--fixed-strings", "--grep=Tocsin-Key: " + key,
           "--format=%H %(trailers:key=Tocsin-Key,valueonly,separator=%x20)", Upstream(), "--"}));
  for (size_t at = 0; at < log.size();) {
    const size_t end = std::min(log.find('\n', at), log.size());
    const std::string line = log.substr(at, end - at);
    const size_t blank = line.find(' ');
    if (blank != std::string::npos && (line.substr(blank) + " ").find(" " + key + " ") != std::string::npos)
      return line.substr(0, blank);
    at = end + 1;
  }
  return std::string();
}

Status GitClone::Push() {
  const auto pushed = Git({"push", "-q", "--no-verify", "--no-recurse-submodules", "--", entry_.remote,
                           "HEAD:refs/heads/" + entry_.branch});
  return pushed ? Status() : pushed.error();
}

}  // namespace tocsin::act::internal
