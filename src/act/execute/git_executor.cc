#include "act/execute/git_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "act/execute/internal/call_parts.h"
#include "act/execute/internal/git_clone.h"
#include "claims/claim_text.h"

namespace tocsin::act {
namespace {

using internal::GitClone;
using nlohmann::json;
using ports::ProgramRunner;
using Outcome = Receipt::Outcome;

constexpr int kPushTries = 3;
const Status kStopped(Code::kCancelled, "stopped before it began");

bool IsRevision(std::string_view text) {
  return !text.empty() && text.size() <= 200 && text.find("..") == std::string_view::npos &&
         text.front() != '-' && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '/' || c == '-' || c == '~' || c == '^';
         });
}

bool IsCommitId(std::string_view text) {
  return text.size() >= 7 && text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9'); });
}

bool IsInside(std::string_view path) {
  if (path.empty() || path.size() > 1000 || path.front() == '/') return false;
  if (std::ranges::any_of(path, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\\'; }))
    return false;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.empty() || part == "." || part == ".." || part == ".git") return false;
    at = end + 1;
  }
  return true;
}

// The change as it lies in the index, before it is a commit.
struct Staged {
  std::string subject, body;  // of the commit
  std::string sentence;       // "reverts 4c7a12f 'Raise the pool size' on main: 1 file changed …"
  std::string before;         // id of the branch's newest commit
  bool empty = false;
};

class GitExecutor : public Executor {
 public:
  GitExecutor(const ExecutorSettings& settings, std::string directory, std::unique_ptr<ProgramRunner> runner)
      : repositories_(settings.repositories),
        git_(settings.git),
        directory_(std::move(directory)),
        runner_(std::move(runner)) {
    for (const auto& [name, entry] : repositories_) turns_[name];
  }
  std::vector<ActionSpec> Actions() const override { return GitActions(); }
  Status Check(const ExecutorCall& call) const override;
  Result<Preview> Look(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Run(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Recover(const ExecutorCall& call, std::stop_token stop) override;

 private:
  std::string Name(const ExecutorCall& call) const {
    return internal::TextIn(call.with, "repository",
                            repositories_.size() == 1 ? repositories_.begin()->first : "");
  }
  // Not owned when stopped before it was its turn.
  std::unique_lock<std::timed_mutex> Turn(const ExecutorCall& call, const std::stop_token& stop) {
    std::unique_lock turn(turns_.at(Name(call)), std::defer_lock);
    while (!stop.stop_requested() && !turn.try_lock_for(std::chrono::milliseconds(50))) {
    }
    return turn;
  }
  GitClone Clone(const ExecutorCall& call, std::stop_token stop) {
    const auto it = repositories_.find(Name(call));
    return {it->second, git_, directory_ + "/clone-" + it->first, *runner_, call.timeout, std::move(stop)};
  }
  Result<Staged> Stage(const ExecutorCall& call, GitClone& clone);
  Status StageRevert(const ExecutorCall& call, GitClone& clone, Staged& staged);
  static Status StageRestore(const ExecutorCall& call, GitClone& clone, Staged& staged);
  Receipt CommitAndPush(const ExecutorCall& call, GitClone& clone, const Staged& staged, bool& again);
  static Receipt FromRemote(const ExecutorCall& call, GitClone& clone);

  std::map<std::string, RepositoryEntry> repositories_;
  std::string git_, directory_;
  std::unique_ptr<ProgramRunner> runner_;
  std::map<std::string, std::timed_mutex> turns_;  // one git at a time in each clone
};

Status GitExecutor::Check(const ExecutorCall& call) const {
  TOCSIN_RETURN_IF_ERROR(internal::CheckParameters(GitActions(), call));
  TOCSIN_ASSIGN_OR_RETURN(const RepositoryEntry* entry,
                          internal::FindEntry(repositories_, Name(call), "repository"));
  if (call.action == "git.revert") {
    if (!IsCommitId(internal::TextIn(call.with, "commit")))
      return Status(Code::kInvalidArgument, "with.commit: is not the id of a commit: 7 to 64 hex digits");
    return {};
  }
  const std::string path = internal::TextIn(call.with, "path");
  if (!IsInside(path))
    return Status(Code::kInvalidArgument, "with.path: is not a path within the repository");
  if (!MatchesName(entry->paths, path))
    return Status(Code::kPermissionDenied,
                  fmt::format("with.path: the configuration does not allow '{}'", claims::Printable(path)));
  if (!IsRevision(internal::TextIn(call.with, "revision")))
    return Status(Code::kInvalidArgument, "with.revision: is not a revision");
  return {};
}

Status GitExecutor::StageRevert(const ExecutorCall& call, GitClone& clone, Staged& staged) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string id, clone.Resolve(internal::TextIn(call.with, "commit")));
  TOCSIN_ASSIGN_OR_RETURN(const std::string about,
                          clone.Git({"log", "-n", "1", "--format=%P%n%s", id, "--"}));
  if (about.empty()) return Status(Code::kUnavailable, "git says nothing of " + id);
  const size_t line = std::min(about.find('\n'), about.size() - 1);
  const std::string parents = about.substr(0, line);
  std::string subject = about.substr(line + 1);
  subject = claims::Printable(subject.substr(0, subject.find('\n')), 120);
  const bool again = internal::FlagIn(call.with, "reapply");
  std::vector<std::string> arguments = {again ? "cherry-pick" : "revert", "--no-commit"};
  if (parents.find(' ') != std::string::npos) arguments.insert(arguments.end(), {"-m", "1"});  // of a merge
  arguments.push_back(id);
  if (const auto applied = clone.Git(arguments); !applied) return applied.error();
  staged.subject = fmt::format("{} \"{}\"", again ? "Reapply" : "Revert", subject);
  staged.body = fmt::format("This {} commit {}.", again ? "applies again" : "reverts", id);
  staged.sentence = fmt::format("{} {} '{}'", again ? "reapplies" : "reverts", id.substr(0, 10), subject);
  return {};
}

