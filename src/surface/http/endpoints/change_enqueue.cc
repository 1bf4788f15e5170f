#include "ingest/change_decoder.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_body.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

void Receive(const ApiDependencies& api, Request&& request, const Responder& respond) {
  if (request.ContentType() != "application/json") {
    return respond(ProblemResponse(415, "change events are sent as application/json"));
  }
  if (const Status status = InflateBody(request, api.decode.limits); !status.ok())
    return respond(ProblemResponse(status));
  auto change = ingest::DecodePagerDutyChange(request.body, DecodeNow(api));
  if (!change) return respond(ProblemResponse(change.error()));
  nlohmann::ordered_json answer = {{"status", "success"}, {"message", "Change event processed"}};
  signal::Batch batch;
  batch.changes.push_back(std::move(*change));
  StoreThen(api, std::move(batch), JsonResponse(answer, 202), respond);
}

}  // namespace

void AddChangeEnqueue(Router& router, const ApiDependencies& api) {
  Route route{"POST", "/v2/change/enqueue", nullptr, {}, false};
  route.handler = [&api](Request&& request, const Responder& respond) {
    Receive(api, std::move(request), respond);
  };
  route.operation.summary = "A change event as PagerDuty's Events API v2 takes it";
  route.operation.request_types = {"application/json"};
  route.operation.answers = {
      {202, "application/json", "{status, message}, stored durably"},
      {400, "application/problem+json", "which field is wrong"},
      {429, "application/problem+json", "the backlog is full; send again after Retry-After"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
