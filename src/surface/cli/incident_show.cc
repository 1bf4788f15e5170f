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
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      incident.add_subcommand("show", "Show one incident: what, since when, for whom, how sure");
  command->add_option("id", options->id, "The incident, as in INC-2K7Q")->required();
  command->add_flag("--json", options->json, "JSON with all its evidence");
  command->add_option("--url", options->url, "The server")->capture_default_str();
  command->callback([options, &context] {
    const std::string path = "/api/v1/incidents/" + UrlEncode(options->id);
    const auto body = AskServer(options->url, path, options->json ? "application/json" : "text/plain");
    if (!body) return context.Fail(body.error());
    context.out << *body;
  });
}

}  // namespace tocsin::surface
