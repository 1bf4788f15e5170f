#include <memory>
#include <ostream>

#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/cli/url_encode.h"

namespace tocsin::surface {

void AddIncidentShow(CLI::App& incident, CommandContext& context) {
  struct Options {
    std::string url = kDefaultUrl;
    std::string id;
    bool json = false;
    int exemplars = 3;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      incident.add_subcommand("show", "Show one incident: what, since when, for whom, how sure");
  command->add_option("id", options->id, "The incident, as in INC-2K7Q")->required();
  command->add_flag("--json", options->json, "JSON with all its evidence");
  command->add_option("--exemplars", options->exemplars, "Answers shown before and after")
      ->check(CLI::Range(0, 20))
      ->capture_default_str();
  command->add_option("--url", options->url, "The server")->capture_default_str();
  command->callback([options, &context] {
    std::string path = "/api/v1/incidents/" + UrlEncode(options->id);
    if (!options->json) path += "?exemplars=" + std::to_string(options->exemplars);
    const auto body = AskServer(options->url, path, options->json ? "application/json" : "text/plain");
    if (!body) return context.Fail(body.error());
    context.out << *body;
  });
}

}  // namespace tocsin::surface
