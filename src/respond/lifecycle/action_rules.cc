#include "respond/lifecycle/action_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace tocsin::respond {
namespace {

using nlohmann::json;
using Names = std::vector<std::string_view>;

struct Rule {
  std::string_view action;
  bool persons_only;
  Names texts;    // fields that are text; a leading '!' means required
  Names numbers;  // fields that are numbers
};

const std::vector<Rule>& Rules() {
  static const std::vector<Rule> kRules = {
      {"acknowledge", true, {}, {}},
      {"snooze", true, {"!for"}, {}},
      {"unacknowledge", true, {"reason"}, {}},
      {"escalate", true, {"!policy", "reason"}, {}},
      {"split", true, {"!services", "reason"}, {}},
      {"triage", false, {"reason"}, {}},
      {"mitigate", false, {"reason"}, {}},
      {"monitor", false, {"reason"}, {}},
      {"close", true, {"!reason", "certificate"}, {}},
      {"false_alarm", true, {"!reason"}, {}},
      {"reopen", true, {"!reason"}, {}},
      {"merge", true, {"!into", "reason"}, {}},
      {"assign", false, {"!role", "!person"}, {}},
      {"severity", true, {"severity", "harm", "reason"}, {"rate", "people", "budget_burn"}},
      {"note", false, {"!text"}, {}},
      {"task", false, {"!text", "track", "assignee"}, {}},
      {"task_done", false, {}, {"number"}},
      {"track", false, {"!track", "owner", "status", "next_in"}, {}},
      {"link", false, {"!url", "title"}, {}},
      {"factor", false, {"!surface", "!text", "claim"}, {}},
      {"clock", false, {"!clock"}, {}},
  };
  return kRules;
}

const Rule* FindRule(std::string_view action) {
  const auto it = std::ranges::find(Rules(), action, &Rule::action);
  return it == Rules().end() ? nullptr : &*it;
}

std::string Bare(std::string_view name) { return std::string(name.starts_with('!') ? name.substr(1) : name); }

bool Has(const Names& names, std::string_view name) {
  return std::ranges::any_of(names, [&](std::string_view n) { return Bare(n) == name; });
}

std::string Field(const IncidentAction& action, const char* name) {
  const auto it = action.text.find(name);
  return it == action.text.end() ? std::string() : it->second;
}

double Number(const IncidentAction& action, const char* name) {
  const auto it = action.number.find(name);
  return it == action.number.end() ? 0 : it->second;
}

constexpr std::array<std::string_view, 4> kRoles{"commander", "engineering", "communication", "scribe"};
constexpr std::array<std::string_view, 2> kTracks{"engineering", "communication"};
constexpr std::array<std::string_view, 2> kClocks{"context_ready", "runbook_chosen"};
constexpr std::array<std::string_view, 9> kSurfaces{"model",   "prompt",    "retrieval",  "tools", "sampling",
                                                    "traffic", "evaluator", "dependency", "data"};
constexpr std::array<std::string_view, 4> kOrder{"open", "triaged", "mitigating", "monitoring"};

template <size_t N>
Status OneOf(const char* field, const std::string& value, const std::array<std::string_view, N>& allowed) {
  if (std::ranges::find(allowed, value) != allowed.end()) return {};
  std::string list;
  for (const auto a : allowed) list += (list.empty() ? "" : ", ") + std::string(a);
  return {Code::kInvalidArgument, fmt::format("{} is '{}', not one of {}", field, value, list)};
}

Result<PlannedEvent> ToState(const IncidentView& view, const char* to, const IncidentAction& action) {
  const bool reopen = action.action == "reopen";
  if (reopen != signal::IsOver(view.state)) {
    return Error(Code::kFailedPrecondition, reopen ? "it is " + view.state + ", which needs no opening again"
                                                   : "it is " + view.state + " already: reopen it first");
  }
  if (view.state == to) return Error(Code::kFailedPrecondition, fmt::format("it is {} already", to));
  const auto from_at = std::ranges::find(kOrder, view.state);
  const auto to_at = std::ranges::find(kOrder, std::string_view(to));
  if (!reopen && to_at != kOrder.end() && to_at + 1 < from_at) {
    return Error(Code::kFailedPrecondition,
                 fmt::format("from {} back to {} is more than one step", view.state, to));
  }
  PlannedEvent planned{"incident.state", {{"from", view.state}, {"to", to}}};
  for (const char* name : {"reason", "into", "certificate"}) {
    if (const auto text = Field(action, name); !text.empty()) planned.body[name] = text;
  }
  if (std::string_view(to) == "closed") planned.body["override"] = Field(action, "certificate").empty();
  return planned;
}

Result<PlannedEvent> Severity(const IncidentAction& action) {
  const Harm harm{Field(action, "harm"), Number(action, "rate"), Number(action, "people"),
                  Number(action, "budget_burn")};
  TOCSIN_RETURN_IF_ERROR(CheckHarm(harm));
  std::string severity = Field(action, "severity");
  if (severity.empty() && harm == Harm{})
    return Error(Code::kInvalidArgument, "severity: give it, or harm with rate and people, or budget_burn");
  if (severity.empty()) severity = SeverityOf(harm);
  if (!KnownSeverity(severity))
    return Error(Code::kInvalidArgument, "severity is '" + severity + "', not sev1 to sev4");
  return PlannedEvent{"incident.severity",
                      {{"severity", severity},
                       {"harm", harm.harm_class},
                       {"rate", harm.rate},
                       {"people", harm.people},
                       {"budget_burn", harm.budget_burn},
                       {"reason", Field(action, "reason")}}};
}

Result<PlannedEvent> Task(const IncidentView& view, const IncidentAction& action) {
  if (action.action == "task_done") {
    const auto number = static_cast<int64_t>(Number(action, "number"));
    const auto task = std::ranges::find(view.tasks, number, &IncidentTask::number);
    if (task == view.tasks.end()) return Error(Code::kNotFound, fmt::format("there is no task {}", number));
    if (task->done) return Error(Code::kFailedPrecondition, fmt::format("task {} is done already", number));
    return PlannedEvent{"incident.task_done", {{"number", number}}};
  }
  if (view.tasks.size() >= kMaxActionItems) return Error(Code::kResourceExhausted, "it has 500 tasks");
  const std::string track = Field(action, "track").empty() ? "engineering" : Field(action, "track");
  TOCSIN_RETURN_IF_ERROR(OneOf("track", track, kTracks));
  const int64_t number = view.tasks.empty() ? 1 : view.tasks.back().number + 1;
  return PlannedEvent{"incident.task_added",
                      {{"number", number},
                       {"text", Field(action, "text")},
                       {"track", track},
                       {"assignee", Field(action, "assignee")}}};
}

Result<PlannedEvent> Track(const IncidentAction& action, Time now) {
  TOCSIN_RETURN_IF_ERROR(OneOf("track", Field(action, "track"), kTracks));
  int64_t due = 0;
  if (const auto in = Field(action, "next_in"); !in.empty()) {
    const auto duration = ParseDuration(in);
    if (!duration) return Error(Status(duration.error()).WithContext("next_in"));
    due = (now + *duration).ns;
  }
  return PlannedEvent{"incident.track",
                      {{"track", Field(action, "track")},
                       {"owner", Field(action, "owner")},
                       {"status", Field(action, "status")},
                       {"next_due_ns", due}}};
}

Result<PlannedEvent> Link(const IncidentView& view, const IncidentAction& action) {
  const std::string url = Field(action, "url");
  if (!url.starts_with("https://") && !url.starts_with("http://"))
    return Error(Code::kInvalidArgument, "url is not an http or https address");
  if (view.links.size() >= kMaxActionItems) return Error(Code::kResourceExhausted, "it has 500 links");
  return PlannedEvent{"incident.linked", {{"url", url}, {"title", Field(action, "title")}}};
}

Result<PlannedEvent> Factor(const IncidentView& view, const IncidentAction& action) {
  TOCSIN_RETURN_IF_ERROR(OneOf("surface", Field(action, "surface"), kSurfaces));
  if (view.factors.size() >= kMaxActionItems) return Error(Code::kResourceExhausted, "it has 500 factors");
  return PlannedEvent{"incident.factor",
                      {{"surface", Field(action, "surface")},
                       {"text", Field(action, "text")},
                       {"claim", Field(action, "claim")}}};
}

// What changes who is paged; the pages themselves follow in respond/dispatch.
Result<PlannedEvent> Paging(const IncidentView& view, const IncidentAction& action, Time now) {
  if (signal::IsOver(view.state)) return Error(Code::kFailedPrecondition, "it is " + view.state);
  if (action.action == "unacknowledge")
    return PlannedEvent{"incident.unacknowledged", {{"reason", Field(action, "reason")}}};
  if (action.action == "escalate")
    return PlannedEvent{"incident.escalated",
                        {{"policy", Field(action, "policy")}, {"reason", Field(action, "reason")}}};
  if (action.action == "split")
    return PlannedEvent{"incident.split", {{"services", Field(action, "services")}}};
  const auto span = ParseDuration(Field(action, "for"));
  if (!span) return Error(Status(span.error()).WithContext("for"));
  return PlannedEvent{"incident.snoozed", {{"until_ns", (now + *span).ns}, {"for", Field(action, "for")}}};
}

}  // namespace

