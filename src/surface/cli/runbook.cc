// Runbooks as files: nothing here talks to a server or does anything.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>

#include "act/execute/catalogue.h"
#include "act/plan/plan_json.h"
#include "act/runbook/import_runbook.h"
#include "act/runbook/lint.h"
#include "act/runbook/read_runbook.h"
#include "act/runbook/render_plan.h"
#include "act/runbook/runbook_library.h"
#include "act/runbook/runbook_schema.h"
#include "claims/claim_text.h"
#include "ports/clock.h"
#include "surface/cli/runbook_files.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string Dump(const json& value) { return value.dump(2, ' ', false, json::error_handler_t::replace); }

Result<std::string> ReadBounded(const std::string& path, size_t most) {
  std::error_code error;
  std::ifstream in(path, std::ios::binary);
  if (!in || !fs::is_regular_file(path, error))
    return Error(Code::kNotFound, fmt::format("cannot read '{}'", path));
  std::string text(most + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > most)
    return Error(Code::kOutOfRange, fmt::format("{}: is longer than {} bytes", path, most));
  return text;
}

struct LintFlags {
  std::string path = "runbooks", config;
  bool as_json = false;
};

// What is wrong with a file that does not read is a finding like any other.
act::LintFinding FindingOf(const Status& problem) {
  return {act::LintSeverity::kError, "", 0, "format", problem.message()};
}

std::string Render(const act::LintFinding& finding) {
  return finding.file.empty() ? fmt::format("{} ({})", finding.text, finding.rule)
                              : act::RenderFinding(finding);
}

Result<std::vector<act::LintFinding>> FindAll(const std::string& path, const LintWorld& world,
                                              size_t& looked_at) {
  std::error_code error;
  const bool one = fs::is_regular_file(path, error);
  const std::string parent = fs::path(path).parent_path().string();
  const std::string directory = one ? (parent.empty() ? "." : parent) : path;
  const std::string file = one ? (fs::path(directory) / fs::path(path).filename()).string() : "";
  TOCSIN_ASSIGN_OR_RETURN(const auto library, act::RunbookLibrary::Read(directory));
  const std::vector<act::ActionSpec> actions = act::AllActionSpecs();
  act::LintContext context;
  for (const act::ActionSpec& action : actions) context.actions.push_back(&action);
  context.now = ports::SystemClock().Now();
  if (world.rules) context.rules = &*world.rules;
  context.on_call = world.on_call;
  std::vector<act::LintFinding> out;
  for (const Status& problem : library->problems()) {
    if (!one || problem.message().starts_with(file + ":")) out.push_back(FindingOf(problem));
  }
  for (const act::Runbook* runbook : library->All()) {
    if (one && runbook->file != file) continue;
    ++looked_at;
    for (auto& finding : act::Lint(*library, *runbook, context)) out.push_back(std::move(finding));
  }
  return out;
}

void LintPath(const LintFlags& flags, const ReadLintWorld& read, CommandContext& context) {
  size_t looked_at = 0;
  const auto world = read(flags.config);
  if (!world) return context.Fail(world.error());
  const auto findings = FindAll(flags.path, *world, looked_at);
  if (!findings) return context.Fail(findings.error());
  const auto errors = std::ranges::count(*findings, act::LintSeverity::kError, &act::LintFinding::severity);
  if (errors > 0) context.exit_code = 1;
  if (flags.as_json) {
    json out{{"runbooks", looked_at}, {"findings", json::array()}};
    for (const auto& finding : *findings) {
      json one{{"severity", finding.severity == act::LintSeverity::kError ? "error" : "warning"},
               {"rule", finding.rule},
               {"text", finding.text}};
      if (!finding.file.empty()) one.update({{"file", finding.file}, {"line", finding.line}});
      out["findings"].push_back(std::move(one));
    }
    context.out << Dump(out) << '\n';
    return;
  }
  for (const auto& finding : *findings) context.out << Render(finding) << '\n';
  if (!world->rules)
    context.out << "Without a configuration (--config) inventory and permissions were not looked at.\n";
  context.out << fmt::format("{} runbook{}, {} error{}, {} warning{}\n", looked_at, looked_at == 1 ? "" : "s",
                             errors, errors == 1 ? "" : "s", findings->size() - static_cast<size_t>(errors),
                             findings->size() - static_cast<size_t>(errors) == 1 ? "" : "s");
}

