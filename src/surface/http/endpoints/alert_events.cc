// Alerts from senders that are no Alertmanager: CloudEvents, and any JSON by a mapping of the configuration.
#include "ingest/alert_event_decoder.h"
#include "ingest/alert_mapping.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/receive_alerts.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

void ReceiveMapped(const ApiDependencies& api, Request&& request, const Responder& respond) {
  const std::string name(request.Param("name"));
  const auto mapping = api.alert_mappings.find(name);
  if (mapping == api.alert_mappings.end()) {
    return respond(
        ProblemResponse(Status(Code::kNotFound, "no webhook is called '" + name +
                                                    "': name it under alert_webhooks in tocsin.yaml")));
  }
  ReceiveAlerts(api, std::move(request), respond,
                [&mapped = mapping->second](const Request& body, const ingest::AlertOptions& options) {
                  return ingest::DecodeMappedAlerts(body.body, mapped, options);
                });
}

}  // namespace

void AddAlertEvents(Router& router, const ApiDependencies& api) {
  Route events{"POST", "/api/v1/alerts/cloudevents", nullptr,
               AlertsIn("Alerts as CloudEvents 1.0, one or a batch"), false};
  events.operation.request_types = {"application/cloudevents+json", "application/cloudevents-batch+json",
                                    "application/json"};
  events.handler = [&api](Request&& request, const Responder& respond) {
    ReceiveAlerts(api, std::move(request), respond,
                  [](const Request& event, const ingest::AlertOptions& options) {
                    return ingest::DecodeAlertEvents(event.body, event.headers, options);
                  });
  };
  router.Add(std::move(events));

  Route mapped{"POST", "/api/v1/alerts/webhook/{name}", nullptr,
               AlertsIn("Alerts in a sender's own JSON, read by the mapping of this name"), false};
  mapped.operation.parameters = {{"name", "path", "string", "as under alert_webhooks in the configuration"}};
  mapped.operation.answers.push_back({404, "application/problem+json", "no mapping has this name"});
  mapped.handler = [&api](Request&& request, const Responder& respond) {
    ReceiveMapped(api, std::move(request), respond);
  };
  router.Add(std::move(mapped));
}

}  // namespace tocsin::surface
