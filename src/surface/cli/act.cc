// What a person does about agents from a terminal: approve, deny, stop everything, release, trust.
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "claims/claim_text.h"
#include "respond/json_text.h"
#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/cli/url_encode.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;

struct Flags {
  std::string id, url = kDefaultUrl, reason, token_file, by;
  std::string agent, action_class, tier;
  int steps = 100;
  bool as_json = false, all = false, yes = false, text = false;
};

void AddCommon(CLI::App* command, Flags& flags) {
  command->add_flag("--json", flags.as_json, "JSON instead of text");
  command->add_option("--url", flags.url, "The server")->capture_default_str();
}
void AddToken(CLI::App* command, Flags& flags) {
  command->add_option("--token-file", flags.token_file,
                      "File with your token (else TOCSIN_TOKEN, else ~/.config/tocsin/token)");
}

void Get(const Flags& f, const std::string& path, CommandContext& context) {
  const auto body = AskServer(f.url, path, f.as_json ? "application/json" : "text/plain");
  if (!body) return context.Fail(body.error());
  context.out << *body;
}

// True when the person says yes; without a terminal only --yes does.
bool Confirmed(const Flags& f, const std::string& question, CommandContext& context) {
  if (f.yes) return true;
  context.out << question << " [y/N] " << std::flush;
  std::string line;
  std::getline(std::cin, line);
  return line == "y" || line == "yes";
}

void Answer(const Flags& f, bool approve, CommandContext& context) {
  const auto token = FindToken(f.token_file);
  if (!token) return context.Fail(token.error());
  const std::string path = "/api/v1/approvals/" + UrlEncode(f.id);
  const auto shown = AskServer(f.url, path, "application/json");
  if (!shown) return context.Fail(shown.error());
  const json asked = json::parse(*shown, nullptr, false);
  if (!asked.is_object()) return context.Fail(Status(Code::kUnavailable, "the server's answer is not JSON"));
  if (!f.as_json) {
    const auto text = AskServer(f.url, path + "?format=text", "text/plain");
    if (!text) return context.Fail(text.error());
    context.out << *text << '\n';
  }
  if (approve && asked.value("state", "") == "open" && !Confirmed(f, "Approve exactly this?", context)) {
    context.err << "tocsin: not approved\n";
    context.exit_code = 1;
    return;
  }
  const json body = {{"approve", approve}, {"seen", asked.value("call_hash", "")}, {"reason", f.reason}};
  const auto answered = TellServer(f.url, path, respond::DumpJson(body), *token);
  if (!answered) return context.Fail(answered.error());
  const json now = json::parse(*answered, nullptr, false);
  if (f.as_json) {
    context.out << *answered;
  } else {
    context.out << fmt::format("{} is {} now. Follow it: tocsin runbook history {}\n", f.id,
                               now.value("state", "?"), now.value("run", ""));
  }
}

void Kill(const Flags& f, CommandContext& context) {
  const json body = {{"scope", f.id}, {"reason", f.reason}, {"by", f.by}};
  const auto token = FindToken(f.token_file);
  if (!token && !f.token_file.empty()) return context.Fail(token.error());
  const auto engaged = TellServer(f.url, "/api/v1/kill", respond::DumpJson(body), token.value_or(""));
  if (!engaged) {
    context.Fail(engaged.error());
    if (engaged.error().code() == Code::kUnavailable)
      context.err << "  when the server is down: 'touch KILL' in its data directory stops everything from "
                     "its next start\n";
    return;
  }
  const json state = json::parse(*engaged, nullptr, false);
  if (f.as_json) {
    context.out << *engaged;
    return;
  }
  context.out << fmt::format("Stopped: {}. Release it with: tocsin release {} --reason TEXT\n",
                             state.value("scope", "?"), state.value("scope", "?"));
}

void Release(const Flags& f, CommandContext& context) {
  const auto token = FindToken(f.token_file);
  if (!token) return context.Fail(token.error());
  const json body = {{"scope", f.id}, {"reason", f.reason}};
  const auto released = TellServer(f.url, "/api/v1/kill/release", respond::DumpJson(body), *token);
  if (!released) return context.Fail(released.error());
  context.out << (f.as_json ? *released : "Released: " + f.id + ".\n");
}

void Drill(const Flags& f, CommandContext& context) {
  const auto token = FindToken(f.token_file);
  if (!token) return context.Fail(token.error());
  const auto body = TellServer(f.url, "/api/v1/kill/drill", respond::DumpJson({{"steps", f.steps}}), *token);
  if (!body) return context.Fail(body.error());
  const json drill = json::parse(*body, nullptr, false);
  if (!drill.is_object()) return context.Fail(Status(Code::kUnavailable, "the server's answer is not JSON"));
  const int steps = drill.value("steps", 0), cut = drill.value("cut", 0);
  if (f.as_json) {
    context.out << *body;
  } else {
    context.out << fmt::format(
        "{} steps ran when the switch was thrown; {} ended: half within {:.1f} ms, 99 % within "
        "{:.1f} ms, the last after {:.1f} ms.\n",
        steps, cut, drill.value("p50_ms", 0.0), drill.value("p99_ms", 0.0), drill.value("max_ms", 0.0));
  }
  if (cut < steps || steps < f.steps || drill.value("p99_ms", 0.0) > 1000) context.exit_code = 1;
}

