#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>

#include "surface/cli/commands.h"
#include "surface/cli/server_client.h"
#include "surface/mcp/stdio_bridge.h"

namespace tocsin::surface {
namespace {

constexpr const char* kTokenVariable = "TOCSIN_TOKEN";
constexpr size_t kMaxTokenBytes = 4u << 10;

// From the file, else from the environment; "" when neither is given.
Result<std::string> Token(const std::string& file) {
  if (file.empty()) {
    const char* value = std::getenv(kTokenVariable);
    return std::string(value != nullptr ? value : "");
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(Code::kNotFound, fmt::format("cannot read the token file '{}'", file));
  std::string token(kMaxTokenBytes, '\0');
  in.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<size_t>(in.gcount()));
  constexpr std::string_view kSpace = " \t\r\n";
  token.erase(token.find_last_not_of(kSpace) + 1);
  token.erase(0, token.find_first_not_of(kSpace));
  if (token.empty() || token.find_first_of(kSpace) != std::string::npos)
    return Error(Code::kInvalidArgument, fmt::format("'{}' holds no token", file));
  return token;
}

}  // namespace

void AddMcpCommand(CLI::App& app, CommandContext& context) {
  struct Flags {
    std::string url = kDefaultUrl, token_file;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("mcp", "MCP on stdin and stdout, for a client that starts a program");
  command->add_option("--server,--url", flags->url, "The running server")->capture_default_str();
  command->add_option("--token-file", flags->token_file,
                      "A file with the agent's token; without it, TOCSIN_TOKEN in the environment");
  command->callback([flags, &context] {
    auto token = Token(flags->token_file);
    if (!token) return context.Fail(token.error());
    mcp::StdioBridge(flags->url, std::move(*token)).Run(std::cin, context.out, context.err);
  });
}

}  // namespace tocsin::surface