bool KnownSeverity(std::string_view severity) {
  return severity == "sev1" || severity == "sev2" || severity == "sev3" || severity == "sev4";
}

Status CheckActor(const IncidentAction& action, const Actor& actor) {
  if (actor.name.empty()) return {Code::kInvalidArgument, "actor has no name: who does this?"};
  if (actor.name.size() > 200) return {Code::kInvalidArgument, "actor has more than 200 bytes"};
  const Rule* rule = FindRule(action.action);
  const bool own = actor.own && action.action == "merge";
  if (rule != nullptr && rule->persons_only && !actor.person && !own) {
    return {Code::kPermissionDenied, action.action + " is a person's to do, and " + actor.name + " is none"};
  }
  return {};
}

Result<PlannedEvent> PlanEvent(const IncidentView& view, const IncidentAction& action, Time now) {
  const std::string& a = action.action;
  if (a == "acknowledge") {
    if (signal::IsOver(view.state)) return Error(Code::kFailedPrecondition, "it is " + view.state);
    return PlannedEvent{"incident.acknowledged", json::object()};
  }
  if (a == "snooze" || a == "unacknowledge" || a == "escalate" || a == "split")
    return Paging(view, action, now);
  if (a == "triage") return ToState(view, "triaged", action);
  if (a == "mitigate") return ToState(view, "mitigating", action);
  if (a == "monitor") return ToState(view, "monitoring", action);
  if (a == "close") return ToState(view, "closed", action);
  if (a == "false_alarm") return ToState(view, "false_alarm", action);
  if (a == "merge") return ToState(view, "merged", action);
  if (a == "reopen") return ToState(view, "open", action);
  if (a == "severity") return Severity(action);
  if (a == "task" || a == "task_done") return Task(view, action);
  if (a == "track") return Track(action, now);
  if (a == "link") return Link(view, action);
  if (a == "factor") return Factor(view, action);
  if (a == "note") return PlannedEvent{"incident.noted", {{"text", Field(action, "text")}}};
  if (a == "assign") {
    TOCSIN_RETURN_IF_ERROR(OneOf("role", Field(action, "role"), kRoles));
    return PlannedEvent{"incident.assigned",
                        {{"role", Field(action, "role")}, {"person", Field(action, "person")}}};
  }
  if (a == "clock") {
    TOCSIN_RETURN_IF_ERROR(OneOf("clock", Field(action, "clock"), kClocks));
    return PlannedEvent{"incident.clock", {{"clock", Field(action, "clock")}}};
  }
  return Error(Code::kInvalidArgument, "no action is called " + a);
}

