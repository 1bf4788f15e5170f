#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

using Json = nlohmann::ordered_json;

Json OperationJson(const Operation& operation) {
  Json json;
  json["summary"] = operation.summary;
  Json parameters = Json::array();
  for (const Operation::Parameter& parameter : operation.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"in", parameter.in},
                          {"required", parameter.in == "path"},
                          {"description", parameter.description},
                          {"schema", {{"type", parameter.type}}}});
  }
  if (!parameters.empty()) json["parameters"] = std::move(parameters);
  if (!operation.request_types.empty()) {
    Json content;
    for (const std::string& type : operation.request_types) content[type] = {{"schema", Json::object()}};
    json["requestBody"] = {{"required", true}, {"content", std::move(content)}};
  }
  Json answers;
  for (const Operation::Answer& answer : operation.answers) {
    Json& entry = answers[std::to_string(answer.status)];
    entry["description"] = answer.description;
    entry["content"][answer.content_type] = {{"schema", Json::object()}};
  }
  answers["default"] = {
      {"description", "any other error, as problem details (RFC 9457)"},
      {"content", {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
  json["responses"] = std::move(answers);
  return json;
}

Json Document(const Router& router, const std::string& version) {
  Json paths;
  for (const Route& route : router.routes()) {
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    paths[route.path][method] = OperationJson(route.operation);
  }
  Json problem = {{"type", "object"},
                  {"required", {"type", "title", "status", "detail"}},
                  {"properties",
                   {{"type", {{"type", "string"}}},
                    {"title", {{"type", "string"}}},
                    {"status", {{"type", "integer"}}},
                    {"detail", {{"type", "string"}}}}}};
  return {{"openapi", "3.1.0"},
          {"info", {{"title", "Tocsin"}, {"version", version}}},
          {"paths", std::move(paths)},
          {"components", {{"schemas", {{"Problem", std::move(problem)}}}}}};
}

}  // namespace

void AddOpenApi(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/openapi.json", nullptr, {}, false};
  route.operation.summary = "This document";
  route.operation.answers = {{200, "application/json", "OpenAPI 3.1"}};
  Router described = router;
  described.Add(route);
  const std::string body = Document(described, api.version).dump(2) + "\n";
  route.handler = [body](Request&&, const Responder& respond) {
    Response response;
    response.body = body;
    respond(std::move(response));
  };
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
