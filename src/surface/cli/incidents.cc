#include <memory>
#include <ostream>

#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/cli/url_encode.h"

namespace tocsin::surface {

void AddIncidentsCommand(CLI::App& app, CommandContext& context) {
  struct Options {
    std::string url = kDefaultUrl;
    std::string service;
    bool all = false;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("incidents", "List open incidents, newest first");
  command->add_flag("--all", options->all, "Closed, merged and false ones too");
  command->add_option("--service", options->service, "Only of this service");
  command->add_flag("--json", options->json, "JSON instead of a line each");
  command->add_option("--url", options->url, "The server")->capture_default_str();
  command->callback([options, &context] {
    std::string path = "/api/v1/incidents?limit=1000";
    if (!options->all) path += "&state=active";
    if (!options->service.empty()) path += "&service=" + UrlEncode(options->service);
    const auto body = AskServer(options->url, path, options->json ? "application/json" : "text/plain");
    if (!body) return context.Fail(body.error());
    context.out << *body;
  });
}

}  // namespace tocsin::surface
