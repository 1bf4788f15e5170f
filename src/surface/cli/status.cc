#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"

namespace tocsin::surface {
namespace {

// From a server that may be of another version: what is missing is left out.
void Print(const nlohmann::json& status, std::ostream& out) {
  const auto number = [&](const char* section, const char* name) {
    return status.value(nlohmann::json::json_pointer(fmt::format("/{}/{}", section, name)), 0.0);
  };
  out << fmt::format("tocsin {}, {}\n", status.value("version", "?"),
                     status.value("ready", false) ? "ready" : "not ready (recovering or stopping)");
  out << fmt::format(
      "ingest     {:.0f} batches durable, {:.0f} in the store, {:.1f} MB waiting, {:.0f} refused\n",
      number("ingest", "durable_position"), number("ingest", "applied_position"),
      number("ingest", "backlog_bytes") / 1e6, number("ingest", "refused_batches"));
  out << fmt::format("detection  {:.0f} generations seen, {:.0f} waiting", number("detection", "generations"),
                     number("detection", "queued_generations"));
  if (number("detection", "sampled_out") > 0) {
    out << fmt::format(", {:.0f} left out of the sample", number("detection", "sampled_out"));
  }
  out << '\n';
  if (status.contains("dispatch")) {
    out << fmt::format("alerts     {:.0f} known, {:.0f} silences, {:.0f} failures under way\n",
                       number("dispatch", "alerts"), number("dispatch", "silences"),
                       number("dispatch", "failures"));
    out << fmt::format("messages   {:.0f} sent, {:.0f} tries failed\n", number("dispatch", "sent"),
                       number("dispatch", "tries_failed"));
    if (const std::string error = status["dispatch"].value("last_error", ""); !error.empty())
      out << "           last error: " << error << '\n';
  }
  const auto streams = status.find("streams");
  if (streams == status.end() || !streams->is_array() || streams->empty()) {
    out << "streams    none yet\n";
    return;
  }
  for (const auto& stream : *streams) {
    out << fmt::format("stream     {}  {} ({} generations)\n", stream.value("stream", "?"),
                       stream.value("words", ""), stream.value("generations", uint64_t{0}));
  }
}

}  // namespace

void AddStatusCommand(CLI::App& app, CommandContext& context) {
  struct Options {
    std::string url = kDefaultUrl;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("status", "What the server is doing: backlog, streams, monitors");
  command->add_flag("--json", options->json, "JSON instead of text");
  command->add_option("--url", options->url, "The server")->capture_default_str();
  command->callback([options, &context] {
    const auto body = AskServer(options->url, "/api/v1/status", "application/json");
    if (!body) return context.Fail(body.error());
    if (options->json) {
      context.out << *body;
      return;
    }
    const auto status = nlohmann::json::parse(*body, nullptr, false);
    if (!status.is_object())
      return context.Fail(Status(Code::kUnavailable, "the server's answer is not JSON"));
    try {
      Print(status, context.out);
    } catch (...) {
      context.Fail(Status::FromException("reading the server's answer"));
    }
  });
}

}  // namespace tocsin::surface
