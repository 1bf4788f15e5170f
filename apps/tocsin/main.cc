// tocsin: one binary; see surface/cli/command.h for how a subcommand is written.
#include <CLI/CLI.hpp>
#include <iostream>

#include "runtime/config_command.h"
#include "runtime/drill_command.h"
#include "runtime/lint_world.h"
#include "runtime/serve_command.h"
#include "surface/cli/audit_verify.h"
#include "surface/cli/commands.h"
#include "surface/cli/eval_investigate.h"
#include "surface/cli/eval_mix.h"
#include "surface/cli/eval_rca.h"
#include "surface/cli/eval_swap.h"
#include "surface/cli/eval_templates.h"
#include "surface/cli/eval_verify.h"
#include "surface/cli/runbook_files.h"
#include "surface/cli/simulate.h"

int main(int argc, char** argv) {
  using namespace tocsin;
  surface::CommandContext context{std::cout, std::cerr};
  CLI::App app{"Tocsin: incident response for LLM features that fail without crashing", "tocsin"};
  app.require_subcommand(1);
  runtime::AddServe(app, context);
  runtime::AddConfig(app, context);
  CLI::App* drill = app.add_subcommand("drill", "Rehearsals")->require_subcommand(1);
  runtime::AddDrillAccess(*drill, context);
  surface::AddDrillKill(*drill, context);
  surface::AddReplay(app, context);
  surface::AddIncidentsCommand(app, context);
  CLI::App* incident = app.add_subcommand("incident", "One incident")->require_subcommand(1);
  surface::AddIncidentShow(*incident, context);
  surface::AddIncidentWork(*incident, context);
  surface::AddBriefCommand(app, context);
  surface::AddTokenCommand(app, context);
  surface::AddClaimCommand(app, context);
  CLI::App* runbook = app.add_subcommand("runbook", "What may be done, written down")->require_subcommand(1);
  surface::AddRunbookFiles(*runbook, context, runtime::LintWorldOf);
  surface::AddRunbookRun(*runbook, context);
  surface::AddOnCallCommand(app, context);
  surface::AddContextCommand(app, context);
  surface::AddApprovalCommands(app, context);
  surface::AddKillCommands(app, context);
  surface::AddTrustCommand(app, context);
  surface::AddMcpCommand(app, context);
  surface::AddNoiseCommand(app, context);
  surface::AddStatusCommand(app, context);
  surface::AddFeedbackCommand(app, context);
  CLI::App* audit = app.add_subcommand("audit", "The audit chain")->require_subcommand(1);
  surface::AddAuditVerify(*audit, context);
  CLI::App* eval =
      app.add_subcommand("eval", "Measure the monitors on recorded answers")->require_subcommand(1);
  surface::AddEvalSwap(*eval, context);
  surface::AddEvalMix(*eval, context);
  surface::AddEvalVerify(*eval, context);
  surface::AddEvalTemplates(*eval, context);
  surface::AddEvalInvestigate(*eval, context);
  surface::AddEvalRca(*eval, context);
  surface::AddEvalInjection(*eval, context);
  surface::AddSimulate(app, context);
  surface::AddVersion(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "tocsin: " << error.what() << '\n';
    return 2;
  }
  return context.exit_code;
}
