#include <fmt/format.h>

#include "claims/claim_json.h"
#include "investigate/investigation_desk.h"
#include "respond/json_text.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_body.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

using nlohmann::ordered_json;

// Claims of one request; a brief's worth. Each may take some queries.
constexpr size_t kMaxAtOnce = 100;

Response Verify(const ApiDependencies& api, Request&& request) {
  if (const Status status = InflateBody(request, api.decode.limits); !status.ok())
    return ProblemResponse(status);
  const auto claims = claims::ReadClaimText(request.body, "body");
  if (!claims) return ProblemResponse(claims.error());
  if (claims->size() > kMaxAtOnce)
    return ProblemResponse(
        Status(Code::kOutOfRange, fmt::format("{} claims: at most {} at once", claims->size(), kMaxAtOnce)));
  ordered_json results = ordered_json::array();
  size_t counts[3] = {0, 0, 0};
  for (const auto& line : api.investigations.Check(*claims)) {
    ordered_json one = claims::WriteVerdict(line.verdict);
    one["claim_id"] = claims::ClaimIdOf(*line.claim);
    one["kind"] = claims::KindOf(*line.claim);
    one["text"] = line.text;
    results.push_back(std::move(one));
    ++counts[static_cast<size_t>(line.verdict.kind)];
  }
  return JsonResponse(ordered_json{{"verified", counts[0]},
                                   {"refuted", counts[1]},
                                   {"unverifiable", counts[2]},
                                   {"results", std::move(results)}});
}

}  // namespace

void AddClaims(Router& router, const ApiDependencies& api) {
  Route verify{"POST", "/api/v1/claims/verify", nullptr, {}, true};
  verify.handler = [&api](Request&& request, const Responder& respond) {
    respond(Verify(api, std::move(request)));
  };
  verify.operation.summary = "Run claims over the stored telemetry";
  verify.operation.request_types = {"application/json", "application/yaml"};
  verify.operation.answers = {
      {200, "application/json",
       "{verified, refuted, unverifiable, results: [...]}, in the order of the claims"},
      {400, "application/problem+json", "something is no claim; says where"}};
  router.Add(std::move(verify));
  Route schema{"GET", "/api/v1/claims/schema", nullptr, {}, false};
  schema.handler = [](Request&&, const Responder& respond) { respond(JsonResponse(claims::ClaimSchema())); };
  schema.operation.summary = "JSON Schema of claims";
  schema.operation.answers = {{200, "application/json", "JSON Schema 2020-12"}};
  router.Add(std::move(schema));
}

}  // namespace tocsin::surface