struct PlanFlags {
  std::string id, directory = "runbooks";
  std::vector<std::string> inputs;
  bool as_json = false;
};

// "replicas=6": a number when the runbook wants one.
Result<json> InputsOf(const act::Runbook& runbook, const std::vector<std::string>& given) {
  json out = json::object();
  for (const std::string& one : given) {
    const size_t equals = one.find('=');
    if (equals == std::string::npos || equals == 0)
      return Error(Code::kInvalidArgument, fmt::format("--input {}: is no NAME=VALUE", one));
    const std::string name = one.substr(0, equals), text = one.substr(equals + 1);
    if (out.contains(name)) return Error(Code::kInvalidArgument, fmt::format("--input {} comes twice", name));
    const auto input = std::ranges::find(runbook.inputs, name, &act::RunbookInput::name);
    const std::string kind = input == runbook.inputs.end() ? "text" : input->type.kind;
    const json value = kind == "integer" || kind == "number" || kind == "boolean"
                           ? json::parse(text, nullptr, false)
                           : json(text);
    out[name] = value.is_discarded() ? json(text) : value;
  }
  return out;
}

void PrintPlan(const PlanFlags& flags, CommandContext& context) {
  const auto library = act::RunbookLibrary::Read(flags.directory);
  if (!library) return context.Fail(library.error());
  const act::Runbook* runbook = (*library)->Find(flags.id);
  if (runbook == nullptr) {
    for (const Status& problem : (*library)->problems()) context.err << problem.message() << '\n';
    return context.Fail(
        Status(Code::kNotFound, fmt::format("there is no runbook '{}' in {}", flags.id, flags.directory)));
  }
  const auto inputs = InputsOf(*runbook, flags.inputs);
  if (!inputs) return context.Fail(inputs.error());
  auto plan = (*library)->MakePlan(flags.id, *inputs, [](std::string_view) { return act::Origin::kPerson; });
  if (!plan) return context.Fail(plan.error());
  const std::vector<act::ActionSpec> actions = act::AllActionSpecs();
  std::vector<const act::ActionSpec*> known;
  for (const act::ActionSpec& action : actions) known.push_back(&action);
  act::FillInverses(*plan, known);
  context.out << (flags.as_json ? Dump(act::PlanToJson(*plan)) + "\n" : act::RenderPlan(*plan));
}

struct ListFlags {
  std::string directory = "runbooks";
  bool as_json = false;
};

void List(const ListFlags& flags, CommandContext& context) {
  const auto library = act::RunbookLibrary::Read(flags.directory);
  if (!library) return context.Fail(library.error());
  json out = json::array();
  size_t width = 0;
  for (const act::Runbook* runbook : (*library)->All()) width = std::max(width, runbook->id.size());
  for (const act::Runbook* runbook : (*library)->All()) {
    out.push_back({{"runbook", runbook->id},
                   {"title", runbook->title},
                   {"owner", runbook->owner},
                   {"version", (*library)->VersionOf(runbook->id)},
                   {"advise_only", runbook->advise_only},
                   {"file", runbook->file}});
    if (!flags.as_json)
      context.out << fmt::format("{:<{}}  {}{}\n", runbook->id, width, claims::Printable(runbook->title, 100),
                                 runbook->advise_only ? "  (advise only)" : "");
  }
  if (flags.as_json) context.out << Dump(out) << '\n';
  for (const Status& problem : (*library)->problems()) context.err << problem.message() << '\n';
  if (!(*library)->problems().empty()) context.exit_code = 1;
}