void SetTrust(const Flags& f, CommandContext& context) {
  const auto token = FindToken(f.token_file);
  if (!token) return context.Fail(token.error());
  const json body = {{"agent", f.agent}, {"class", f.action_class}, {"tier", f.tier}, {"reason", f.reason}};
  const auto set = TellServer(f.url, "/api/v1/trust", respond::DumpJson(body), *token);
  if (!set) return context.Fail(set.error());
  context.out << (f.as_json ? *set
                            : fmt::format("{} at {}: at most {} now.\n", f.agent, f.action_class, f.tier));
}

}  // namespace

void AddApprovalCommands(CLI::App& app, CommandContext& context) {
  auto list = std::make_shared<Flags>();
  CLI::App* approvals = app.add_subcommand("approvals", "What waits for a person to approve");
  approvals->add_flag("--all", list->all, "also those that are over");
  AddCommon(approvals, *list);
  approvals->callback([list, &context] {
    Get(*list, list->all ? "/api/v1/approvals?all=true" : "/api/v1/approvals", context);
  });
  for (const bool approve : {true, false}) {
    auto flags = std::make_shared<Flags>();
    CLI::App* command = app.add_subcommand(
        approve ? "approve" : "deny",
        approve ? "Show one question, and approve exactly what it shows" : "Show one question, and deny it");
    command->add_option("ID", flags->id, "the question, as AP-7K2QXY")->required();
    command->add_option("--reason", flags->reason, "kept with the answer");
    if (approve) command->add_flag("--yes", flags->yes, "do not ask again");
    AddToken(command, *flags);
    AddCommon(command, *flags);
    command->callback([flags, approve, &context] { Answer(*flags, approve, context); });
  }
}

void AddKillCommands(CLI::App& app, CommandContext& context) {
  auto flags = std::make_shared<Flags>();
  flags->id = "all";
  CLI::App* kill = app.add_subcommand("kill", "Stop agents and running steps, now");
  kill->add_option("SCOPE", flags->id, "all, agents, agent:NAME, runbook:ID, action:NAME or incident:ID")
      ->capture_default_str();
  kill->add_option("--reason", flags->reason, "kept with it");
  kill->add_option("--by", flags->by, "your name, when you have no token");
  AddToken(kill, *flags);
  AddCommon(kill, *flags);
  kill->callback([flags, &context] { Kill(*flags, context); });
  auto release_flags = std::make_shared<Flags>();
  CLI::App* release = app.add_subcommand("release", "Let what was stopped go on again");
  release->add_option("SCOPE", release_flags->id, "as it was engaged: see 'tocsin killed'")->required();
  release->add_option("--reason", release_flags->reason, "why it is safe again")->required();
  AddToken(release, *release_flags);
  AddCommon(release, *release_flags);
  release->callback([release_flags, &context] { Release(*release_flags, context); });
  auto show = std::make_shared<Flags>();
  CLI::App* killed = app.add_subcommand("killed", "What the kill switch stops, and how fast its drills were");
  AddCommon(killed, *show);
  killed->callback([show, &context] { Get(*show, "/api/v1/kill", context); });
}

void AddDrillKill(CLI::App& drill, CommandContext& context) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = drill.add_subcommand(
      "kill", "Measure the kill switch: exit code 1 when 99 % of the steps took more than a second");
  command->add_option("--steps", flags->steps, "that run at once")->capture_default_str();
  AddToken(command, *flags);
  AddCommon(command, *flags);
  command->callback([flags, &context] { Drill(*flags, context); });
}

void AddTrustCommand(CLI::App& app, CommandContext& context) {
  CLI::App* trust = app.add_subcommand("trust", "What each agent's record is worth")->require_subcommand(1);
  auto show = std::make_shared<Flags>();
  CLI::App* list = trust->add_subcommand("show", "Every agent and class of actions");
  AddCommon(list, *show);
  list->callback([show, &context] { Get(*show, "/api/v1/trust", context); });
  auto flags = std::make_shared<Flags>();
  CLI::App* set = trust->add_subcommand("set", "Raise or lower what an agent may do: a person's decision");
  set->add_option("AGENT", flags->agent, "as in act.access.agents")->required();
  set->add_option("CLASS", flags->action_class, "of actions, as kubernetes")->required();
  set->add_option("TIER", flags->tier, "observe, advise, approve or auto")->required();
  set->add_option("--reason", flags->reason, "why")->required();
  AddToken(set, *flags);
  AddCommon(set, *flags);
  set->callback([flags, &context] { SetTrust(*flags, context); });
}

}  // namespace tocsin::surface
