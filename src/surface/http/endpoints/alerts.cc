// Alertmanager's API v2: alerts in and out, and their groups.
#include <fmt/format.h>

#include <utility>

#include "ingest/alert_decoder.h"
#include "surface/http/alert_json.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/receive_alerts.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"

namespace tocsin::surface {
namespace {

Result<bool> Flag(const Request& request, std::string_view name) {
  const auto value = request.Query(name);
  if (value.empty() || value == "true") return true;
  if (value == "false") return false;
  return Error(Code::kInvalidArgument, fmt::format("{} is '{}', neither true nor false", name, value));
}

Result<respond::AlertQuery> ReadQuery(const Request& request) {
  respond::AlertQuery query;
  TOCSIN_ASSIGN_OR_RETURN(query.active, Flag(request, "active"));
  TOCSIN_ASSIGN_OR_RETURN(query.silenced, Flag(request, "silenced"));
  TOCSIN_ASSIGN_OR_RETURN(query.inhibited, Flag(request, "inhibited"));
  query.receiver = request.Query("receiver");
  TOCSIN_ASSIGN_OR_RETURN(query.filter, ReadMatchers(request));
  return query;
}

constexpr size_t kShownAtOnce = 256;      // alerts written while the desk is held
constexpr size_t kPieceBytes = 1u << 20;  // of an answer: each piece costs two changes of thread

// Shows alerts part by part.
class AlertPieces {
 public:
  AlertPieces(const respond::AlertDesk& desk, respond::AlertQuery query, Time now)
      : desk_(desk), query_(std::move(query)), now_(now) {}

  // The next of `fingerprints` from `at`, with commas between them; false when these were the last.
  bool Append(std::string& out, const std::vector<uint64_t>& fingerprints, size_t& at, bool& first) {
    const size_t end = std::min(fingerprints.size(), at + kShownAtOnce);
    const std::span<const uint64_t> part(fingerprints.data() + at, end - at);
    desk_.Show(part, query_, now_, [&](const respond::ShownAlert& shown) {
      if (!first) out += ',';
      first = false;
      writer_.Append(out, shown);
    });
    at = end;
    return at < fingerprints.size();
  }

 private:
  const respond::AlertDesk& desk_;
  respond::AlertQuery query_;
  Time now_;
  AlertWriter writer_;
};

Response List(const ApiDependencies& api, const Request& request) {
  auto query = ReadQuery(request);
  if (!query) return ProblemResponse(query.error());
  struct State {
    AlertPieces pieces;
    std::vector<uint64_t> found;
    size_t at = 0;
    bool begun = false, first = true;
  };
  auto found = api.alerts.Find(query->filter);
  auto state = std::make_shared<State>(
      State{AlertPieces(api.alerts, *std::move(query), api.clock.Now()), std::move(found)});
  Response response;
  response.stream = [state](std::string& out) {
    if (!std::exchange(state->begun, true)) out += '[';
    bool more = true;
    while (more && out.size() < kPieceBytes)
      more = state->pieces.Append(out, state->found, state->at, state->first);
    if (!more) out += "]\n";
    return more;
  };
  return response;
}

Response Groups(const ApiDependencies& api, const Request& request) {
  auto query = ReadQuery(request);
  if (!query) return ProblemResponse(query.error());
  Response response;
  std::string& out = response.body;
  out = "[";
  const Time now = api.clock.Now();
  const auto groups = api.alerts.Groups(*query, now);
  AlertPieces pieces(api.alerts, *std::move(query), now);
  for (const auto& group : groups) {
    out += out.size() > 1 ? R"(,{"alerts":[)" : R"({"alerts":[)";
    size_t at = 0;
    bool first = true;
    while (pieces.Append(out, group.alerts, at, first)) {
    }
    out += R"(],"labels":)";
    AppendLabels(out, group.labels);
    out += R"(,"receiver":{"name":)";
    AppendJsonText(out, group.receiver);
    out += "}}";
  }
  out += "]\n";
  return response;
}

const std::vector<Operation::Parameter>& QueryParameters() {
  static const std::vector<Operation::Parameter> kParameters = {
      {"filter", "query", "string", "a matcher, as in severity=\"critical\"; may be repeated"},
      {"receiver", "query", "string", "only those told to it"},
      {"active", "query", "boolean", "false: without those that are active"},
      {"silenced", "query", "boolean", "false: without silenced ones"},
      {"inhibited", "query", "boolean", "false: without inhibited ones"}};
  return kParameters;
}

}  // namespace

Result<respond::Matchers> ReadMatchers(const Request& request) {
  respond::Matchers filter;
  for (const auto& [name, value] : request.query) {
    if (name != "filter") continue;
    if (filter.size() >= respond::kMaxMatchers) return Error(Code::kOutOfRange, "more than 64 filters");
    TOCSIN_ASSIGN_OR_RETURN(const auto matchers, respond::ParseMatchers(value));
    filter.insert(filter.end(), matchers.begin(), matchers.end());
  }
  return filter;
}

void AddAlerts(Router& router, const ApiDependencies& api) {
  Route post{"POST", "/api/v2/alerts", nullptr, AlertsIn("Alerts, as Prometheus sends them"), false};
  post.handler = [&api](Request&& request, const Responder& respond) {
    ReceiveAlerts(api, std::move(request), respond,
                  [](const Request& body, const ingest::AlertOptions& options) {
                    return ingest::DecodePostedAlerts(body.body, options);
                  });
  };
  router.Add(std::move(post));

  Route webhook{"POST", "/api/v1/alerts/alertmanager", nullptr,
                AlertsIn("Alerts from another Alertmanager's webhook (version 4)"), false};
  webhook.handler = [&api](Request&& request, const Responder& respond) {
    ReceiveAlerts(api, std::move(request), respond,
                  [](const Request& body, const ingest::AlertOptions& options) {
                    return ingest::DecodeAlertmanagerWebhook(body.body, options);
                  });
  };
  router.Add(std::move(webhook));

  Route list{"GET", "/api/v2/alerts", nullptr, {}, true};
  list.handler = [&api](Request&& request, const Responder& respond) { respond(List(api, request)); };
  list.operation.summary = "Alerts that fire, with what silences or inhibits them";
  list.operation.parameters = QueryParameters();
  list.operation.answers = {{200, "application/json", "a list"},
                            {400, "application/problem+json", "a parameter is wrong"}};
  router.Add(std::move(list));

  Route groups{"GET", "/api/v2/alerts/groups", nullptr, {}, true};
  groups.handler = [&api](Request&& request, const Responder& respond) { respond(Groups(api, request)); };
  groups.operation.summary = "Alerts by group and receiver";
  groups.operation.parameters = QueryParameters();
  groups.operation.answers = {{200, "application/json", "a list"},
                              {400, "application/problem+json", "a parameter is wrong"}};
  router.Add(std::move(groups));
}

}  // namespace tocsin::surface