Status GitExecutor::StageRestore(const ExecutorCall& call, GitClone& clone, Staged& staged) {
  const std::string path = internal::TextIn(call.with, "path");
  TOCSIN_ASSIGN_OR_RETURN(const std::string id, clone.Resolve(internal::TextIn(call.with, "revision")));
  const auto restored = clone.Git({"restore", "--source=" + id, "--staged", "--worktree", "--", path});
  if (!restored) return restored.error();
  staged.subject = fmt::format("Restore {} as of {}", claims::Printable(path, 120), id.substr(0, 10));
  staged.body = fmt::format("The path is as in commit {}.", id);
  staged.sentence = fmt::format("restores {} as of {}", claims::Printable(path, 120), id.substr(0, 10));
  return {};
}

Result<Staged> GitExecutor::Stage(const ExecutorCall& call, GitClone& clone) {
  const RepositoryEntry& entry = repositories_.at(Name(call));
  TOCSIN_RETURN_IF_ERROR(clone.Refresh());
  Staged staged;
  TOCSIN_ASSIGN_OR_RETURN(staged.before, clone.Head());
  TOCSIN_RETURN_IF_ERROR(call.action == "git.revert" ? StageRevert(call, clone, staged)
                                                     : StageRestore(call, clone, staged));
  TOCSIN_ASSIGN_OR_RETURN(const std::string names,
                          clone.Git({"diff", "--cached", "--no-renames", "--name-only", "-z"}));
  for (size_t at = 0; at < names.size(); at = names.find('\0', at) + 1) {
    const std::string name = names.c_str() + at;
    if (!MatchesName(entry.paths, name))
      return Error(Code::kPermissionDenied,
                   fmt::format("it would change '{}', which the configuration does not allow",
                               claims::Printable(name)));
  }
  staged.empty = names.empty();
  TOCSIN_ASSIGN_OR_RETURN(const std::string stat, clone.Git({"diff", "--cached", "--shortstat"}));
  staged.sentence += fmt::format(
      " on {} of {}: {}", entry.branch, Name(call),
      staged.empty ? "nothing changes" : claims::Printable(stat.substr(stat.find_first_not_of(' ')), 100));
  while (staged.sentence.ends_with(' ')) staged.sentence.pop_back();
  return staged;
}

Result<Preview> GitExecutor::Look(const ExecutorCall& call, std::stop_token stop) {
  TOCSIN_RETURN_IF_ERROR(Check(call));
  const auto turn = Turn(call, stop);
  if (!turn) return Error(kStopped);
  GitClone clone = Clone(call, std::move(stop));
  TOCSIN_ASSIGN_OR_RETURN(const Staged staged, Stage(call, clone));
  Preview preview =
      internal::MakePreview(staged.sentence, {{"revision", staged.before}, {"repository", Name(call)}});
  preview.no_change = staged.empty;
  return preview;
}

// What the remote's branch says, as far as it can be asked.
Receipt GitExecutor::FromRemote(const ExecutorCall& call, GitClone& clone) {
  if (const Status fetched = clone.Fetch(); !fetched.ok())
    return internal::MakeReceipt(Outcome::kUnknown, "the remote cannot be asked: " + fetched.message());
  const auto id = clone.FindKey(call.idempotency_key);
  if (!id) return internal::MakeReceipt(Outcome::kUnknown, id.error().message());
  if (id->empty())
    return internal::NotBegun(Status(Code::kNotFound, "no commit on the branch has the key of this step"));
  return internal::MakeReceipt(Outcome::kDone, fmt::format("commit {} is on the branch", id->substr(0, 10)),
                               {{"commit", *id}}, {{"commit", *id}});
}

