#include <nlohmann/json.hpp>

#include "otlp.pb.h"
#include "surface/http/problem.h"
#include "surface/telemetry_receiver.h"

namespace tocsin::surface {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

const char* RejectedName(Signal signal) {
  switch (signal) {
    case Signal::kTraces:
      return "rejectedSpans";
    case Signal::kLogs:
      return "rejectedLogRecords";
    case Signal::kMetrics:
      return "rejectedDataPoints";
  }
  return "rejectedSpans";
}

}  // namespace

std::string ExportResponseBody(Signal signal, Encoding encoding, const ExportAnswer& answer) {
  const bool partial = answer.rejected > 0 || !answer.message.empty();
  if (encoding == Encoding::kJson) {
    Json json = Json::object();
    if (partial) {
      json["partialSuccess"] = {{RejectedName(signal), std::to_string(answer.rejected)},
                                {"errorMessage", answer.message}};
    }
    return Dump(json);
  }
  otlp::ExportResponse response;
  if (partial) {
    response.mutable_partial_success()->set_rejected(answer.rejected);
    response.mutable_partial_success()->set_error_message(answer.message);
  }
  return response.SerializeAsString();
}

std::string RpcStatusBody(Encoding encoding, const Status& status) {
  if (encoding == Encoding::kJson) {
    return Dump({{"code", static_cast<int>(status.code())}, {"message", status.message()}});
  }
  otlp::RpcStatus body;
  body.set_code(static_cast<int>(status.code()));
  body.set_message(status.message());
  if (status.retryable()) {
    otlp::RetryInfo info;
    info.mutable_retry_delay()->set_seconds(kRetryAfterSeconds);
    auto* detail = body.add_details();
    detail->set_type_url("type.googleapis.com/google.rpc.RetryInfo");
    detail->set_value(info.SerializeAsString());
  }
  return body.SerializeAsString();
}

}  // namespace tocsin::surface
