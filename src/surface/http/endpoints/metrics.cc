#include "surface/http/endpoints/endpoints.h"

namespace tocsin::surface {

void AddMetrics(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/metrics", nullptr, {}, false};
  route.handler = [&api](Request&&, const Responder& respond) {
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = api.metrics.Text();
    respond(std::move(response));
  };
  route.operation.summary = "Tocsin's own metrics";
  route.operation.answers = {{200, "text/plain", "Prometheus text format 0.0.4"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
