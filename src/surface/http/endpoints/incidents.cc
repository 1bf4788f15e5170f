#include "respond/render_incident.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

Response List(const ApiDependencies& api, const Request& request) {
  store::IncidentFilter filter;
  filter.state = request.Query("state");
  filter.service = request.Query("service");
  const auto limit = request.QueryInt("limit", 100, 1, 1000);
  if (!limit) return ProblemResponse(limit.error());
  filter.limit = static_cast<size_t>(*limit);
  const auto incidents = api.ledger.FindIncidents(filter);
  if (!incidents) return ProblemResponse(incidents.error());
  if (WantsText(request)) return TextResponse(respond::RenderIncidentList(*incidents));
  nlohmann::json list = nlohmann::json::array();
  for (const signal::Incident& incident : *incidents)
    list.push_back(respond::IncidentToJson(incident, false));
  return JsonResponse(nlohmann::json{{"incidents", std::move(list)}});
}

}  // namespace

void AddIncidents(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/api/v1/incidents", nullptr, {}, true};
  route.handler = [&api](Request&& request, const Responder& respond) { respond(List(api, request)); };
  route.operation.summary = "Incidents, newest first";
  route.operation.parameters = {
      {"state", "query", "string", "one state, or 'active': any but closed, merged and false_alarm"},
      {"service", "query", "string", "only of this service"},
      {"limit", "query", "integer", "at most so many, 1 to 1000; 100 when absent"},
      {"format", "query", "string", "'text': one line each, for people"}};
  route.operation.answers = {{200, "application/json", "{incidents: [...]}, without their evidence"},
                             {400, "application/problem+json", "a parameter is wrong"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
