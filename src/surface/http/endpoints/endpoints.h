// Every endpoint: one file each, one function that adds its routes. Handlers hold a reference to the
// dependencies, which must outlive the router.
#pragma once

#include "surface/http/api_dependencies.h"
#include "surface/http/router.h"

namespace tocsin::surface {

void AddExport(Router& router, const ApiDependencies& api);         // POST /v1/{traces,logs,metrics}
void AddFeedback(Router& router, const ApiDependencies& api);       // POST /api/v1/feedback
void AddChanges(Router& router, const ApiDependencies& api);        // POST /api/v1/changes
void AddChangeEnqueue(Router& router, const ApiDependencies& api);  // POST /v2/change/enqueue
void AddIncidents(Router& router, const ApiDependencies& api);      // GET /api/v1/incidents
void AddIncident(Router& router, const ApiDependencies& api);       // GET /api/v1/incidents/{id}
// POST /api/v1/incidents, /api/v1/incidents/{id}/actions; GET /api/v1/incidents/{id}/timeline
void AddIncidentActions(Router& router, const ApiDependencies& api);
void AddContext(Router& router, const ApiDependencies& api);  // GET /api/v1/incidents/{id}/context
void AddAlerts(Router& router, const ApiDependencies& api);   // /api/v2/alerts, /api/v2/alerts/groups
// POST /api/v1/alerts/cloudevents, /api/v1/alerts/webhook/{name}
void AddAlertEvents(Router& router, const ApiDependencies& api);
void AddSilences(Router& router, const ApiDependencies& api);   // /api/v2/silences, status, receivers
void AddPagerDuty(Router& router, const ApiDependencies& api);  // POST /v2/enqueue
// The matchers of every `filter` in the query.
Result<respond::Matchers> ReadMatchers(const Request& request);
void AddOnCall(Router& router, const ApiDependencies& api);  // GET /api/v1/oncall, …/{schedule}[.ics|/shifts]
void AddNoise(Router& router, const ApiDependencies& api);   // GET /api/v1/noise
void AddSlackInteractions(Router& router, const ApiDependencies& api);  // POST /api/v1/slack/interactions
void AddGenerations(Router& router, const ApiDependencies& api);        // GET /api/v1/generations
void AddClaims(Router& router, const ApiDependencies& api);  // POST /api/v1/claims/verify, GET …/schema
// GET, POST /api/v1/incidents/{id}/brief; POST …/brief/verify
void AddBrief(Router& router, const ApiDependencies& api);
void AddRuns(Router& router, const ApiDependencies& api);  // /api/v1/runbooks, …/plans, …/runs; /runs/{id}
void AddApprovals(Router& router, const ApiDependencies& api);     // /api/v1/approvals; /approvals/{id}
void AddKill(Router& router, const ApiDependencies& api);          // /api/v1/kill, …/trust; /kill
void AddSwitch(Router& router, const SwitchSources& sources);      // GET /api/v1/switch/{scope}, …/key
void AddCounts(Router& router, const ApiDependencies& api);        // GET /api/v1/counts
void AddStatus(Router& router, const ApiDependencies& api);        // GET /api/v1/status
void AddHealth(Router& router, const ApiDependencies& api);        // GET /livez, /readyz
void AddMetrics(Router& router, const ApiDependencies& api);       // GET /metrics
void AddMcp(Router& router, const ApiDependencies& api);           // POST, DELETE /mcp
void AddHomePage(Router& router, const ApiDependencies& api);      // GET /
void AddIncidentPage(Router& router, const ApiDependencies& api);  // GET /incidents/{id}
// GET /openapi.json, of the routes added before it. Last.
void AddOpenApi(Router& router, const ApiDependencies& api);

// All of them.
Router BuildRouter(const ApiDependencies& api);

}  // namespace tocsin::surface
