#include "surface/mcp/json_rpc.h"

#include <fmt/format.h>

#include <cstdint>

namespace tocsin::surface::mcp {
namespace {

using nlohmann::json;

bool IsId(const json& id) {
  constexpr int64_t kMost = int64_t{1} << 53;  // what every JSON reader keeps exactly
  if (id.is_string()) return id.get_ref<const std::string&>().size() <= kMaxRpcIdBytes;
  if (id.is_number_unsigned()) return id.get<uint64_t>() <= static_cast<uint64_t>(kMost);
  return id.is_number_integer() && id.get<int64_t>() >= -kMost;
}

RpcResult<RpcMessage> ReadMessage(const json& from) {
  if (!from.is_object()) return RpcFail(kInvalidRequest, "a message is a JSON object");
  if (from.value("jsonrpc", json()) != "2.0") return RpcFail(kInvalidRequest, "'jsonrpc' must be \"2.0\"");
  RpcMessage message;
  const auto id = from.find("id");
  if (id != from.end()) {
    if (!IsId(*id)) {
      return RpcFail(kInvalidRequest, fmt::format("'id' must be a whole number or a text of at most {} bytes",
                                                  kMaxRpcIdBytes));
    }
    message.id = *id;
  }
  const auto method = from.find("method");
  if (method == from.end()) {
    if (message.id.is_null() || from.contains("result") == from.contains("error"))
      return RpcFail(kInvalidRequest, "neither a request, a notification, nor an answer");
    message.kind = RpcMessage::Kind::kResponse;
    return message;
  }
  if (!method->is_string() || method->get_ref<const std::string&>().size() > 256)
    return RpcFail(kInvalidRequest, "'method' must be a text of at most 256 bytes");
  message.method = *method;
  if (message.id.is_null()) message.kind = RpcMessage::Kind::kNotification;
  const auto params = from.find("params");
  if (params != from.end()) {
    if (!params->is_object()) return RpcFail(kInvalidRequest, "'params' must be an object");
    message.params = *params;
  }
  return message;
}

}  // namespace

RpcError ToRpcError(const Status& status) {
  switch (status.code()) {
    case Code::kInvalidArgument:
    case Code::kNotFound:
    case Code::kOutOfRange:
      return {kInvalidParams, status.message(), nullptr};
    case Code::kInternal:
    case Code::kDataLoss:
      return {kInternalError, status.message(), nullptr};
    default:
      return {kServerError,
              status.message(),
              {{"code", CodeName(status.code())}, {"retryable", status.retryable()}}};
  }
}

RpcResult<RpcBody> ReadRpc(std::string_view text) {
  if (text.size() > kMaxRpcBytes)
    return RpcFail(kInvalidRequest, fmt::format("the message is larger than {} bytes", kMaxRpcBytes));
  const json parsed = ReadBoundedJson(text, kMaxRpcDepth);
  if (parsed.is_null()) {
    return RpcFail(kParseError, fmt::format("the message is not JSON of at most {} levels", kMaxRpcDepth));
  }
  RpcBody body;
  body.batch = parsed.is_array();
  if (!body.batch) {
    auto one = ReadMessage(parsed);
    if (!one) return tl::unexpected(one.error());
    body.messages.push_back(std::move(*one));
    return body;
  }
  if (parsed.empty() || parsed.size() > kMaxRpcBatch)
    return RpcFail(kInvalidRequest, fmt::format("a batch has 1 to {} messages", kMaxRpcBatch));
  for (const json& element : parsed) {
    auto one = ReadMessage(element);
    if (!one) return tl::unexpected(one.error());
    body.messages.push_back(std::move(*one));
  }
  return body;
}

std::string WriteJson(const json& from) { return from.dump(-1, ' ', false, json::error_handler_t::replace); }

json RpcAnswer(const json& id, json result) {
  return {{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(result)}};
}

json RpcAnswer(const json& id, const RpcError& error) {
  json what{{"code", error.code}, {"message", error.message}};
  if (!error.data.is_null()) what["data"] = error.data;
  return {{"jsonrpc", "2.0"}, {"id", id}, {"error", std::move(what)}};
}

}  // namespace tocsin::surface::mcp
