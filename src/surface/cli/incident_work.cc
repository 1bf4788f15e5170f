#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/cli/url_encode.h"

namespace tocsin::surface {
namespace {

using nlohmann::ordered_json;

struct WorkOptions {
  std::string url = kDefaultUrl;
  std::string id;
  std::string as = std::getenv("USER") != nullptr ? std::getenv("USER") : "";
  bool json = false;
  std::map<std::string, std::string> texts;
  std::map<std::string, double> numbers;
};

// A field of an action, and how it is given on the command line.
struct Argument {
  const char* name;  // on the command line: "text", or "--reason"
  const char* field;
  const char* help;
  bool required = false;
  bool number = false;
};

struct Verb {
  const char* name;
  const char* action;
  const char* help;
  const char* done;  // said when it worked
  std::vector<Argument> arguments;
};

const Argument kWhy{"--reason", "reason", "Why"};
const Argument kWhyNeeded{"--reason", "reason", "Why; it stays on the timeline", true};

// Who has it, and who is paged.
std::vector<Verb> PagingVerbs() {
  return {{"ack", "acknowledge", "Say that you have it", "acknowledged", {}},
          {"unack", "unacknowledge", "Give it back: paging begins anew", "with nobody again", {kWhy}},
          {"snooze",
           "snooze",
           "Take it for a while; paging begins anew after that",
           "put off",
           {{"for", "for", "How long, as in 30m; at most 7 days", true}}},
          {"escalate",
           "escalate",
           "Page by another policy instead",
           "passed on",
           {{"policy", "policy", "Its name", true}, kWhy}},
          {"split",
           "split",
           "Take services out of it, into an incident of their own",
           "split",
           {{"services", "services", "Names, with commas between", true}, kWhy}}};
}

std::vector<Verb> WorkVerbs() {
  return {
      {"triage", "triage", "It is understood what it is", "triaged", {kWhy}},
      {"mitigate", "mitigate", "Something is being done", "mitigating", {kWhy}},
      {"monitor", "monitor", "It is mitigated; watch whether it holds", "monitoring", {kWhy}},
      {"close", "close", "It is over", "closed", {kWhyNeeded}},
      {"false-alarm", "false_alarm", "It was nothing", "a false alarm", {kWhyNeeded}},
      {"reopen", "reopen", "Open it again, or take it out of a merge", "open again", {kWhyNeeded}},
      {"merge",
       "merge",
       "It is the same as another",
       "merged",
       {{"into", "into", "The incident it goes into", true}, kWhy}},
      {"assign",
       "assign",
       "Give somebody a role",
       "assigned",
       {{"role", "role", "commander, engineering, communication or scribe", true},
        {"person", "person", "Who", true}}},
      {"severity",
       "severity",
       "Judge it: by level, or by the harm it does",
       "severity set",
       {{"--level", "severity", "sev1 to sev4"},
        {"--harm", "harm", "funny, misleading, harmful or dangerous"},
        {"--rate", "rate", "Share of answers, 0 to 1", false, true},
        {"--people", "people", "People reached", false, true},
        {"--budget-burn", "budget_burn", "How much too fast the error budget burns", false, true},
        kWhy}},
      {"note", "note", "Write something on the timeline", "noted", {{"text", "text", "What", true}}},
      {"task",
       "task",
       "Add a task",
       "task added",
       {{"text", "text", "What is to be done", true},
        {"--track", "track", "engineering or communication"},
        {"--to", "assignee", "Who does it"}}},
      {"done",
       "task_done",
       "Tick a task off",
       "done",
       {{"number", "number", "The task's number", true, true}}},
      {"track",
       "track",
       "Where diagnosis or communication stands, and when the next update is due",
       "told",
       {{"track", "track", "engineering or communication", true},
        {"--owner", "owner", "Who leads it"},
        {"--status", "status", "Where it stands"},
        {"--next-in", "next_in", "When the next update is due, as in 30m"}}},
      {"link",
       "link",
       "Add a link",
       "linked",
       {{"url", "url", "http or https", true}, {"--title", "title", "What it is"}}},
      {"factor",
       "factor",
       "Name a contributing factor",
       "noted",
       {{"surface", "surface",
         "model, prompt, retrieval, tools, sampling, traffic, evaluator, dependency or data", true},
        {"text", "text", "What it did", true},
        {"--claim", "claim", "What proves it"}}},
  };
}

const std::vector<Verb>& Verbs() {
  static const std::vector<Verb> kVerbs = [] {
    std::vector<Verb> all = PagingVerbs();
    for (auto& verb : WorkVerbs()) all.push_back(std::move(verb));
    return all;
  }();
  return kVerbs;
}

void AddWho(CLI::App& command, const std::shared_ptr<WorkOptions>& options) {
  command.add_option("--as", options->as, "Who you are; default: $USER")->capture_default_str();
  command.add_flag("--json", options->json, "The answer as JSON");
  command.add_option("--url", options->url, "The server")->capture_default_str();
}

void AddArgument(CLI::App& command, const Argument& argument, const std::shared_ptr<WorkOptions>& options) {
  const std::string field = argument.field;
  CLI::Option* option =
      argument.number
          ? command.add_option_function<double>(
                argument.name, [options, field](const double& v) { options->numbers[field] = v; },
                argument.help)
          : command.add_option_function<std::string>(
                argument.name, [options, field](const std::string& v) { options->texts[field] = v; },
                argument.help);
  if (argument.required) option->required();
}

void Run(const Verb& verb, const WorkOptions& options, CommandContext& context) {
  ordered_json body{{"action", verb.action}, {"actor", options.as}};
  for (const auto& [field, value] : options.texts) body[field] = value;
  for (const auto& [field, value] : options.numbers) body[field] = value;
  const auto answer = TellServer(options.url, "/api/v1/incidents/" + UrlEncode(options.id) + "/actions",
                                 body.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
  if (!answer) return context.Fail(answer.error());
  if (options.json) {
    context.out << *answer;
  } else {
    context.out << options.id << ": " << verb.done << "\n";
  }
}

void AddTimeline(CLI::App& incident, CommandContext& context) {
  auto options = std::make_shared<WorkOptions>();
  CLI::App* command = incident.add_subcommand("timeline", "What happened, oldest first");
  command->add_option("id", options->id, "The incident, as in INC-2K7Q")->required();
  command->add_flag("--json", options->json, "JSON, with the hash of each event");
  command->add_option("--url", options->url, "The server")->capture_default_str();
  command->callback([options, &context] {
    const auto body = AskServer(options->url, "/api/v1/incidents/" + UrlEncode(options->id) + "/timeline",
                                options->json ? "application/json" : "text/plain");
    if (!body) return context.Fail(body.error());
    context.out << *body;
  });
}

void AddDeclare(CLI::App& incident, CommandContext& context) {
  struct Declared {
    std::string title, service, severity, onset;
    bool quiet = false;
  };
  auto options = std::make_shared<WorkOptions>();
  auto declared = std::make_shared<Declared>();
  CLI::App* command = incident.add_subcommand("declare", "Open an incident by hand");
  command->add_option("title", declared->title, "What is wrong, in one line")->required();
  command->add_option("--service", declared->service, "Of which service");
  command->add_option("--severity", declared->severity, "sev1 to sev4; sev3 when absent");
  command->add_option("--onset", declared->onset, "Since when, as in 2026-11-24T02:10:00Z");
  command->add_flag("--quiet", declared->quiet, "Page nobody");
  AddWho(*command, options);
  command->callback([options, declared, &context] {
    ordered_json body{{"title", declared->title}, {"actor", options->as}, {"page", !declared->quiet}};
    if (!declared->service.empty()) body["service"] = declared->service;
    if (!declared->severity.empty()) body["severity"] = declared->severity;
    if (!declared->onset.empty()) body["onset"] = declared->onset;
    const auto answer = TellServer(options->url, "/api/v1/incidents",
                                   body.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
    if (!answer) return context.Fail(answer.error());
    if (options->json) {
      context.out << *answer;
      return;
    }
    const auto incident_json = nlohmann::json::parse(*answer, nullptr, false);
    context.out << (incident_json.is_object() ? incident_json.value("id", "") : "") << ": open\n";
  });
}

}  // namespace

void AddIncidentWork(CLI::App& incident, CommandContext& context) {
  for (const Verb& verb : Verbs()) {
    auto options = std::make_shared<WorkOptions>();
    CLI::App* command = incident.add_subcommand(verb.name, verb.help);
    command->add_option("id", options->id, "The incident, as in INC-2K7Q")->required();
    for (const Argument& argument : verb.arguments) AddArgument(*command, argument, options);
    AddWho(*command, options);
    command->callback([&verb, options, &context] { Run(verb, *options, context); });
  }
  AddDeclare(incident, context);
  AddTimeline(incident, context);
}

}  // namespace tocsin::surface
