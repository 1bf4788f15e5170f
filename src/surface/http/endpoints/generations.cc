#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/record_json.h"

namespace tocsin::surface {
namespace {

Status ReadTime(const Request& request, std::string_view name, Time& out) {
  const std::string_view text = request.Query(name);
  if (text.empty()) return Status::Ok();
  auto time = ParseTime(text);
  if (!time) return time.error().WithContext(std::string("query parameter '") + std::string(name) + "'");
  out = *time;
  return Status::Ok();
}

Result<store::GenerationFilter> ReadFilter(const Request& request) {
  store::GenerationFilter filter;
  filter.service = request.Query("service");
  filter.prompt_name = request.Query("prompt_name");
  filter.trace_id = request.Query("trace_id");
  TOCSIN_RETURN_IF_ERROR(ReadTime(request, "from", filter.from));
  TOCSIN_RETURN_IF_ERROR(ReadTime(request, "to", filter.to));
  TOCSIN_ASSIGN_OR_RETURN(const int64_t after, request.QueryInt("after_position", 0, 0, INT64_MAX));
  TOCSIN_ASSIGN_OR_RETURN(const int64_t limit, request.QueryInt("limit", 100, 1, 1000));
  filter.after_position = static_cast<uint64_t>(after);
  filter.limit = static_cast<size_t>(limit);
  return filter;
}

Response List(const ApiDependencies& api, const Request& request) {
  const auto filter = ReadFilter(request);
  if (!filter) return ProblemResponse(filter.error());
  const auto found = api.telemetry.Generations(*filter);
  if (!found) return ProblemResponse(found.error());
  auto list = nlohmann::ordered_json::array();
  for (const store::StoredGeneration& stored : *found) {
    auto json = RecordJson(stored.generation);
    json["position"] = stored.position;
    list.push_back(std::move(json));
  }
  return JsonResponse(nlohmann::ordered_json{{"generations", std::move(list)}});
}

}  // namespace

void AddGenerations(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/api/v1/generations", nullptr, {}, true};
  route.handler = [&api](Request&& request, const Responder& respond) { respond(List(api, request)); };
  route.operation.summary = "Stored generations, oldest first";
  route.operation.parameters = {
      {"service", "query", "string", "only of this service"},
      {"prompt_name", "query", "string", "only of this prompt"},
      {"trace_id", "query", "string", "only of this trace (32 hex digits)"},
      {"from", "query", "string", "RFC 3339, inclusive"},
      {"to", "query", "string", "RFC 3339, exclusive"},
      {"after_position", "query", "integer", "only from batches after this position, to read on"},
      {"limit", "query", "integer", "at most so many, 1 to 1000; 100 when absent"}};
  route.operation.answers = {{200, "application/json", "{generations: [...]}, by column name"},
                             {400, "application/problem+json", "a parameter is wrong"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
