#include "surface/http/endpoints/receive_alerts.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

Response Outcome(const ingest::AlertOutcome& outcome) {
  if (outcome.rejected_count == 0) return JsonResponse(nlohmann::json::object());
  std::string detail = fmt::format("{} of the alerts could not be read, {} are in: ", outcome.rejected_count,
                                   outcome.alerts.size());
  for (size_t i = 0; i < std::min<size_t>(outcome.rejected.size(), 10); ++i) {
    detail +=
        fmt::format("{}[{}] {}", i > 0 ? "; " : "", outcome.rejected[i].index, outcome.rejected[i].reason);
  }
  return ProblemResponse(400, detail);
}

}  // namespace

void ReceiveAlerts(const ApiDependencies& api, Request&& request, const Responder& respond,
                   const AlertDecode& decode) {
  if (const Status status = InflateBody(request, api.decode.limits); !status.ok())
    return respond(ProblemResponse(status));
  ingest::AlertOptions options;
  options.decode = DecodeNow(api);
  auto outcome = decode(request, options);
  if (!outcome) return respond(ProblemResponse(outcome.error()));
  Response answer = Outcome(*outcome);
  if (outcome->alerts.empty()) return respond(std::move(answer));
  auto answered = std::make_shared<Response>(std::move(answer));
  api.alerts.Receive(std::move(outcome->alerts), api.clock.Now(), [respond, answered](const Status& status) {
    respond(status.ok() ? std::move(*answered) : ProblemResponse(status));
  });
}

Operation AlertsIn(const char* summary) {
  Operation operation;
  operation.summary = summary;
  operation.request_types = {"application/json"};
  operation.answers = {
      {200, "application/json", "all are in, stored durably"},
      {400, "application/problem+json", "which alerts could not be read, and why; the others are in"},
      {429, "application/problem+json", "the disk does not keep up; send again after Retry-After"}};
  return operation;
}

}  // namespace tocsin::surface
