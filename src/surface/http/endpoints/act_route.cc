#include "surface/http/endpoints/act_route.h"

#include <utility>

namespace tocsin::surface {

void AddActRoute(Router& router, const std::string& method, const std::string& path,
                 std::function<Response(Request&)> handle, const std::string& summary,
                 std::vector<Operation::Answer> answers, std::vector<Operation::Parameter> parameters) {
  Route route{method, path, nullptr, {}, true};
  route.handler = [handle = std::move(handle)](Request&& request, const Responder& respond) {
    respond(handle(request));
  };
  route.operation.summary = summary;
  if (method == "POST")
    route.operation.request_types = {path.starts_with("/api/") ? "application/json"
                                                               : "application/x-www-form-urlencoded"};
  if (parameters.empty() && path.find("{id}") != std::string::npos)
    parameters = {{"id", "path", "string", "its id"}};
  route.operation.parameters = std::move(parameters);
  route.operation.answers = std::move(answers);
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
