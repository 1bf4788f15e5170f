#include <fmt/format.h>

#include "investigate/investigation_desk.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

using nlohmann::ordered_json;

Response Shown(const Request& request, const investigate::Brief& brief) {
  if (!WantsText(request)) return JsonResponse(investigate::BriefToJson(brief));
  return TextResponse(investigate::RenderBrief(brief));
}

Response Show(const ApiDependencies& api, const Request& request) {
  const std::string id(request.Param("id"));
  const auto brief = api.investigations.Stored(IncidentId{id});
  if (!brief) return ProblemResponse(brief.error());
  if (!*brief)
    return ProblemResponse(
        Status(Code::kNotFound,
               fmt::format("incident '{}' has no brief yet: POST here makes one", id.substr(0, 64))));
  return Shown(request, **brief);
}

Response Make(const ApiDependencies& api, const Request& request) {
  const bool ask = request.Query("model") == "true";
  if (ask && !api.investigations.has_model())
    return ProblemResponse(
        Status(Code::kFailedPrecondition, "no model is configured: 'investigation.model' in tocsin.yaml"));
  const auto brief = api.investigations.Make(IncidentId{std::string(request.Param("id"))}, ask);
  return brief ? Shown(request, *brief) : ProblemResponse(brief.error());
}

Response Verify(const ApiDependencies& api, const Request& request) {
  const auto again = api.investigations.Recheck(IncidentId{std::string(request.Param("id"))});
  if (!again) return ProblemResponse(again.error());
  ordered_json changed = ordered_json::array();
  for (const auto& change : again->changed) {
    changed.push_back({{"text", again->brief.lines[change.line].text},
                       {"before", change.before},
                       {"now", change.now},
                       {"why", change.why}});
  }
  return JsonResponse(ordered_json{{"run", again->run},
                                   {"held", again->held},
                                   {"changed", std::move(changed)},
                                   {"brief", investigate::BriefToJson(again->brief)}});
}

Route Of(const char* method, const char* path, const char* summary, const char* answer) {
  Route route{method, path, nullptr, {}, true};
  route.operation.summary = summary;
  route.operation.parameters = {{"id", "path", "string", "its id, as in INC-2K7Q"}};
  route.operation.answers = {{200, "application/json", answer},
                             {404, "application/problem+json", "no such incident, or no brief of it"}};
  return route;
}

}  // namespace

void AddBrief(Router& router, const ApiDependencies& api) {
  Route show = Of("GET", "/api/v1/incidents/{id}/brief", "The newest brief of an incident", "the brief");
  show.operation.parameters.push_back({"format", "query", "string", "'text': the page for people"});
  show.handler = [&api](Request&& request, const Responder& respond) { respond(Show(api, request)); };
  router.Add(std::move(show));
  Route make = Of("POST", "/api/v1/incidents/{id}/brief", "Make the brief anew", "the brief");
  make.operation.parameters.push_back({"model", "query", "string", "'true': ask the configured model too"});
  make.handler = [&api](Request&& request, const Responder& respond) { respond(Make(api, request)); };
  router.Add(std::move(make));
  Route verify = Of("POST", "/api/v1/incidents/{id}/brief/verify", "Run every claim of the brief again",
                    "{run, held, changed, brief}");
  verify.handler = [&api](Request&& request, const Responder& respond) { respond(Verify(api, request)); };
  router.Add(std::move(verify));
}

}  // namespace tocsin::surface
