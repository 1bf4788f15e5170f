#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {

void AddCounts(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/api/v1/counts", nullptr, {}, true};
  route.handler = [&api](Request&&, const Responder& respond) {
    const auto counts = api.telemetry.Counts();
    if (!counts) return respond(ProblemResponse(counts.error()));
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const store::TableCount& count : *counts) json[count.table] = count.rows;
    respond(JsonResponse(json));
  };
  route.operation.summary = "Rows in each telemetry table";
  route.operation.answers = {{200, "application/json", "{table: rows}"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
