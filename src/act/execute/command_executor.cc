#include "act/execute/command_executor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <cstring>

#include "act/execute/internal/call_parts.h"
#include "claims/claim_text.h"

namespace tocsin::act {
namespace {

using nlohmann::json;
using ports::Program;
using ports::ProgramEnd;
using ports::ProgramRunner;
using Outcome = Receipt::Outcome;

class CommandExecutor : public Executor {
 public:
  CommandExecutor(std::map<std::string, CommandEntry> commands, std::unique_ptr<ProgramRunner> runner)
      : commands_(std::move(commands)), runner_(std::move(runner)) {}
  std::vector<ActionSpec> Actions() const override { return CommandActions(); }
  Status Check(const ExecutorCall& call) const override;
  Result<Preview> Look(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Run(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Recover(const ExecutorCall& call, std::stop_token stop) override;

 private:
  Program MakeProgram(const ExecutorCall& call, bool dry_run) const;

  std::map<std::string, CommandEntry> commands_;
  std::unique_ptr<ProgramRunner> runner_;
};

std::vector<std::string> ArgumentsOf(const ExecutorCall& call) {
  std::vector<std::string> arguments;
  if (const auto given = call.with.find("arguments"); given != call.with.end()) {
    for (const json& one : *given) arguments.push_back(one.is_string() ? one.get<std::string>() : one.dump());
  }
  return arguments;
}

Status CommandExecutor::Check(const ExecutorCall& call) const {
  TOCSIN_RETURN_IF_ERROR(internal::CheckParameters(CommandActions(), call));
  TOCSIN_ASSIGN_OR_RETURN(const CommandEntry* entry,
                          internal::FindEntry(commands_, internal::TextIn(call.with, "command"), "command"));
  if (const auto given = call.with.find("arguments"); given != call.with.end()) {
    for (const json& one : *given) {
      if (!one.is_string() && !one.is_number() && !one.is_boolean())
        return Status(Code::kInvalidArgument,
                      "with.arguments: has something that is neither text nor number");
    }
  }
  const auto arguments = ArgumentsOf(call);
  if (arguments.size() != entry->patterns.size())
    return Status(Code::kInvalidArgument, fmt::format("with.arguments: {} given, the command takes {}",
                                                      arguments.size(), entry->patterns.size()));
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!RE2::FullMatch(arguments[i], entry->patterns[i]))
      return Status(Code::kPermissionDenied,
                    fmt::format("with.arguments[{}]: '{}' does not match {}", i,
                                claims::Printable(arguments[i]), entry->patterns[i]));
  }
  return {};
}

Program CommandExecutor::MakeProgram(const ExecutorCall& call, bool dry_run) const {
  const CommandEntry& entry = commands_.at(internal::TextIn(call.with, "command"));
  Program program;
  program.arguments = {entry.path};
  const auto add = [&](const std::vector<std::string>& more) {
    program.arguments.insert(program.arguments.end(), more.begin(), more.end());
  };
  add(entry.fixed);
  if (dry_run) add(entry.dry_run);
  add(ArgumentsOf(call));
  program.environment = entry.environment;
  program.directory = entry.directory;
  program.user = entry.user;
  program.network = entry.network;
  program.limits = entry.limits;
  program.timeout = call.timeout;
  return program;
}

// As a person would type it; only to be read.
std::string LineOf(const Program& program) {
  std::string line;
  for (const std::string& argument : program.arguments) {
    const bool plain =
        !argument.empty() && argument.find_first_of(" \t\n\"'\\$`*?;&|<>(){}[]#~!") == std::string::npos;
    line += (line.empty() ? "" : " ") + (plain ? argument : fmt::format("'{}'", argument));
  }
  return claims::Printable(line, 240);
}

std::string_view SignalName(int signal) {
  const char* const name = sigdescr_np(signal);
  return name == nullptr ? "not known" : name;
}

Receipt Judge(const std::string& line, const ProgramEnd& end) {
  json outputs = {{"stdout", internal::CleanText(end.out)},
                  {"stderr", internal::CleanText(end.err, 8u << 10)}};
  json evidence = {{"stdout_cut", end.out_cut}, {"stderr_cut", end.err_cut}};
  const auto says = [&](Outcome outcome, const std::string& what) {
    const std::string words = internal::LastWords(end);
    return internal::MakeReceipt(outcome,
                                 fmt::format("{}: {}{}{}", line, what, words.empty() ? "" : ": ", words),
                                 std::move(outputs), std::move(evidence));
  };
  switch (end.outcome) {
    case ProgramEnd::Outcome::kExited:
      outputs["exit_code"] = evidence["exit_code"] = end.value;
      return end.value == 0 ? says(Outcome::kDone, "done")
                            : says(Outcome::kFailed, fmt::format("exit code {}", end.value));
    case ProgramEnd::Outcome::kSignaled:
      evidence["signal"] = end.value;
      return says(Outcome::kUnknown,
                  fmt::format("ended by signal {} ({})", end.value, SignalName(end.value)));
    case ProgramEnd::Outcome::kTimedOut:
      return says(Outcome::kUnknown, "killed: it took too long");
    case ProgramEnd::Outcome::kStopped:
      return says(Outcome::kUnknown, "killed: stopped");
    default:
      return says(Outcome::kUnknown, "nobody saw its end");
  }
}

Result<Preview> CommandExecutor::Look(const ExecutorCall& call, std::stop_token stop) {
  TOCSIN_RETURN_IF_ERROR(Check(call));
  const CommandEntry& entry = commands_.at(internal::TextIn(call.with, "command"));
  std::string text = "runs " + LineOf(MakeProgram(call, false));
  if (!entry.user.empty()) text += " as " + entry.user;
  if (entry.dry_run.empty()) return internal::MakePreview(text);
  const Program program = MakeProgram(call, true);
  TOCSIN_ASSIGN_OR_RETURN(const ProgramEnd end, runner_->Run("", program, std::move(stop)));
  const std::string words = internal::LastWords(end);
  if (end.outcome != ProgramEnd::Outcome::kExited || end.value != 0)
    return Error(Code::kUnavailable, fmt::format("the dry run {} failed: {}", LineOf(program),
                                                 words.empty() ? fmt::format("{}", end.value) : words));
  return internal::MakePreview(words.empty() ? text : fmt::format("{}; its dry run says: {}", text, words));
}

Receipt CommandExecutor::Run(const ExecutorCall& call, std::stop_token stop) {
  if (auto status = Check(call); !status.ok()) return internal::NotBegun(status);
  if (call.idempotency_key.empty())
    return internal::NotBegun(Status(Code::kInvalidArgument, "a command is run with a key only"));
  const Program program = MakeProgram(call, false);
  auto end = runner_->Run(call.idempotency_key, program, stop);
  if (end) return Judge(LineOf(program), *end);
  if (end.error().code() == Code::kAlreadyExists) return Recover(call, std::move(stop));
  return internal::NotBegun(end.error());
}

Receipt CommandExecutor::Recover(const ExecutorCall& call, std::stop_token stop) {
  const std::string command = internal::TextIn(call.with, "command");
  const auto entry = commands_.find(command);
  const std::string line = entry == commands_.end() ? command : LineOf(MakeProgram(call, false));
  const auto end = runner_->Recover(call.idempotency_key, call.timeout, std::move(stop));
  if (end) return Judge(line, *end);
  if (end.error().code() == Code::kNotFound)
    return internal::NotBegun(Status(Code::kNotFound, line + " never began"));
  return internal::MakeReceipt(Outcome::kUnknown, end.error().message());
}

}  // namespace

std::vector<ActionSpec> CommandActions() {
  ActionSpec run = internal::MakeSpec(
      "command.run", "runs a configured program, without a shell",
      {{"command", "text", true, "name of an entry in act.executors.commands"},
       {"arguments", "list", false, "texts or numbers, each matching the entry's pattern in its place"}});
  run.outputs = {"stdout", "stderr", "exit_code"};
  run.recoverable = true;
  return {run};
}

Result<std::unique_ptr<Executor>> MakeCommandExecutor(std::map<std::string, CommandEntry> commands,
                                                      const std::string& directory) {
  std::vector<std::string> allowed;
  for (const auto& [name, entry] : commands) {
    allowed.push_back(entry.path);
    for (const std::string& pattern : entry.patterns) {
      if (const RE2 compiled(pattern, RE2::Quiet); !compiled.ok())
        return Error(Code::kInvalidArgument,
                     fmt::format("command {}: '{}' is no pattern: {}", name, pattern, compiled.error()));
    }
  }
  TOCSIN_ASSIGN_OR_RETURN(auto runner, ProgramRunner::Make(directory, std::move(allowed)));
  return std::make_unique<CommandExecutor>(std::move(commands), std::move(runner));
}

}  // namespace tocsin::act
