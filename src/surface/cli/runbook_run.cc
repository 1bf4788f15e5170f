// Runs of runbooks on a server: looked at, begun, followed, stopped, undone, settled.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "respond/json_text.h"
#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/cli/url_encode.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;

struct Flags {
  std::string id, url = kDefaultUrl, incident, why, reason, token_file, step, outcome, note;
  std::vector<std::string> inputs, from_telemetry;
  bool as_json = false, no_wait = false;
  int seconds = 600;
};

// "replicas=4": a number or true and false when it reads as one, else a text.
Result<json> ReadInputs(const std::vector<std::string>& inputs) {
  json out = json::object();
  for (const std::string& input : inputs) {
    const size_t equals = input.find('=');
    if (equals == 0 || equals == std::string::npos)
      return Error(Code::kInvalidArgument, "--input '" + input + "' is not name=value");
    const std::string text = input.substr(equals + 1);
    const json value = json::parse(text, nullptr, false);
    out[input.substr(0, equals)] = value.is_number() || value.is_boolean() ? value : json(text);
  }
  return out;
}

Result<std::string> Body(const Flags& f) {
  TOCSIN_ASSIGN_OR_RETURN(const json inputs, ReadInputs(f.inputs));
  return respond::DumpJson({{"runbook", f.id},
                            {"incident", f.incident},
                            {"inputs", inputs},
                            {"why", f.why},
                            {"from_telemetry", f.from_telemetry}});
}

void Look(const Flags& f, CommandContext& context) {
  const auto token = FindToken(f.token_file);
  if (!token) return context.Fail(token.error());
  const auto body = Body(f);
  if (!body) return context.Fail(body.error());
  const auto answer =
      TellServer(f.url, f.as_json ? "/api/v1/plans" : "/api/v1/plans?format=text", *body, *token);
  if (!answer) return context.Fail(answer.error());
  context.out << *answer;
}

