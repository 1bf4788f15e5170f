// Who asks, and what, for the endpoints of acting. Pure but for the desk. Errors: kUnauthenticated,
// kFailedPrecondition (acting is not configured), kInvalidArgument, kOutOfRange.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "act/act_desk.h"
#include "surface/http/api_dependencies.h"
#include "surface/http/message.h"

namespace tocsin::surface {

// kFailedPrecondition when nothing is configured to act.
Result<act::ActDesk*> DeskOf(const ApiDependencies& api);
// By "Authorization: Bearer …". `via`: http, page.
Result<act::Caller> ReadCaller(const ApiDependencies& api, const Request& request, const std::string& via);
// A JSON object of at most 256 KiB; an empty body is an empty one.
Result<nlohmann::json> ReadObject(const ApiDependencies& api, Request& request);
// A text of it, "" when absent. kInvalidArgument when it is no text or has more than `most` bytes.
Result<std::string> TextIn(const nlohmann::json& object, const char* key, size_t most = 1000);
// application/x-www-form-urlencoded, of a page's form; "" when absent.
std::string FormText(const std::string& body, std::string_view name);

}  // namespace tocsin::surface