Result<IncidentAction> ParseIncidentAction(const json& in) {
  if (!in.is_object()) return Error(Code::kInvalidArgument, "an action is a JSON object");
  IncidentAction action;
  const auto name = in.find("action");
  if (name == in.end() || !name->is_string())
    return Error(Code::kInvalidArgument, "action is missing: say what to do, as in {\"action\":\"note\"}");
  action.action = name->get<std::string>();
  const Rule* rule = FindRule(action.action);
  if (rule == nullptr) {
    std::string list;
    for (const auto& r : Rules()) list += (list.empty() ? "" : ", ") + std::string(r.action);
    return Error(Code::kInvalidArgument, "no action is called '" + action.action + "'; there are: " + list);
  }
  for (const auto& [key, value] : in.items()) {
    if (key == "action" || key == "actor") continue;
    if (Has(rule->texts, key)) {
      if (!value.is_string()) return Error(Code::kInvalidArgument, key + " is not a text");
      if (value.get_ref<const std::string&>().size() > kMaxActionText)
        return Error(Code::kOutOfRange, fmt::format("{} has more than {} bytes", key, kMaxActionText));
      action.text[key] = value.get<std::string>();
    } else if (Has(rule->numbers, key)) {
      if (!value.is_number()) return Error(Code::kInvalidArgument, key + " is not a number");
      action.number[key] = value.get<double>();
    } else {
      return Error(Code::kInvalidArgument, fmt::format("{} has no field '{}'", action.action, key));
    }
  }
  for (const auto name_of : rule->texts) {
    if (name_of.starts_with('!') && Field(action, Bare(name_of).c_str()).empty())
      return Error(Code::kInvalidArgument, fmt::format("{} needs '{}'", action.action, Bare(name_of)));
  }
  return action;
}

}  // namespace tocsin::respond
