#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "claims/claim_text.h"
#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/cli/url_encode.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;

struct Flags {
  std::string id, url = kDefaultUrl;
  bool as_json = false, model = false;
};

std::string PathOf(const Flags& f) { return "/api/v1/incidents/" + UrlEncode(f.id) + "/brief"; }

void Show(const Flags& f, CommandContext& context) {
  const auto body = AskServer(f.url, PathOf(f), f.as_json ? "application/json" : "text/plain");
  if (!body) return context.Fail(body.error());
  context.out << *body << (f.as_json ? "\n" : "");
}

void Make(const Flags& f, CommandContext& context) {
  const auto made = TellServer(f.url, PathOf(f) + (f.model ? "?model=true" : ""), "");
  if (!made) return context.Fail(made.error());
  Show(f, context);
}

void Verify(const Flags& f, CommandContext& context) {
  const auto body = TellServer(f.url, PathOf(f) + "/verify", "");
  if (!body) return context.Fail(body.error());
  const json answer = json::parse(*body, nullptr, false);
  if (!answer.is_object()) return context.Fail(Status(Code::kUnavailable, "the server's answer is not JSON"));
  if (f.as_json) {
    context.out << *body << '\n';
  } else {
    context.out << fmt::format("{} claims run again: {} as before, {} not\n", answer.value("run", 0),
                               answer.value("held", 0), answer.value("changed", json::array()).size());
    for (const auto& c : answer.value("changed", json::array())) {
      context.out << fmt::format("  {} → {}: {}\n      {}\n", c.value("before", ""), c.value("now", ""),
                                 c.value("text", ""), claims::Printable(c.value("why", ""), 300));
    }
  }
  if (!answer.value("changed", json::array()).empty()) context.exit_code = 1;
}

}  // namespace

void AddBriefCommand(CLI::App& app, CommandContext& context) {
  CLI::App* brief = app.add_subcommand("brief", "What is proven about an incident, and the likeliest causes")
                        ->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, void (*run)(const Flags&, CommandContext&)) {
    auto flags = std::make_shared<Flags>();
    CLI::App* command = brief->add_subcommand(name, about);
    command->add_option("ID", flags->id, "the incident, as INC-2K7Q")->required();
    command->add_flag("--json", flags->as_json, "JSON instead of text");
    command->add_option("--url", flags->url, "The server")->capture_default_str();
    if (std::string_view(name) == "make")
      command->add_flag("--model", flags->model, "ask the configured model too");
    command->callback([flags, run, &context] { run(*flags, context); });
  };
  add("show", "The newest brief", Show);
  add("make", "Make it anew", Make);
  add("verify", "Run every claim of it again: exit code 1 when something no longer holds", Verify);
}

}  // namespace tocsin::surface
