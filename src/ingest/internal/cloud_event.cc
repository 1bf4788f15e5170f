#include "ingest/internal/cloud_event.h"

#include "kernel/ascii.h"
#include "kernel/id.h"

namespace tocsin::ingest::internal {
namespace {

constexpr size_t kMaxHeaderAttributes = 64;

std::string PercentDecode(std::string_view text) {
  std::string out, byte;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDecode(text.substr(i + 1, 2), byte) && byte.size() == 1) {
      out += byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<Json> BinaryEvent(std::string_view body, const HeaderList& headers, const std::string& content_type,
                         const DecodeOptions& options) {
  Json event = Json::object();
  for (const auto& [name, value] : headers) {
    const std::string lower = LowerAscii(name);
    if (lower.starts_with("ce-") && lower.size() > 3 && event.size() < kMaxHeaderAttributes) {
      event[lower.substr(3)] = PercentDecode(value);
    }
  }
  if (body.empty()) return event;
  if (content_type.empty() || content_type.find("json") != std::string::npos) {
    TOCSIN_ASSIGN_OR_RETURN(event["data"], ParseDocument(body, options.limits));
  } else {
    event["data"] = std::string(body);
  }
  return event;
}

}  // namespace

Result<CloudEvents> ReadCloudEvents(std::string_view body, const HeaderList& headers,
                                    const DecodeOptions& options) {
  if (body.size() > options.limits.max_request_bytes) {
    return Error(Code::kOutOfRange,
                 "body: larger than " + std::to_string(options.limits.max_request_bytes) + " bytes");
  }
  std::string content_type;
  for (const auto& [name, value] : headers) {
    if (LowerAscii(name) == "content-type") content_type = LowerAscii(value);
  }
  CloudEvents out;
  if (content_type.starts_with("application/cloudevents-batch")) {
    TOCSIN_ASSIGN_OR_RETURN(Json batch, ParseDocument(body, options.limits));
    if (!batch.is_array()) return Error(Code::kInvalidArgument, "body: must be an array of events");
    if (batch.size() > options.limits.max_items_per_request)
      return Error(Code::kOutOfRange, "body: too many events");
    out.batch = true;
    out.events.assign(std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
    return out;
  }
  Result<Json> event = content_type.starts_with("application/cloudevents")
                           ? ParseDocument(body, options.limits)
                           : BinaryEvent(body, headers, content_type, options);
  if (!event.has_value()) return Error(event.error());
  out.events.push_back(std::move(*event));
  return out;
}

}  // namespace tocsin::ingest::internal
