#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "act/access.h"
#include "ports/yaml/yaml_value.h"
#include "surface/cli/commands.h"

namespace tocsin::surface {
namespace {

struct Flags {
  std::string name;
  bool agent = false;
};

void New(const Flags& flags, CommandContext& context) {
  if (!ports::IsPlainName(flags.name))
    return context.Fail(
        Status(Code::kInvalidArgument, "a name is letters, digits, and - _ . @, at most 64 bytes"));
  const std::string token = act::NewToken();
  context.out << fmt::format(
      "{}\n\nThis is shown once: give it to {}, who sends it as 'Authorization: Bearer …'.\n"
      "In tocsin.yaml, which holds its SHA-256 only:\n\n"
      "act:\n  access:\n    {}:\n      {}:\n        token_sha256: {}\n",
      token, flags.name, flags.agent ? "agents" : "people", flags.name, act::TokenHash(token));
  if (flags.agent)
    context.out
        << "        ceiling: approve       # observe, advise, approve, auto\n"
           "        actions: []            # \"kubernetes.restart\", \"flag.*\"; none: it only reads\n";
}

}  // namespace

void AddTokenCommand(CLI::App& app, CommandContext& context) {
  CLI::App* token = app.add_subcommand("token", "Who may act")->require_subcommand(1);
  auto flags = std::make_shared<Flags>();
  CLI::App* make = token->add_subcommand("new", "Make a token, and what belongs into tocsin.yaml");
  make->add_option("NAME", flags->name, "The person, as under 'people', or the agent")->required();
  make->add_flag("--agent", flags->agent, "For an agent");
  make->callback([flags, &context] { New(*flags, context); });
}

}  // namespace tocsin::surface
