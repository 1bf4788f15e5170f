#include "runtime/internal/read_investigation.h"

#include "ports/model/model_settings_reader.h"

namespace tocsin::runtime::internal {
namespace {

void ReadMcpServer(ports::YamlSection& section, std::vector<investigate::McpServerSettings>& servers) {
  investigate::McpServerSettings server;
  section.Text("name", server.name, 24);
  if (server.name.empty() ||
      server.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
    section.Fail("name", "is needed, of a-z, 0-9 and _: what its tools are called by");
  for (const auto& other : servers) {
    if (other.name == server.name) section.Fail("name", "is another server's too");
  }
  section.Text("url", server.url, 2048);
  if (!server.url.starts_with("http://") && !server.url.starts_with("https://"))
    section.Fail("url",
                 "is not the http or https address of a server of MCP, such as http://127.0.0.1:8931/mcp");
  section.Text("token_env", server.token_env);
  section.Text("token_file", server.token_file, 4096);
  if (!server.token_env.empty() && !server.token_file.empty())
    section.Fail("token_file", "comes beside 'token_env': one of them");
  section.Texts("tools", server.tools, investigate::kMaxOfferedTools);
  section.Flag("allow_changed", server.allow_changed);
  servers.push_back(std::move(server));
}

}  // namespace

void ReadInvestigation(ports::YamlSection& root, investigate::InvestigationSettings& settings) {
  root.Map("investigation", [&](ports::YamlSection& r) {
    r.Flag("briefs", settings.briefs);
    r.Flag("ask_by_itself", settings.ask_by_itself);
    r.Number("turns", settings.options.max_turns, 1, 100);
    r.Number("tool_calls", settings.options.max_tool_calls, 0, 1000);
    r.Each(
        "mcp", [&](ports::YamlSection& section) { ReadMcpServer(section, settings.mcp); },
        investigate::kMaxMcpServers);
    r.Map("model", [&](ports::YamlSection& section) {
      ports::ConfiguredModel model;
      model.budget = settings.options.budget;
      ports::ReadModel(section, model);
      settings.options.model = model.settings.model;
      settings.options.budget = model.budget;
      settings.model = std::move(model.settings);
    });
  });
}

}  // namespace tocsin::runtime::internal