Receipt GitExecutor::CommitAndPush(const ExecutorCall& call, GitClone& clone, const Staged& staged,
                                   bool& again) {
  const auto made = clone.Git({"commit", "-q", "--no-verify", "--cleanup=verbatim", "-m", staged.subject,
                               "-m", staged.body, "-m", "Tocsin-Key: " + call.idempotency_key});
  if (!made) return internal::NotBegun(made.error());
  const Status pushed = clone.Push();
  Receipt receipt = FromRemote(call, clone);
  if (receipt.outcome == Outcome::kDone) {
    receipt.text = internal::MakePreview(staged.sentence + "; commit " +
                                         internal::TextIn(receipt.outputs, "commit").substr(0, 10))
                       .text;
    receipt.outputs["before"] = staged.before;
    return receipt;
  }
  if (receipt.outcome == Outcome::kUnknown) return receipt;
  // Nothing was pushed: somebody else pushed first, or the remote says no.
  const auto head = clone.Head();
  again = head && *head != staged.before;
  return internal::MakeReceipt(Outcome::kFailed,
                               pushed.ok() ? "the commit is not on the branch" : pushed.message());
}

Receipt GitExecutor::Run(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok()) return internal::NotBegun(status);
  if (call.idempotency_key.empty())
    return internal::NotBegun(Status(Code::kInvalidArgument, "git runs with a key only"));
  const auto turn = Turn(call, stop);
  if (!turn) return internal::NotBegun(kStopped);
  GitClone clone = Clone(call, std::move(stop));
  Receipt receipt;
  for (int i = 0; i < kPushTries; ++i) {
    const auto staged = Stage(call, clone);
    if (!staged) {
      const Code code = staged.error().code();
      const bool no =
          code == Code::kFailedPrecondition || code == Code::kNotFound || code == Code::kPermissionDenied;
      return no ? internal::MakeReceipt(Outcome::kFailed, staged.error().message())
                : internal::NotBegun(staged.error());
    }
    if (staged->empty) return internal::MakeReceipt(Outcome::kFailed, staged->sentence);
    bool again = false;
    receipt = CommitAndPush(call, clone, *staged, again);
    if (!again) break;
  }
  return receipt;
}

Receipt GitExecutor::Recover(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok())
    return internal::MakeReceipt(Outcome::kUnknown, status.message());
  const auto turn = Turn(call, stop);
  if (!turn) return internal::MakeReceipt(Outcome::kUnknown, kStopped.message());
  GitClone clone = Clone(call, std::move(stop));
  return FromRemote(call, clone);
}

}  // namespace

std::vector<ActionSpec> GitActions() {
  ActionSpec revert = internal::MakeSpec(
      "git.revert", "takes a commit back, by a new one",
      {{"repository", "text", false, "name in act.executors.repositories; the only one when absent"},
       {"commit", "text", true, "id of a commit on the configured branch"},
       {"reapply", "boolean", false,
        "true: applies the commit again, which is the inverse of reverting it"}});
  revert.undo = {"revision", "repository"};
  revert.outputs = {"commit", "before"};
  revert.recoverable = true;
  revert.usual_inverse = {
      {"action", "git.revert"},
      {"with",
       {{"repository", "{{ undo.repository }}"}, {"commit", "{{ with.commit }}"}, {"reapply", true}}}};
  ActionSpec restore = internal::MakeSpec(
      "git.restore", "makes a path what it was in an earlier revision, by a new commit",
      {{"repository", "text", false, "name in act.executors.repositories; the only one when absent"},
       {"path", "text", true, "file or folder"},
       {"revision", "text", true, "commit on the configured branch: an id, or one with ~N"}});
  restore.undo = {"revision", "repository"};
  restore.outputs = {"commit", "before"};
  restore.recoverable = true;
  restore.usual_inverse = {{"action", "git.restore"},
                           {"with",
                            {{"repository", "{{ undo.repository }}"},
                             {"path", "{{ with.path }}"},
                             {"revision", "{{ undo.revision }}"}}}};
  return {revert, restore};
}

Result<std::unique_ptr<Executor>> MakeGitExecutor(const ExecutorSettings& settings,
                                                  const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  TOCSIN_ASSIGN_OR_RETURN(auto runner, ProgramRunner::Make(directory + "/programs", {settings.git}));
  return std::make_unique<GitExecutor>(settings, directory, std::move(runner));
}

}  // namespace tocsin::act
