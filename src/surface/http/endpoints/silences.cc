// Alertmanager's API v2: silences, and what clients ask about the server.
#include "surface/http/alert_json.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_body.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;

Response List(const ApiDependencies& api, const Request& request) {
  const auto filter = ReadMatchers(request);
  if (!filter) return ProblemResponse(filter.error());
  Response response;
  response.body = "[";
  for (const auto& silence : api.alerts.FindSilences(*filter)) {
    if (response.body.size() > 1) response.body += ',';
    AppendSilence(response.body, silence, api.clock.Now());
  }
  response.body += "]\n";
  return response;
}

Response Set(const ApiDependencies& api, Request& request) {
  if (const Status status = InflateBody(request, api.decode.limits); !status.ok())
    return ProblemResponse(status);
  const json body = json::parse(request.body, nullptr, false);
  if (body.is_discarded()) return ProblemResponse(400, "the body is not JSON");
  auto silence = ReadSilence(body);
  if (!silence) return ProblemResponse(silence.error());
  const auto id = api.alerts.SetSilence(std::move(*silence), api.clock.Now());
  if (!id) return ProblemResponse(id.error());
  return JsonResponse(json{{"silenceID", *id}});
}

Response Show(const ApiDependencies& api, const Request& request) {
  const auto silence = api.alerts.FindSilence(std::string(request.Param("id")));
  if (!silence) return ProblemResponse(404, "there is no such silence");
  Response response;
  AppendSilence(response.body, *silence, api.clock.Now());
  response.body += '\n';
  return response;
}

Response Expire(const ApiDependencies& api, const Request& request) {
  const Status status = api.alerts.ExpireSilence(std::string(request.Param("id")), api.clock.Now());
  return status.ok() ? JsonResponse(json::object()) : ProblemResponse(status);
}

Response About(const ApiDependencies& api) {
  const auto counts = api.alerts.Counts();
  return JsonResponse(json{
      {"cluster", {{"name", ""}, {"peers", json::array()}, {"status", "disabled"}}},
      {"config", {{"original", ""}}},
      {"uptime", FormatTime(api.started)},
      {"versionInfo",
       {{"branch", ""},
        {"buildDate", ""},
        {"buildUser", ""},
        {"goVersion", ""},
        {"revision", ""},
        {"version", "tocsin " + api.version}}},
      {"tocsin", {{"alerts", counts.alerts}, {"silences", counts.silences}, {"groups", counts.groups}}}});
}

void AddSilenceRoutes(Router& router, const ApiDependencies& api) {
  Route list{"GET", "/api/v2/silences", nullptr, {}, true};
  list.handler = [&api](Request&& request, const Responder& respond) { respond(List(api, request)); };
  list.operation.summary = "Silences, with their state";
  list.operation.parameters = {{"filter", "query", "string", "a matcher; may be repeated"}};
  list.operation.answers = {{200, "application/json", "a list"}};
  router.Add(std::move(list));

  Route set{"POST", "/api/v2/silences", nullptr, {}, true};
  set.handler = [&api](Request&& request, const Responder& respond) { respond(Set(api, request)); };
  set.operation.summary = "Set a silence, or change the one with this id";
  set.operation.request_types = {"application/json"};
  set.operation.answers = {{200, "application/json", "{silenceID}, stored durably"},
                           {400, "application/problem+json", "which field is wrong"},
                           {404, "application/problem+json", "no silence has this id"}};
  router.Add(std::move(set));

  Route show{"GET", "/api/v2/silence/{id}", nullptr, {}, true};
  show.handler = [&api](Request&& request, const Responder& respond) { respond(Show(api, request)); };
  show.operation.summary = "One silence";
  show.operation.parameters = {{"id", "path", "string", "its UUID"}};
  show.operation.answers = {{200, "application/json", "the silence"},
                            {404, "application/problem+json", "no silence has this id"}};
  router.Add(std::move(show));

  Route expire{"DELETE", "/api/v2/silence/{id}", nullptr, {}, true};
  expire.handler = [&api](Request&& request, const Responder& respond) { respond(Expire(api, request)); };
  expire.operation.summary = "End a silence now";
  expire.operation.parameters = {{"id", "path", "string", "its UUID"}};
  expire.operation.answers = {{200, "application/json", "ended"},
                              {404, "application/problem+json", "no silence has this id"}};
  router.Add(std::move(expire));
}

}  // namespace

void AddSilences(Router& router, const ApiDependencies& api) {
  AddSilenceRoutes(router, api);
  Route about{"GET", "/api/v2/status", nullptr, {}, true};
  about.handler = [&api](Request&&, const Responder& respond) { respond(About(api)); };
  about.operation.summary = "What Alertmanager's clients ask first";
  about.operation.answers = {{200, "application/json", "version, uptime, no cluster"}};
  router.Add(std::move(about));

  Route receivers{"GET", "/api/v2/receivers", nullptr, {}, true};
  receivers.handler = [&api](Request&&, const Responder& respond) {
    json list = json::array();
    for (const auto& name : api.alerts.Receivers()) list.push_back({{"name", name}});
    respond(JsonResponse(list));
  };
  receivers.operation.summary = "Who can be told";
  receivers.operation.answers = {{200, "application/json", "a list of {name}"}};
  router.Add(std::move(receivers));

  for (const char* path : {"/-/healthy", "/-/ready"}) {
    Route health{"GET", path, nullptr, {}, false};
    health.handler = [](Request&&, const Responder& respond) { respond(TextResponse("OK")); };
    health.operation.summary = "The process answers, for Alertmanager's clients";
    health.operation.answers = {{200, "text/plain", "OK"}};
    router.Add(std::move(health));
  }
}

}  // namespace tocsin::surface
