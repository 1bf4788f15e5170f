#include <fmt/format.h>

#include <optional>

#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_body.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

std::optional<Encoding> EncodingOf(const Request& request) {
  const std::string type = request.ContentType();
  if (type == "application/x-protobuf" || type == "application/protobuf") return Encoding::kProtobuf;
  if (type == "application/json") return Encoding::kJson;
  return std::nullopt;
}

const char* MediaType(Encoding encoding) {
  return encoding == Encoding::kJson ? "application/json" : "application/x-protobuf";
}

// OTLP's errors are google.rpc.Status in the client's encoding.
Response ErrorResponse(Encoding encoding, const Status& status) {
  Response response = ProblemResponse(status);  // status and Retry-After
  response.content_type = MediaType(encoding);
  response.body = RpcStatusBody(encoding, status);
  return response;
}

void Receive(const ApiDependencies& api, Signal signal, Request&& request, const Responder& respond) {
  const auto encoding = EncodingOf(request);
  if (!encoding) {
    return respond(
        ProblemResponse(415, fmt::format("Content-Type '{}' is not taken here; send application/x-protobuf "
                                         "or application/json",
                                         request.Header("content-type"))));
  }
  if (const Status status = InflateBody(request, api.decode.limits); !status.ok()) {
    return respond(ErrorResponse(*encoding, status));
  }
  api.receiver.Receive(signal, *encoding, request.body,
                       [signal, encoding = *encoding, respond](const ExportAnswer& answer) {
                         if (!answer.status.ok()) return respond(ErrorResponse(encoding, answer.status));
                         Response response;
                         response.content_type = MediaType(encoding);
                         response.body = ExportResponseBody(signal, encoding, answer);
                         respond(std::move(response));
                       });
}

void Add(Router& router, const ApiDependencies& api, Signal signal, const char* path, const char* summary) {
  Route route{"POST", path, nullptr, {}, false};
  route.handler = [&api, signal](Request&& request, const Responder& respond) {
    Receive(api, signal, std::move(request), respond);
  };
  route.operation.summary = summary;
  route.operation.request_types = {"application/x-protobuf", "application/json"};
  route.operation.answers = {
      {200, "application/json", "stored durably; partialSuccess counts what was left out, and why"},
      {400, "application/json", "nothing of it can be read (google.rpc.Status)"},
      {413, "application/json", "too large, before or after inflating, or too deep"},
      {415, "application/problem+json", "neither protobuf nor JSON"},
      {429, "application/json", "the backlog is full; send again after Retry-After"}};
  router.Add(std::move(route));
}

}  // namespace

void AddExport(Router& router, const ApiDependencies& api) {
  Add(router, api, Signal::kTraces, "/v1/traces", "OTLP traces");
  Add(router, api, Signal::kLogs, "/v1/logs", "OTLP logs");
  Add(router, api, Signal::kMetrics, "/v1/metrics", "OTLP metrics");
}

}  // namespace tocsin::surface
