#include "surface/http/endpoints/read_caller.h"

#include <fmt/format.h>

#include "respond/notify/slack_interaction.h"
#include "surface/http/endpoints/read_body.h"

namespace tocsin::surface {
namespace {
constexpr size_t kMaxBody = 256u << 10;
}  // namespace

Result<act::ActDesk*> DeskOf(const ApiDependencies& api) {
  if (api.act == nullptr)
    return Error(Code::kFailedPrecondition,
                 "acting is not configured: add 'act' to tocsin.yaml (docs/guides/runbooks.md)");
  return api.act;
}

Result<act::Caller> ReadCaller(const ApiDependencies& api, const Request& request, const std::string& via) {
  TOCSIN_ASSIGN_OR_RETURN(act::ActDesk* const desk, DeskOf(api));
  std::string_view header = request.Header("authorization");
  constexpr std::string_view kBearer = "Bearer ";
  header = header.starts_with(kBearer) ? header.substr(kBearer.size()) : std::string_view();
  TOCSIN_ASSIGN_OR_RETURN(act::Caller caller, desk->Authenticate(header));
  caller.via = via;
  return caller;
}

Result<nlohmann::json> ReadObject(const ApiDependencies& api, Request& request) {
  TOCSIN_RETURN_IF_ERROR(InflateBody(request, api.decode.limits));
  if (request.body.empty()) return nlohmann::json::object();
  if (request.body.size() > kMaxBody) return Error(Code::kOutOfRange, "the body has more than 256 KiB");
  nlohmann::json body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) return Error(Code::kInvalidArgument, "the body is not a JSON object");
  return body;
}

Result<std::string> TextIn(const nlohmann::json& object, const char* key, size_t most) {
  const auto it = object.find(key);
  if (it == object.end()) return std::string();
  if (!it->is_string()) return Error(Code::kInvalidArgument, fmt::format("{} is not a text", key));
  auto text = it->get<std::string>();
  if (text.size() > most)
    return Error(Code::kInvalidArgument, fmt::format("{} has {} bytes, at most {}", key, text.size(), most));
  return text;
}

std::string FormText(const std::string& body, std::string_view name) {
  return respond::FormField(body, name).value_or("");
}

}  // namespace tocsin::surface
