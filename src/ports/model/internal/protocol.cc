#include "ports/model/internal/protocol.h"

#include <fmt/format.h>

#include "ports/model/internal/bounded_json.h"

namespace tocsin::ports::internal {

ProviderError ReadProviderError(std::string_view body) {
  const auto json = ParseBoundedJson(body);
  const auto& error = MemberOf(json, "error");
  if (error.is_string()) return {"", "", error.get<std::string>()};
  return {TextOf(error, "type"), TextOf(error, "code"), TextOf(error, "message")};
}

Status StreamError(const ProviderError& error) {
  const bool limit = error.type == "rate_limit_error" || error.code == "rate_limit_exceeded";
  const bool ours = error.type == "invalid_request_error";
  const Code code = limit ? Code::kResourceExhausted : ours ? Code::kInvalidArgument : Code::kUnavailable;
  return Status(code,
                fmt::format("the provider ended its answer with an error: {} {}", error.type, error.message));
}

void SetArguments(ModelToolCall& call, std::string text) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return;  // a tool without parameters
  const auto json = ParseBoundedJson(text);
  if (json.is_object()) {
    call.arguments_json = std::move(text);
  } else {
    call.malformed = true;
    call.raw = std::move(text);
  }
}

}  // namespace tocsin::ports::internal
