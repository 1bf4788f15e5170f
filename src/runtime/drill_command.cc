#include "runtime/drill_command.h"

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "ports/clock.h"
#include "respond/dispatch/access_drill.h"
#include "respond/dispatch/equip.h"
#include "runtime/settings.h"
#include "store/data_directory.h"

namespace tocsin::runtime {
namespace {

struct Options {
  std::string config = "tocsin.yaml", data, timeout = "5s";
  int days = 14;
  bool send = false, json = false;
};

void Append(std::vector<respond::DrillCheck> more, std::vector<respond::DrillCheck>& checks) {
  for (auto& check : more) checks.push_back(std::move(check));
}

// Null when there is none yet: the links of its incidents are not known then.
Result<std::unique_ptr<store::Ledger>> OpenLedger(const std::string& data) {
  const std::string path = store::DataDirectory::LedgerPath(data);
  if (!std::filesystem::exists(path)) return std::unique_ptr<store::Ledger>();
  return store::OpenSqlite({path, true});
}

Result<respond::DrillReport> Drill(const Options& options) {
  TOCSIN_ASSIGN_OR_RETURN(const Settings settings, ReadSettings(options.config));
  TOCSIN_ASSIGN_OR_RETURN(const Duration timeout, ParseDuration(options.timeout));
  if (timeout <= Duration::Millis(0) || timeout > Duration::Minutes(5))
    return Error(Code::kInvalidArgument, "--timeout is not between 1ms and 5m");
  const respond::DispatchConfig& config = settings.dispatch;
  const ports::Clock& clock = ports::SystemClock();
  respond::DrillReport report;
  report.from = clock.Now();
  report.to = report.from + Duration::Hours(24 * options.days);
  report.checks = respond::CheckPeople(config, report.from, report.to);
  Append(respond::CheckPolicies(config, report.from, report.to), report.checks);
  if (options.send) {
    respond::NotifierDirectory directory;
    TOCSIN_RETURN_IF_ERROR(respond::EquipDirectory(config, clock, directory));
    Append(respond::SendTests(config, directory, report.from, report.to, report.from), report.checks);
  }
  if (config.url.empty())
    report.checks.push_back({"link", "url", false, "is not set: messages carry no link to the incident"});
  TOCSIN_ASSIGN_OR_RETURN(const auto ledger, OpenLedger(options.data.empty() ? settings.data : options.data));
  TOCSIN_ASSIGN_OR_RETURN(const auto links, respond::LinksToCheck(config, ledger.get()));
  Append(respond::CheckLinks(links, timeout), report.checks);
  return report;
}

void Run(const Options& options, surface::CommandContext& context) {
  const auto report = Drill(options);
  if (!report) {
    context.Fail(report.error());
    if (context.exit_code == 1) context.exit_code = 2;  // no settings file: not an answer of the drill
    return;
  }
  if (options.json) {
    context.out << respond::DrillToJson(*report).dump(2, ' ', false, nlohmann::json::error_handler_t::replace)
                << '\n';
  } else {
    context.out << respond::RenderDrill(*report);
  }
  if (report->missing() > 0) context.exit_code = 1;
}

}  // namespace

void AddDrillAccess(CLI::App& drill, surface::CommandContext& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command = drill.add_subcommand(
      "access", "Whether the people on call can be told and can open what they are sent");
  command->add_option("--config", options->config, "Settings")->capture_default_str();
  command->add_option("--data", options->data, "Data directory (as in the settings)");
  command->add_option("--days", options->days, "So many days ahead")
      ->capture_default_str()
      ->check(CLI::Range(1, 365));
  command->add_option("--timeout", options->timeout, "Of each link")->capture_default_str();
  command->add_flag("--send", options->send, "Really send a test message to each channel");
  command->add_flag("--json", options->json, "JSON instead of text");
  command->callback([options, &context] { Run(*options, context); });
}

}  // namespace tocsin::runtime
