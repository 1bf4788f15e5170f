#include <fmt/format.h>

#include "respond/dispatch/paging_status.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/render_incident.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

Response Show(const ApiDependencies& api, const Request& request) {
  const std::string id(request.Param("id"));
  const auto incident = api.ledger.FindIncident(IncidentId{id});
  if (!incident) return ProblemResponse(incident.error());
  if (!incident->has_value()) {
    return ProblemResponse(Status(Code::kNotFound, fmt::format("there is no incident {}", id)));
  }
  const auto work = respond::ReadView(api.ledger, **incident);
  if (!work) return ProblemResponse(work.error());
  const auto paging = respond::ReadPaging(api.ledger, IncidentId{id});
  if (!paging) return ProblemResponse(paging.error());
  if (WantsText(request)) {
    const auto exemplars = request.QueryInt("exemplars", 3, 0, 20);
    if (!exemplars) return ProblemResponse(exemplars.error());
    respond::RenderOptions options;
    options.exemplars = static_cast<size_t>(*exemplars);
    std::string text = respond::RenderIncident(**incident, options);
    if (const auto paged = respond::RenderPaging(*paging, options.columns); !paged.empty())
      text += "\n" + paged;
    const std::string people = respond::RenderView(*work, api.clock.Now(), options.columns);
    if (!people.empty()) text += "\n" + people;
    return TextResponse(std::move(text));
  }
  nlohmann::json json = respond::IncidentToJson(**incident, true);
  json["work"] = respond::ViewToJson(*work);
  json["paging"] = respond::PagingToJson(*paging);
  return JsonResponse(json);
}

}  // namespace

void AddIncident(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/api/v1/incidents/{id}", nullptr, {}, true};
  route.handler = [&api](Request&& request, const Responder& respond) { respond(Show(api, request)); };
  route.operation.summary = "One incident with its evidence";
  route.operation.parameters = {{"id", "path", "string", "its id, as in INC-2K7Q"},
                                {"format", "query", "string", "'text': the page for people"},
                                {"exemplars", "query", "integer",
                                 "of the page: answers shown before and after, 0 to 20; 3 when absent"}};
  route.operation.answers = {{200, "application/json", "the incident"},
                             {404, "application/problem+json", "no incident has this id"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
