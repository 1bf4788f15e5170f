// JSON-RPC 2.0 as MCP uses it: messages read from hostile text, and answers written.
//
// Bounds: kMaxRpcBytes a body, kMaxRpcDepth levels, kMaxRpcBatch messages of a batch, ids of kMaxRpcIdBytes.
// Pure; thread-safe. Errors are RpcError, which is what the other side is told.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "kernel/status.h"
#include "ports/mcp/mcp_wire.h"

namespace tocsin::surface::mcp {

inline constexpr size_t kMaxRpcBytes = 1u << 20;
inline constexpr int kMaxRpcDepth = 48;
inline constexpr size_t kMaxRpcBatch = 32;
inline constexpr size_t kMaxRpcIdBytes = 256;

using namespace ports::mcp;  // error codes and names of the wire

struct RpcError {
  int code = kInternalError;
  std::string message;
  nlohmann::json data;  // null: none
};
template <class T>
using RpcResult = tl::expected<T, RpcError>;
inline tl::unexpected<RpcError> RpcFail(int code, std::string message, nlohmann::json data = nullptr) {
  return tl::unexpected<RpcError>(RpcError{code, std::move(message), std::move(data)});
}
// What a Status is called in JSON-RPC.
RpcError ToRpcError(const Status& status);

struct RpcMessage {
  enum class Kind { kRequest, kNotification, kResponse };
  Kind kind = Kind::kRequest;
  nlohmann::json id;   // text or whole number; null unless a request or response
  std::string method;  // "" of a response
  nlohmann::json params = nlohmann::json::object();  // always an object
};

struct RpcBody {
  bool batch = false;
  std::vector<RpcMessage> messages;  // at least one
};

// kParseError when it is no JSON, or nested too deeply; kInvalidRequest when it is no JSON-RPC message, when
// an id is neither a text nor a whole number, or when params are a list.
RpcResult<RpcBody> ReadRpc(std::string_view text);

// On one line, whatever bytes it holds.
std::string WriteJson(const nlohmann::json& json);
nlohmann::json RpcAnswer(const nlohmann::json& id, nlohmann::json result);
nlohmann::json RpcAnswer(const nlohmann::json& id, const RpcError& error);

}  // namespace tocsin::surface::mcp
