#include "runtime/config_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "ports/clock.h"
#include "ports/yaml/yaml_value.h"
#include "runtime/alertmanager_import.h"
#include "runtime/settings_schema.h"
#include "runtime/settings_summary.h"

namespace tocsin::runtime {
namespace {

void PrintProblems(const std::string& file, const std::vector<Status>& problems, bool json,
                   surface::CommandContext& context) {
  context.exit_code = 2;
  if (json) {
    nlohmann::json out{{"ok", false}, {"file", file}, {"problems", nlohmann::json::array()}};
    for (const Status& problem : problems) out["problems"].push_back(problem.message());
    context.out << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    return;
  }
  for (const Status& problem : problems) context.err << problem.message() << '\n';
  context.err << fmt::format(
      "{}: {} wrong; nothing of it would be used\n", file,
      problems.size() == 1 ? "one thing is" : fmt::format("{} things are", problems.size()));
}

void Check(const std::string& file, bool json, surface::CommandContext& context) {
  const CheckedSettings checked = CheckSettingsFile(file);
  if (!checked.settings) return PrintProblems(file, checked.problems, json, context);
  const SettingsSummary summary = Summarize(*checked.settings, ports::SystemClock().Now());
  if (!json) {
    context.out << file << " can be used.\n" << RenderSummary(*checked.settings, summary);
    return;
  }
  nlohmann::json out = SummaryJson(*checked.settings, summary);
  out["file"] = file;
  context.out << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

void AddCheck(CLI::App& config, surface::CommandContext& context) {
  struct Options {
    std::string file = "tocsin.yaml";
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = config.add_subcommand("check", "What is wrong with a configuration, or what it means");
  command->add_option("FILE", options->file, "The configuration")->capture_default_str();
  command->add_flag("--json", options->json, "JSON instead of text");
  command->callback([options, &context] { Check(options->file, options->json, context); });
}

struct ImportOptions {
  std::string from, to;
  bool force = false;
};

// Its owner's to read only: secrets are in it.
Status WriteFile(const std::string& path, std::string_view text, bool force) {
  const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL);
  const int file = ::open(path.c_str(), flags, 0600);
  if (file < 0 && errno == EEXIST)
    return Status(Code::kAlreadyExists,
                  fmt::format("{} is there already: give another name, or --force", path));
  if (file < 0)
    return Status(Code::kInvalidArgument,
                  fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
  while (!text.empty()) {
    const ssize_t wrote = ::write(file, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) break;
    text.remove_prefix(static_cast<size_t>(wrote));
  }
  const bool closed = ::close(file) == 0;
  return text.empty() && closed ? Status::Ok()
                                : Status(Code::kUnavailable, path + " could not be written whole");
}

void Import(const ImportOptions& options, surface::CommandContext& context) {
  std::ifstream in(options.from, std::ios::binary);
  std::error_code error;
  if (!std::filesystem::is_regular_file(options.from, error) || !in.is_open())
    return context.Fail(Status(Code::kInvalidArgument, "cannot read " + options.from));
  std::string text(ports::YamlValue::kMaxBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  const auto imported = ImportAlertmanager(text, options.from);
  if (!imported) return context.Fail(imported.error());
  for (const std::string& one : imported->left_out) context.err << "not carried over: " << one << '\n';
  if (options.to.empty()) {
    context.out << imported->yaml;
  } else if (const Status status = WriteFile(options.to, imported->yaml, options.force); !status.ok()) {
    context.Fail(status);
    context.exit_code = 2;
    return;
  }
  const std::string name = options.to.empty() ? "tocsin.yaml" : options.to;
  const CheckedSettings checked = CheckSettings(imported->yaml, name);
  if (checked.settings) return;
  context.exit_code = 2;
  context.err << "What was written cannot be used yet:\n";
  for (const Status& problem : checked.problems) context.err << problem.message() << '\n';
}

void AddImport(CLI::App& config, surface::CommandContext& context) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = config.add_subcommand("import", "A configuration from Alertmanager's");
  command->add_option("FILE", options->from, "alertmanager.yml")->required();
  command->add_option("-o,--output", options->to, "Where to write it; to the terminal when absent");
  command->add_flag("--force", options->force, "Write over a file that is there");
  command->callback([options, &context] { Import(*options, context); });
}

void AddSchema(CLI::App& config, surface::CommandContext& context) {
  CLI::App* command = config.add_subcommand("schema", "The JSON Schema of tocsin.yaml, for editors");
  command->callback([&context] { context.out << SettingsSchema(); });
}

}  // namespace

void AddConfig(CLI::App& app, surface::CommandContext& context) {
  CLI::App* config = app.add_subcommand("config", "The configuration: check it, carry one over, its schema")
                         ->require_subcommand(1);
  AddCheck(*config, context);
  AddImport(*config, context);
  AddSchema(*config, context);
}

}  // namespace tocsin::runtime
