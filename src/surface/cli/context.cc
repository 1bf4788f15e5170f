#include <memory>
#include <ostream>

#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/cli/url_encode.h"

namespace tocsin::surface {

void AddContextCommand(CLI::App& app, CommandContext& context) {
  struct Options {
    std::string url = kDefaultUrl;
    std::string id;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "context",
      "What is known about an incident: services, changes, logs, calls, metrics, traces, past ones");
  command->add_option("id", options->id, "The incident, as in INC-2K7Q")->required();
  command->add_flag("--json", options->json, "JSON with claims and all values");
  command->add_option("--url", options->url, "The server")->capture_default_str();
  command->callback([options, &context] {
    const auto body = AskServer(options->url, "/api/v1/incidents/" + UrlEncode(options->id) + "/context",
                                options->json ? "application/json" : "text/plain");
    if (!body) return context.Fail(body.error());
    context.out << *body;
  });
}

}  // namespace tocsin::surface
