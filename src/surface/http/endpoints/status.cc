#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"

namespace tocsin::surface {
namespace {

using Json = nlohmann::ordered_json;

Json StreamJson(const detect::StreamStatus& stream) {
  return {{"stream", stream.stream},
          {"state", stream.state},
          {"generations", stream.generations},
          {"learned", stream.learned},
          {"reference_size", stream.reference_size},
          {"paired", stream.paired},
          {"set_aside", stream.set_aside},
          {"log_e_value", stream.log_e_value},
          {"threshold", stream.threshold},
          {"words", stream.words}};
}

Json Build(const ApiDependencies& api) {
  const store::WriterStats writer = api.writer.Stats();
  const respond::DetectionStats detection = api.detection.Stats();
  const detect::WatcherStatus watching = api.detection.Watching();
  const respond::AlertCounts alerts = api.alerts.Counts();
  const respond::DispatcherStats dispatch = api.dispatch.Stats();
  Json streams = Json::array();
  for (const detect::StreamStatus& stream : watching.streams) streams.push_back(StreamJson(stream));
  return {{"version", api.version},
          {"ready", api.ready()},
          {"time", FormatTime(api.clock.Now())},
          {"ingest",
           {{"durable_position", writer.durable_position},
            {"applied_position", writer.applied_position},
            {"backlog_bytes", writer.backlog_bytes},
            {"max_backlog_bytes", api.decode.limits.max_backlog_bytes},
            {"appended_batches", writer.appended_batches},
            {"refused_batches", writer.refused_batches}}},
          {"detection",
           {{"position", detection.position},
            {"saved_position", detection.saved_position},
            {"generations", detection.generations},
            {"queued_generations", detection.queued_generations},
            {"sampled_out", detection.sampled_out},
            {"kept_share", detection.kept_share},
            {"waiting", watching.waiting},
            {"gaps", detection.gaps},
            {"incidents_opened", detection.incidents_opened},
            {"incident_updates", detection.incident_updates},
            {"ledger_errors", detection.ledger_errors},
            {"last_error", detection.last_error}}},
          {"dispatch",
           {{"alerts", alerts.alerts},
            {"silences", alerts.silences},
            {"failures", dispatch.open_clusters},
            {"sent", dispatch.sender.sent},
            {"tries_failed", dispatch.sender.tries_failed},
            {"errors", dispatch.errors},
            {"last_error", dispatch.last_error}}},
          {"streams", std::move(streams)}};
}

}  // namespace

void AddStatus(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/api/v1/status", nullptr, {}, true};
  route.handler = [&api](Request&&, const Responder& respond) { respond(JsonResponse(Build(api))); };
  route.operation.summary = "Positions, backlog, alerts and messages, what each stream's monitors are doing";
  route.operation.answers = {{200, "application/json", "the state of ingest, detection and streams"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
