#include "respond/dispatch/noise_report.h"
#include "respond/dispatch/read_noise.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

// Generations stored in the range: at least as many as the monitors have seen.
Result<double> GenerationsIn(const ApiDependencies& api, Time from, Time to) {
  TOCSIN_ASSIGN_OR_RETURN(
      const auto rows,
      api.telemetry.Query("SELECT count(*) FROM generations WHERE time_ns >= ? AND time_ns < ?",
                          {from.ns, to.ns}, {}));
  if (rows.rows.empty() || rows.rows[0].empty()) return Error(Code::kInternal, "counting gave no number");
  const auto* count = std::get_if<int64_t>(&rows.rows[0][0]);
  if (count == nullptr) return Error(Code::kInternal, "counting gave no number");
  return static_cast<double>(*count);
}

Result<Response> Make(const ApiDependencies& api, const Request& request) {
  const Time now = api.clock.Now();
  Duration since = Duration::Hours(24 * 7);
  if (const auto text = request.Query("since"); !text.empty()) {
    auto parsed = ParseDuration(text);
    if (!parsed) return Error(parsed.error().WithContext("query parameter 'since'"));
    since = *parsed;
  }
  TOCSIN_ASSIGN_OR_RETURN(auto input, respond::ReadNoise(api.ledger, now - since, now));
  TOCSIN_ASSIGN_OR_RETURN(input.generations, GenerationsIn(api, input.from, input.to));
  input.alpha = api.alpha;
  const auto config = api.dispatch.config();
  const auto report = respond::MakeNoiseReport(*config, input);
  if (!WantsText(request)) return JsonResponse(respond::NoiseToJson(report));
  return TextResponse(respond::RenderNoise(report));
}

}  // namespace

void AddNoise(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/api/v1/noise", nullptr, {}, true};
  route.handler = [&api](Request&& request, const Responder& respond) {
    auto response = Make(api, request);
    respond(response ? std::move(*response) : ProblemResponse(response.error()));
  };
  route.operation.summary = "How much people are paged, and whether they act upon it";
  route.operation.parameters = {
      {"since", "query", "string", "how far back, as in 7d or 36h; 7d when absent, at most 92d"},
      {"format", "query", "string", "'text': for people"}};
  route.operation.answers = {
      {200, "application/json", "pages by shift and person, rules, the monitors' budget"},
      {400, "application/problem+json", "since is no duration, or too long"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