// Follows the run until it is over or waits for people; its text at each change.
void Follow(const Flags& f, const std::string& run, CommandContext& context) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(f.seconds);
  std::string shown;
  for (;;) {
    const auto body = AskServer(f.url, "/api/v1/runs/" + UrlEncode(run), "application/json");
    if (!body) return context.Fail(body.error());
    const json view = json::parse(*body, nullptr, false);
    const std::string state = view.is_object() ? view.value("state", "") : "";
    const bool moves = state == "running" || state == "undoing";
    if (!f.as_json) {
      const auto text = AskServer(f.url, "/api/v1/runs/" + UrlEncode(run) + "?format=text", "text/plain");
      if (!text) return context.Fail(text.error());
      if (*text != shown && !moves) context.out << *text;
      shown = *text;
    } else if (!moves) {
      context.out << *body;
    }
    if (!moves) {
      if (state != "done" && state != "undone" && state != "waiting") context.exit_code = 1;
      return;
    }
    if (std::chrono::steady_clock::now() > until) {
      context.out << shown;
      context.err << fmt::format("tocsin: it goes on; follow it with 'tocsin runbook history {}'\n", run);
      context.exit_code = 3;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

void Run(const Flags& f, CommandContext& context) {
  const auto token = FindToken(f.token_file);
  if (!token) return context.Fail(token.error());
  const auto body = Body(f);
  if (!body) return context.Fail(body.error());
  const auto answer = TellServer(f.url, "/api/v1/runs", *body, *token);
  if (!answer) return context.Fail(answer.error());
  const json run = json::parse(*answer, nullptr, false);
  const std::string id = run.is_object() ? run.value("id", "") : "";
  if (f.no_wait) {
    context.out << (f.as_json ? *answer : id + " has begun: tocsin runbook history " + id + "\n");
    return;
  }
  Follow(f, id, context);
}

void History(const Flags& f, CommandContext& context) {
  std::string path = "/api/v1/runs";
  if (f.id.starts_with("RUN-")) {
    path += "/" + UrlEncode(f.id);
  } else {
    path += "?runbook=" + UrlEncode(f.id) + "&incident=" + UrlEncode(f.incident);
  }
  const auto body = AskServer(f.url, path, f.as_json ? "application/json" : "text/plain");
  if (!body) return context.Fail(body.error());
  context.out << *body;
}

void Act(const Flags& f, const char* action, CommandContext& context) {
  const auto token = FindToken(f.token_file);
  if (!token) return context.Fail(token.error());
  const json body = {
      {"action", action}, {"reason", f.reason}, {"step", f.step}, {"outcome", f.outcome}, {"note", f.note}};
  const auto answer =
      TellServer(f.url, "/api/v1/runs/" + UrlEncode(f.id) + "/actions", respond::DumpJson(body), *token);
  if (!answer) return context.Fail(answer.error());
  Follow(f, f.id, context);
}

using Command = void (*)(const Flags&, CommandContext&);

CLI::App* Add(CLI::App& runbook, const char* name, const char* about, std::shared_ptr<Flags> flags,
              Command run, CommandContext& context) {
  CLI::App* command = runbook.add_subcommand(name, about);
  command->add_flag("--json", flags->as_json, "JSON instead of text");
  command->add_option("--url", flags->url, "The server")->capture_default_str();
  command->add_option("--token-file", flags->token_file,
                      "File with your token (else TOCSIN_TOKEN, else ~/.config/tocsin/token)");
  command->callback([flags, run, &context] { run(*flags, context); });
  return command;
}

}  // namespace

void AddRunbookRun(CLI::App& runbook, CommandContext& context) {
  for (const bool look : {true, false}) {
    auto flags = std::make_shared<Flags>();
    CLI::App* command =
        look ? Add(runbook, "drill",
                   "What a run would do now, decided and looked at step by step; nothing is done", flags,
                   Look, context)
             : Add(runbook, "run", "Run it: every step is decided by the policy", flags, Run, context);
    command->add_option("RUNBOOK", flags->id, "its id")->required();
    command->add_option("--incident", flags->incident, "the incident it is for, as INC-2K7Q");
    command->add_option("--input,-i", flags->inputs, "name=value, once for each");
    command->add_option("--from-telemetry", flags->from_telemetry,
                        "inputs you copied from an incident or a log: held to the inventory");
    command->add_option("--why", flags->why, "one sentence for those who approve");
    if (look) continue;
    command->add_flag("--no-wait", flags->no_wait, "do not follow it");
    command->add_option("--seconds", flags->seconds, "how long to follow it")->capture_default_str();
  }
  auto history = std::make_shared<Flags>();
  CLI::App* list =
      Add(runbook, "history", "Runs of a runbook, or one run step by step", history, History, context);
  list->add_option("ID", history->id, "a runbook's id, or a run's as RUN-7K2QXY; without: all");
  list->add_option("--incident", history->incident, "of this incident");
  auto stop = std::make_shared<Flags>();
  CLI::App* stopping = Add(
      runbook, "stop", "Begin no further step of a run, and cut off what runs", stop,
      [](const Flags& f, CommandContext& c) { Act(f, "stop", c); }, context);
  auto undo = std::make_shared<Flags>();
  CLI::App* undoing = Add(
      runbook, "undo", "Take back what a run did, last first", undo,
      [](const Flags& f, CommandContext& c) { Act(f, "undo", c); }, context);
  for (const auto& [command, flags] : {std::pair(stopping, stop), std::pair(undoing, undo)}) {
    command->add_option("RUN", flags->id, "as RUN-7K2QXY")->required();
    command->add_option("--reason", flags->reason, "kept with it");
  }
  auto settle = std::make_shared<Flags>();
  CLI::App* settling = Add(
      runbook, "settle", "Say what became of a manual step, or of one that nobody knows of", settle,
      [](const Flags& f, CommandContext& c) { Act(f, "settle", c); }, context);
  settling->add_option("RUN", settle->id, "as RUN-7K2QXY")->required();
  settling->add_option("STEP", settle->step, "its id")->required();
  settling->add_option("OUTCOME", settle->outcome, "done, failed or not_done")->required();
  settling->add_option("--note", settle->note, "what you saw");
}

}  // namespace tocsin::surface
