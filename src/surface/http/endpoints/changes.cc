#include "ingest/change_decoder.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_body.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

void Receive(const ApiDependencies& api, Request&& request, const Responder& respond) {
  if (const Status status = InflateBody(request, api.decode.limits); !status.ok())
    return respond(ProblemResponse(status));
  auto changes = ingest::DecodeCloudEvent(request.body, request.headers, DecodeNow(api));
  if (!changes) return respond(ProblemResponse(changes.error()));
  signal::Batch batch;
  batch.changes = std::move(*changes);
  Response success = JsonResponse(nlohmann::json{{"accepted", batch.changes.size()}}, 202);
  if (batch.empty()) return respond(std::move(success));
  StoreThen(api, std::move(batch), std::move(success), respond);
}

}  // namespace

void AddChanges(Router& router, const ApiDependencies& api) {
  Route route{"POST", "/api/v1/changes", nullptr, {}, false};
  route.handler = [&api](Request&& request, const Responder& respond) {
    Receive(api, std::move(request), respond);
  };
  route.operation.summary = "What was altered: a deploy, prompt, model, flag, index … as CloudEvents 1.0";
  route.operation.request_types = {"application/cloudevents+json", "application/cloudevents-batch+json",
                                   "application/json"};
  route.operation.answers = {
      {202, "application/json", "{accepted: n}, stored durably"},
      {400, "application/problem+json", "which field is wrong"},
      {429, "application/problem+json", "the backlog is full; send again after Retry-After"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
