// The commands that talk to a running server, and `version`. Each adds one subcommand (see command.h).
#pragma once

#include "surface/cli/command.h"

namespace tocsin::surface {

// tocsin incidents [--all] [--service NAME] [--json] [--url URL]
void AddIncidentsCommand(CLI::App& app, CommandContext& context);
// tocsin incident show ID [--json] [--url URL]; `incident` is the parent.
void AddIncidentShow(CLI::App& incident, CommandContext& context);
// tocsin incident ack|triage|mitigate|monitor|close|reopen|merge|assign|severity|note|task|… ID
void AddIncidentWork(CLI::App& incident, CommandContext& context);
// tocsin context ID [--json] [--url URL]
void AddContextCommand(CLI::App& app, CommandContext& context);
// tocsin status [--json] [--url URL]
void AddStatusCommand(CLI::App& app, CommandContext& context);
// tocsin feedback --trace ID | --response ID | --conversation ID [--span ID] [--score N] [--label TEXT] …
void AddFeedbackCommand(CLI::App& app, CommandContext& context);
// tocsin oncall [SCHEDULE --days N] [--at TIME] [--zone ZONE] [--json] [--url URL]
void AddOnCallCommand(CLI::App& app, CommandContext& context);
// tocsin noise [--since 7d] [--json] [--url URL]
void AddNoiseCommand(CLI::App& app, CommandContext& context);
// tocsin claim check FILE|- [--json] [--url URL]; tocsin claim schema
void AddClaimCommand(CLI::App& app, CommandContext& context);
// tocsin brief show|make|verify ID [--json] [--url URL]
void AddBriefCommand(CLI::App& app, CommandContext& context);
// tocsin mcp [--server URL] [--token-file FILE] (see docs/guides/mcp.md)
void AddMcpCommand(CLI::App& app, CommandContext& context);
// tocsin approvals [--all]; tocsin approve|deny ID [--reason TEXT] [--yes] [--json] [--url URL]
void AddApprovalCommands(CLI::App& app, CommandContext& context);
// tocsin kill [SCOPE] [--reason TEXT] [--by NAME]; tocsin release SCOPE --reason TEXT
void AddKillCommands(CLI::App& app, CommandContext& context);
// tocsin drill kill [--steps N]; `drill` is the parent.
void AddDrillKill(CLI::App& drill, CommandContext& context);
// tocsin trust show; tocsin trust set AGENT CLASS TIER --reason TEXT
void AddTrustCommand(CLI::App& app, CommandContext& context);
// tocsin runbook run|look|history|drill|stop|undo|settle; `runbook` is the parent.
void AddRunbookRun(CLI::App& runbook, CommandContext& context);
// tocsin eval injection DIR [--json]; `eval` is the parent.
void AddEvalInjection(CLI::App& eval, CommandContext& context);
// tocsin replay FILE… (see docs/guides/replay.md)
void AddReplay(CLI::App& app, CommandContext& context);
// tocsin token new NAME [--agent]
void AddTokenCommand(CLI::App& app, CommandContext& context);
// tocsin version
void AddVersion(CLI::App& app, CommandContext& context);

}  // namespace tocsin::surface
