#include "respond/lifecycle/incident_action.h"

#include <fmt/format.h>

#include "respond/render_incident.h"
#include "respond/render_text.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_body.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;

Result<json> ReadJson(const ApiDependencies& api, Request& request) {
  if (request.ContentType() != "application/json")
    return Error(Code::kInvalidArgument, "send application/json");
  TOCSIN_RETURN_IF_ERROR(InflateBody(request, api.decode.limits));
  constexpr size_t kMaxBytes = 64u << 10;
  if (request.body.size() > kMaxBytes) return Error(Code::kOutOfRange, "the body has more than 64 KiB");
  json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return Error(Code::kInvalidArgument, "the body is not a JSON object");
  return body;
}

// "actor": "kim", or {"name":"copilot","kind":"bot"}.
Result<respond::Actor> ReadActor(const json& body) {
  const auto it = body.find("actor");
  if (it == body.end())
    return Error(Code::kInvalidArgument, "actor is missing: say who does this, as in {\"actor\":\"kim\"}");
  if (it->is_string()) return respond::Actor{it->get<std::string>(), true};
  if (it->is_object() && it->value("name", json()).is_string()) {
    const json kind = it->value("kind", json("person"));
    if (kind != "person" && kind != "bot")
      return Error(Code::kInvalidArgument, "actor.kind is neither person nor bot");
    return respond::Actor{(*it)["name"].get<std::string>(), kind == "person"};
  }
  return Error(Code::kInvalidArgument, "actor is neither a name nor {name, kind}");
}

Response Act(const ApiDependencies& api, Request& request) {
  const auto body = ReadJson(api, request);
  if (!body) return ProblemResponse(body.error());
  const auto actor = ReadActor(*body);
  if (!actor) return ProblemResponse(actor.error());
  const auto action = respond::ParseIncidentAction(*body);
  if (!action) return ProblemResponse(action.error());
  const IncidentId id{std::string(request.Param("id"))};
  const auto view = api.dispatch.Act(id, *action, *actor);
  if (!view) return ProblemResponse(view.error());
  return JsonResponse(json{{"id", id.value}, {"work", respond::ViewToJson(*view)}});
}

Result<respond::Declaration> ReadDeclaration(const json& body) {
  respond::Declaration declaration;
  for (const auto& [key, value] : body.items()) {
    if (key == "actor") continue;
    if (key == "page" && value.is_boolean()) {
      declaration.page = value.get<bool>();
      continue;
    }
    if (!value.is_string()) return Error(Code::kInvalidArgument, key + " is not a text");
    const auto text = value.get<std::string>();
    if (key == "title") {
      declaration.title = text;
    } else if (key == "service") {
      declaration.service = text;
    } else if (key == "severity") {
      declaration.severity = text;
    } else if (key == "onset") {
      const auto onset = ParseTime(text);
      if (!onset) return Error(Status(onset.error()).WithContext("onset"));
      declaration.onset = *onset;
    } else {
      return Error(Code::kInvalidArgument, "an incident is not declared with '" + key + "'");
    }
  }
  return declaration;
}

Response Declare(const ApiDependencies& api, Request& request) {
  const auto body = ReadJson(api, request);
  if (!body) return ProblemResponse(body.error());
  const auto actor = ReadActor(*body);
  if (!actor) return ProblemResponse(actor.error());
  const auto declaration = ReadDeclaration(*body);
  if (!declaration) return ProblemResponse(declaration.error());
  signal::Incident incident;
  const Status status = api.ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
    TOCSIN_ASSIGN_OR_RETURN(incident,
                            respond::DeclareIncident(transaction, *declaration, *actor, api.clock.Now()));
    return {};
  });
  if (!status.ok()) return ProblemResponse(status);
  api.dispatch.Wake();
  return JsonResponse(respond::IncidentToJson(incident, false), 201);
}

