#include "surface/http/endpoints/endpoints.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {

void AddHealth(Router& router, const ApiDependencies& api) {
  Route live{"GET", "/livez", nullptr, {}, false};
  live.handler = [](Request&&, const Responder& respond) { respond(TextResponse("ok\n")); };
  live.operation.summary = "The process answers";
  live.operation.answers = {{200, "text/plain", "ok"}};
  router.Add(std::move(live));

  Route ready{"GET", "/readyz", nullptr, {}, false};
  ready.handler = [&api](Request&&, const Responder& respond) {
    respond(api.ready() ? TextResponse("ready\n") : ProblemResponse(503, "still recovering, or stopping"));
  };
  ready.operation.summary = "Recovered, and taking telemetry";
  ready.operation.answers = {{200, "text/plain", "ready"},
                             {503, "application/problem+json", "not yet, or no more"}};
  router.Add(std::move(ready));
}

}  // namespace tocsin::surface
