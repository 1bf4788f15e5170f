#include "surface/cli/version.h"

#include <ostream>

#include "surface/cli/commands.h"

namespace tocsin::surface {

void AddVersion(CLI::App& app, CommandContext& context) {
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->callback([&context] { context.out << "tocsin " << kVersion << '\n'; });
}

}  // namespace tocsin::surface