std::string TimelineText(const std::vector<signal::Event>& events) {
  std::string out;
  for (const auto& e : events) {
    std::string what;
    const json body = json::parse(e.body_json, nullptr, false);
    if (body.is_object()) {
      for (const auto& [key, value] : body.items()) {
        if (value.is_structured() || value == "" || value == 0 || value == false) continue;
        std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
        std::string name = key;
        if (key.ends_with("_ns") && value.is_number_integer()) {
          name.resize(name.size() - 3);
          shown = FormatTimeForPeople(Time{value.get<int64_t>()});
        }
        what += fmt::format("{}{} {}", what.empty() ? "" : ", ", name, shown);
      }
    }
    const std::string kind = e.kind.starts_with("incident.") ? e.kind.substr(9) : e.kind;
    out += respond::Wrap(fmt::format("{}  {}  {}: {}", FormatTimeForPeople(e.time), respond::Safe(e.actor),
                                     kind, respond::Safe(what)),
                         100, "", 4);
  }
  return out.empty() ? "Nothing has happened yet.\n" : out;
}

Response Timeline(const ApiDependencies& api, const Request& request) {
  const std::string id(request.Param("id"));
  const auto incident = api.ledger.FindIncident(IncidentId{id});
  if (!incident) return ProblemResponse(incident.error());
  if (!*incident) return ProblemResponse(Status(Code::kNotFound, "there is no incident " + id));
  const auto after = request.QueryInt("after", 0, 0, INT64_MAX);
  if (!after) return ProblemResponse(after.error());
  const auto events = api.ledger.Events(id, static_cast<uint64_t>(*after), 1000);
  if (!events) return ProblemResponse(events.error());
  if (WantsText(request)) return TextResponse(TimelineText(*events));
  json list = json::array();
  for (const auto& e : *events) {
    const json body = json::parse(e.body_json, nullptr, false);
    list.push_back({{"seq", e.seq},
                    {"time", FormatTime(e.time)},
                    {"kind", e.kind},
                    {"actor", e.actor},
                    {"body", body.is_discarded() ? json(e.body_json) : body},
                    {"hash", e.hash}});
  }
  return JsonResponse(json{{"events", std::move(list)}});
}

}  // namespace

void AddIncidentActions(Router& router, const ApiDependencies& api) {
  Route act{"POST", "/api/v1/incidents/{id}/actions", nullptr, {}, true};
  act.handler = [&api](Request&& request, const Responder& respond) { respond(Act(api, request)); };
  act.operation.summary = "Work on an incident: acknowledge, assign, close … (docs/formats/incident-actions)";
  act.operation.parameters = {{"id", "path", "string", "its id, as in INC-2K7Q"}};
  act.operation.request_types = {"application/json"};
  act.operation.answers = {
      {200, "application/json", "{id, work}: where the work stands after it"},
      {400, "application/problem+json", "which field is wrong"},
      {403, "application/problem+json", "a person's to do, and the actor is a bot; recorded"},
      {404, "application/problem+json", "no such incident or task"},
      {409, "application/problem+json", "not in this state"}};
  router.Add(std::move(act));

  Route declare{"POST", "/api/v1/incidents", nullptr, {}, true};
  declare.handler = [&api](Request&& request, const Responder& respond) { respond(Declare(api, request)); };
  declare.operation.summary = "Declare an incident: {title, actor, service, severity, onset, page}";
  declare.operation.request_types = {"application/json"};
  declare.operation.answers = {{201, "application/json", "the incident"},
                               {400, "application/problem+json", "which field is wrong"}};
  router.Add(std::move(declare));

  Route timeline{"GET", "/api/v1/incidents/{id}/timeline", nullptr, {}, true};
  timeline.handler = [&api](Request&& request, const Responder& respond) { respond(Timeline(api, request)); };
  timeline.operation.summary = "What happened, oldest first; 1,000 events at most";
  timeline.operation.parameters = {{"id", "path", "string", "its id, as in INC-2K7Q"},
                                   {"after", "query", "integer", "only events after this seq"},
                                   {"format", "query", "string", "'text': a line each, for people"}};
  timeline.operation.answers = {{200, "application/json", "{events: [...]}, each with its chain hash"},
                                {404, "application/problem+json", "no incident has this id"}};
  router.Add(std::move(timeline));
}

}  // namespace tocsin::surface
