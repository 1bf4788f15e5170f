// The kill switch for the user's own agents and features: signed, short-lived, cheap to poll.
#include "act/kill/signed_switch.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

constexpr const char* kNoKey =
    "this server signs no switch: set act.switch.key_file (docs/formats/switch.md); without a signed answer, "
    "stop";

// True when the client has this answer already (RFC 9110: weak comparison, a list, or *).
bool Has(const Request& request, const std::string& etag) {
  const std::string_view known = request.Header("if-none-match");
  return known == "*" || known.find(etag) != std::string_view::npos;
}

Response Show(const SwitchSources& sources, const Request& request) {
  if (sources.signer == nullptr) return ProblemResponse(Status(Code::kUnimplemented, kNoKey));
  const auto scope = act::ParseKillScope(request.Param("scope"));
  if (!scope) return ProblemResponse(scope.error());
  const auto answer = sources.signer->Answer(*scope, sources.engaged());
  if (!answer) return ProblemResponse(answer.error());
  Response response;
  response.headers = {{"Cache-Control", "max-age=" + std::to_string(answer->max_age_s)},
                      {"ETag", answer->etag}};
  if (Has(request, answer->etag))
    response.status = 304;
  else
    response.body = answer->body;
  return response;
}

}  // namespace

void AddSwitch(Router& router, const SwitchSources& sources) {
  // Before the one whose {scope} would take it.
  Route key{"GET", "/api/v1/switch/key", nullptr, {}, false};
  key.handler = [&sources](Request&&, const Responder& respond) {
    if (sources.signer == nullptr) return respond(ProblemResponse(Status(Code::kUnimplemented, kNoKey)));
    respond(JsonResponse(sources.signer->keys()));
  };
  key.operation.summary = "The public key that verifies the switch, as a JSON Web Key Set";
  key.operation.answers = {{200, "application/json", "{keys: [{kty, crv, x, kid, alg, use}]}"},
                           {501, "application/problem+json", "no key is configured"}};
  router.Add(std::move(key));

  Route show{"GET", "/api/v1/switch/{scope}", nullptr, {}, false};
  show.handler = [&sources](Request&& request, const Responder& respond) { respond(Show(sources, request)); };
  show.operation.summary = "Whether a scope is stopped, signed: to be polled before acting";
  show.operation.parameters = {
      {"scope", "path", "string", "all, agents, agent:NAME, runbook:ID, action:NAME, incident:ID"}};
  show.operation.answers = {
      {200, "application/json", "{scope, engaged, reason, since, by_scope, at, expires, serial, jwt}"},
      {304, "application/json", "as If-None-Match has it"},
      {400, "application/problem+json", "no scope"},
      {501, "application/problem+json", "no key is configured"}};
  router.Add(std::move(show));
}

}  // namespace tocsin::surface
