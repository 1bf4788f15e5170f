#include <memory>
#include <ostream>

#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/cli/url_encode.h"

namespace tocsin::surface {

void AddNoiseCommand(CLI::App& app, CommandContext& context) {
  struct Options {
    std::string url = kDefaultUrl;
    std::string since = "7d";
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("noise", "How much people are paged, and whether they act upon it");
  command->add_option("--since", options->since, "How far back, as in 36h")->capture_default_str();
  command->add_flag("--json", options->json, "JSON instead of text");
  command->add_option("--url", options->url, "The server")->capture_default_str();
  command->callback([options, &context] {
    const auto body = AskServer(options->url, "/api/v1/noise?since=" + UrlEncode(options->since),
                                options->json ? "application/json" : "text/plain");
    if (!body) return context.Fail(body.error());
    context.out << *body;
  });
}

}  // namespace tocsin::surface