struct ImportFlags {
  std::string file, out;
};

using Importer = Result<act::ImportedRunbook> (*)(std::string_view text, const std::string& name);

void Import(const ImportFlags& flags, Importer importer, CommandContext& context) {
  const auto text = ReadBounded(flags.file, act::kMaxImportBytes);
  if (!text) return context.Fail(text.error());
  const auto imported = importer(*text, flags.file);
  if (!imported) return context.Fail(imported.error());
  if (flags.out.empty()) {
    context.out << imported->yaml;
    return;
  }
  std::error_code error;
  if (fs::exists(flags.out, error))
    return context.Fail(Status(Code::kAlreadyExists, fmt::format("'{}' is there already", flags.out)));
  std::ofstream file(flags.out, std::ios::binary);
  file << imported->yaml << std::flush;
  if (!file) return context.Fail(Status(Code::kUnavailable, fmt::format("cannot write '{}'", flags.out)));
  context.out << fmt::format("{} is runbook '{}', at most advised until you have gone through it.\n",
                             flags.out, imported->id);
  for (const std::string& one : imported->left_out)
    context.out << "not carried over: " << claims::Printable(one, 300) << '\n';
}

void AddImport(CLI::App& import, const char* format, const char* about, Importer importer,
               CommandContext& context) {
  auto flags = std::make_shared<ImportFlags>();
  CLI::App* command = import.add_subcommand(format, about);
  command->add_option("FILE", flags->file, "The file to read")->required();
  command->add_option("--out", flags->out, "The runbook to write; to the terminal when left out");
  command->callback([flags, importer, &context] { Import(*flags, importer, context); });
}

void AddPlan(CLI::App& runbook, CommandContext& context) {
  auto flags = std::make_shared<PlanFlags>();
  CLI::App* plan = runbook.add_subcommand("plan", "What a runbook would do with these inputs; does nothing");
  plan->add_option("ID", flags->id, "The runbook")->required();
  plan->add_option("-i,--input", flags->inputs, "NAME=VALUE, as often as needed")->allow_extra_args(false);
  plan->add_option("--dir", flags->directory, "Where the runbooks are")->capture_default_str();
  plan->add_flag("--json", flags->as_json, "JSON instead of text");
  plan->callback([flags, &context] { PrintPlan(*flags, context); });
}

}  // namespace

void AddRunbookFiles(CLI::App& runbook, CommandContext& context, ReadLintWorld read) {
  auto lint = std::make_shared<LintFlags>();
  CLI::App* check =
      runbook.add_subcommand("lint", "What is wrong with runbooks: exit code 1 when anything is");
  check->add_option("PATH", lint->path, "A directory, or one file of it")->capture_default_str();
  check->add_flag("--json", lint->as_json, "JSON instead of text");
  check->add_option("--config", lint->config,
                    "The settings, for inventory and permissions; tocsin.yaml when it is there");
  check->callback([lint, read = std::move(read), &context] { LintPath(*lint, read, context); });

  AddPlan(runbook, context);

  auto list = std::make_shared<ListFlags>();
  CLI::App* all = runbook.add_subcommand("list", "The runbooks of a directory");
  all->add_option("--dir", list->directory, "Where the runbooks are")->capture_default_str();
  all->add_flag("--json", list->as_json, "JSON instead of text");
  all->callback([list, &context] { List(*list, context); });

  CLI::App* import = runbook.add_subcommand("import", "Runbooks from other formats")->require_subcommand(1);
  AddImport(*import, "cacao", "A CACAO 2.0 playbook (JSON)", act::ImportCacao, context);
  AddImport(*import, "skill", "A SKILL.md", act::ImportSkill, context);
  runbook.add_subcommand("schema", "Print the JSON Schema of runbooks")->callback([&context] {
    context.out << act::RunbookSchema();
  });
}

}  // namespace tocsin::surface
