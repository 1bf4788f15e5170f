// Tools that read incidents, what is known about them, and claims.
#include <fmt/format.h>

#include "claims/claim_json.h"
#include "investigate/context/context_render.h"
#include "investigate/investigation_desk.h"
#include "respond/dispatch/paging_status.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/render_incident.h"
#include "surface/mcp/tool_table.h"

namespace tocsin::surface::mcp {
namespace {

using nlohmann::json;

constexpr size_t kMaxClaimsAtOnce = 20;

json IncidentSchema() { return TextSchema("the incident's id, as in INC-2K7Q", 64); }

ToolResult ListIncidents(const ToolCall& call) {
  store::IncidentFilter filter;
  filter.state = TextOf(call.arguments, "state");
  filter.service = TextOf(call.arguments, "service");
  filter.limit = static_cast<size_t>(CountOf(call.arguments, "limit", 20));
  const auto found = call.sources.ledger.FindIncidents(filter);
  if (!found) return ToolFailure(found.error());
  ToolAnswer answer;
  json list = json::array();
  for (const auto& incident : *found) list.push_back(respond::IncidentToJson(incident, false));
  answer.text = fmt::format("{} incidents, newest first.", list.size());
  answer.page = respond::RenderIncidentList(*found);
  answer.data = {{"incidents", std::move(list)}};
  return answer;
}

ToolResult GetIncident(const ToolCall& call) {
  const IncidentId id{TextOf(call.arguments, "incident")};
  const auto incident = call.sources.ledger.FindIncident(id);
  if (!incident) return ToolFailure(incident.error());
  if (!*incident) return ToolFailure(Status(Code::kNotFound, "there is no incident of this id"));
  const auto work = respond::ReadView(call.sources.ledger, **incident);
  if (!work) return ToolFailure(work.error());
  const auto paging = respond::ReadPaging(call.sources.ledger, id);
  if (!paging) return ToolFailure(paging.error());
  ToolAnswer answer;
  answer.text = fmt::format("Incident {}.", (*incident)->id.value);
  answer.page = respond::RenderIncident(**incident);
  const std::string people = respond::RenderView(*work, call.sources.clock.Now(), 80);
  if (!people.empty()) answer.page += "\n" + people;
  answer.data = respond::IncidentToJson(**incident, true);
  answer.data["work"] = respond::ViewToJson(*work);
  answer.data["paging"] = respond::PagingToJson(*paging);
  return answer;
}

ToolResult GetContext(const ToolCall& call) {
  const auto pack = call.sources.investigations.Context(IncidentId{TextOf(call.arguments, "incident")});
  if (!pack) return ToolFailure(pack.error());
  const std::string section = TextOf(call.arguments, "section");
  json data = json(investigate::ContextToJson(*pack));
  ToolAnswer answer;
  answer.text = fmt::format("What is known about {}, gathered now.", pack->incident.id.value);
  if (!section.empty()) {
    const auto* wanted = pack->Find(section);
    if (wanted == nullptr)
      return ToolFailure(Status(Code::kInvalidArgument, "the context pack has no such section"));
    for (const auto& line : wanted->lines) answer.page += line.text + "\n";
    if (data.contains("sections") && data["sections"].is_array()) {
      std::erase_if(data["sections"].get_ref<json::array_t&>(),
                    [&](const json& one) { return !one.is_object() || one.value("name", "") != section; });
    }
  } else {
    answer.page = investigate::RenderContext(*pack);
  }
  answer.data = std::move(data);
  return answer;
}

ToolResult GetBrief(const ToolCall& call) {
  const auto brief = call.sources.investigations.Stored(IncidentId{TextOf(call.arguments, "incident")});
  if (!brief) return ToolFailure(brief.error());
  if (!*brief)
    return ToolFailure(Status(Code::kNotFound, "this incident has no brief, or there is no such incident"));
  ToolAnswer answer;
  answer.text =
      "The newest brief. What is under 'proven' held when its claim was run; 'prose' is a model's, "
      "unverified.";
  answer.page = investigate::RenderBrief(**brief);
  answer.data = json(investigate::BriefToJson(**brief));
  return answer;
}

ToolResult CheckClaims(const ToolCall& call) {
  const auto claims = claims::ReadClaims(call.arguments.at("claims"));
  if (!claims) return ToolFailure(claims.error());
  ToolAnswer answer;
  json results = json::array();
  size_t counts[3] = {0, 0, 0};
  for (const auto& line : call.sources.investigations.Check(*claims)) {
    json one = json(claims::WriteVerdict(line.verdict));
    one["claim_id"] = claims::ClaimIdOf(*line.claim);
    one["kind"] = claims::KindOf(*line.claim);
    one["text"] = line.text;
    answer.page +=
        fmt::format("{}: {} ({})\n", claims::VerdictName(line.verdict.kind), line.text, line.verdict.why);
    results.push_back(std::move(one));
    ++counts[static_cast<size_t>(line.verdict.kind)];
  }
  answer.text = fmt::format("{} verified, {} refuted, {} unverifiable.", counts[0], counts[1], counts[2]);
  answer.data = {{"verified", counts[0]},
                 {"refuted", counts[1]},
                 {"unverifiable", counts[2]},
                 {"results", std::move(results)}};
  return answer;
}

json ClaimsSchema() {
  json schema = ObjectSchema({{"claims",
                               {{"type", "array"},
                                {"description", "what you believe, each run over the stored telemetry"},
                                {"items", {{"$ref", "#/$defs/claim"}}},
                                {"minItems", 1},
                                {"maxItems", kMaxClaimsAtOnce}}}},
                             {"claims"});
  schema["$defs"] = json(claims::OneClaimSchema()["$defs"]);
  return schema;
}

Tool Reads(const char* name, const char* title, const char* about, json schema,
           std::function<ToolResult(const ToolCall&)> run) {
  Tool tool;
  tool.name = name;
  tool.title = title;
  tool.about = about;
  tool.input_schema = std::move(schema);
  tool.run = std::move(run);
  return tool;
}

}  // namespace

void AddIncidentTools(std::vector<Tool>& tools) {
  tools.push_back(Reads(
      "list_incidents", "List incidents", "Incidents, newest first, without their evidence.",
      ObjectSchema({{"state", TextSchema("one state, or 'active': any but closed, merged, false_alarm", 32)},
                    {"service", TextSchema("only of this service")},
                    {"limit", CountSchema("at most so many; 20 when absent", 1, 100)}}),
      ListIncidents));
  tools.push_back(Reads("get_incident", "Read an incident",
                        "One incident with its evidence, who works on it and who was paged.",
                        ObjectSchema({{"incident", IncidentSchema()}}, {"incident"}), GetIncident));
  tools.push_back(
      Reads("get_context", "Gather what is known about an incident",
            "The context pack: onset, affected services, alerts, changes, logs, calls, metrics, behaviour, "
            "exemplars, similar incidents, runbooks, people. Takes seconds.",
            ObjectSchema(
                {{"incident", IncidentSchema()}, {"section", TextSchema("only this section, in full", 32)}},
                {"incident"}),
            GetContext));
  tools.push_back(Reads("get_brief", "Read the brief of an incident",
                        "What was stated about an incident, each line with the verdict of its claim, and the "
                        "causes that fit.",
                        ObjectSchema({{"incident", IncidentSchema()}}, {"incident"}), GetBrief));
  tools.push_back(
      Reads("check_claims", "Run claims",
            "Runs typed claims over the stored telemetry: each is verified, refuted or "
            "unverifiable, with the observed value. State nothing to people that was not verified.",
            ClaimsSchema(), CheckClaims));
}

}  // namespace tocsin::surface::mcp
