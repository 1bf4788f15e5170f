// What is known about an incident, gathered while the caller waits.
#include "investigate/context/context_render.h"
#include "investigate/investigation_desk.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

Response Show(const ApiDependencies& api, const Request& request) {
  const auto pack = api.investigations.Context(IncidentId{std::string(request.Param("id"))});
  if (!pack) return ProblemResponse(pack.error());
  if (!WantsText(request)) return JsonResponse(investigate::ContextToJson(*pack));
  return TextResponse(investigate::RenderContext(*pack));
}

}  // namespace

void AddContext(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/api/v1/incidents/{id}/context", nullptr, {}, true};
  route.handler = [&api](Request&& request, const Responder& respond) { respond(Show(api, request)); };
  route.operation.summary = "What is known about an incident: the context pack";
  route.operation.parameters = {{"id", "path", "string", "the incident's, as in INC-2K7Q"},
                                {"format", "query", "string", "'text': one page for people"}};
  route.operation.answers = {{200, "application/json", "the pack, as docs/formats/context.md describes"},
                             {404, "application/problem+json", "no incident has this id"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
