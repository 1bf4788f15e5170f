#include "ingest/alert_decoder.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_body.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

Response Accepted(const ingest::PagerDutyEvent& event) {
  Response response;
  response.status = 202;
  response.body = ingest::EncodePagerDutyReply(event);
  return response;
}

void Receive(const ApiDependencies& api, Request&& request, const Responder& respond) {
  if (const Status status = InflateBody(request, api.decode.limits); !status.ok())
    return respond(ProblemResponse(status));
  ingest::AlertOptions options;
  options.decode = DecodeNow(api);
  auto event = ingest::DecodePagerDutyEvent(request.body, options);
  if (!event) return respond(ProblemResponse(event.error()));
  Response accepted = Accepted(*event);
  if (event->action == ingest::AlertAction::kResolve) {
    const Status status = api.alerts.Resolve(event->fingerprint, api.clock.Now());
    // As PagerDuty: what is not open needs no closing.
    if (!status.ok() && status.code() != Code::kNotFound) return respond(ProblemResponse(status));
  }
  // An acknowledgement by a program is received and changes nothing: only a person on call acknowledges.
  if (!event->alert) return respond(std::move(accepted));
  std::vector<signal::Alert> alerts;
  alerts.push_back(std::move(*event->alert));
  auto answer = std::make_shared<Response>(std::move(accepted));
  api.alerts.Receive(std::move(alerts), api.clock.Now(), [respond, answer](const Status& status) {
    respond(status.ok() ? std::move(*answer) : ProblemResponse(status));
  });
}

}  // namespace

void AddPagerDuty(Router& router, const ApiDependencies& api) {
  Route route{"POST", "/v2/enqueue", nullptr, {}, true};
  route.handler = [&api](Request&& request, const Responder& respond) {
    Receive(api, std::move(request), respond);
  };
  route.operation.summary = "An alert as PagerDuty's Events API v2 takes it: trigger, acknowledge, resolve";
  route.operation.request_types = {"application/json"};
  route.operation.answers = {{202, "application/json", "{status, message, dedup_key}, stored durably"},
                             {400, "application/problem+json", "which field is wrong"},
                             {429, "application/problem+json", "send again after Retry-After"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
