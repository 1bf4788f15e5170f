#include "surface/http/endpoints/endpoints.h"

namespace tocsin::surface {

Router BuildRouter(const ApiDependencies& api) {
  Router router;
  AddExport(router, api);
  AddFeedback(router, api);
  AddChanges(router, api);
  AddChangeEnqueue(router, api);
  AddIncidents(router, api);
  AddIncident(router, api);
  AddIncidentActions(router, api);
  AddContext(router, api);
  AddAlerts(router, api);
  AddAlertEvents(router, api);
  AddSilences(router, api);
  AddPagerDuty(router, api);
  AddOnCall(router, api);
  AddNoise(router, api);
  AddSlackInteractions(router, api);
  AddGenerations(router, api);
  AddClaims(router, api);
  AddBrief(router, api);
  AddRuns(router, api);
  AddApprovals(router, api);
  AddKill(router, api);
  AddSwitch(router, api.kill_switch);
  AddCounts(router, api);
  AddStatus(router, api);
  AddHealth(router, api);
  AddMetrics(router, api);
  AddMcp(router, api);
  AddHomePage(router, api);
  AddIncidentPage(router, api);
  AddOpenApi(router, api);
  return router;
}

}  // namespace tocsin::surface
