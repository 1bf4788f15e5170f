#include "ingest/feedback_decoder.h"

#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_body.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

void Receive(const ApiDependencies& api, Request&& request, const Responder& respond) {
  if (request.ContentType() != "application/json") {
    return respond(ProblemResponse(415, "feedback is sent as application/json"));
  }
  if (const Status status = InflateBody(request, api.decode.limits); !status.ok())
    return respond(ProblemResponse(status));
  auto feedbacks = ingest::DecodeFeedback(request.body, DecodeNow(api));
  if (!feedbacks) return respond(ProblemResponse(feedbacks.error()));
  signal::Batch batch;
  batch.feedbacks = std::move(*feedbacks);
  Response success = JsonResponse(nlohmann::json{{"accepted", batch.feedbacks.size()}}, 202);
  if (batch.empty()) return respond(std::move(success));
  StoreThen(api, std::move(batch), std::move(success), respond);
}

}  // namespace

void AddFeedback(Router& router, const ApiDependencies& api) {
  Route route{"POST", "/api/v1/feedback", nullptr, {}, false};
  route.handler = [&api](Request&& request, const Responder& respond) {
    Receive(api, std::move(request), respond);
  };
  route.operation.summary = "What people thought of an answer: one object or a list";
  route.operation.request_types = {"application/json"};
  route.operation.answers = {
      {202, "application/json", "{accepted: n}, stored durably"},
      {400, "application/problem+json", "which field is wrong"},
      {429, "application/problem+json", "the backlog is full; send again after Retry-After"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
