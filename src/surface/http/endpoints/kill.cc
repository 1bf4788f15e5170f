// The kill switch, its drill, and the trust records. Anybody may engage the switch: to stop is always safe.
// Releasing takes a person's token and a reason.
#include <fmt/format.h>

#include "respond/render_text.h"
#include "surface/http/endpoints/act_route.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/endpoints/read_caller.h"
#include "surface/http/html.h"
#include "surface/http/json_response.h"
#include "surface/http/problem.h"
#include "surface/http/text_response.h"

namespace tocsin::surface {
namespace {

using nlohmann::json;

std::string StateText(const std::vector<act::KillState>& states) {
  if (states.empty()) return "The kill switch is off: nothing is stopped.\n";
  std::string out;
  for (const act::KillState& state : states)
    out += respond::Wrap(
        fmt::format("since {}, by {}{}: {}", FormatTimeForPeople(state.at), respond::Safe(state.by),
                    state.by_file ? " (the file KILL)" : "", respond::Safe(state.reason)),
        100, fmt::format("{:<16} ", state.scope.ToText()), 17);
  return out;
}

Response Show(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return ProblemResponse(desk.error());
  const auto states = (*desk)->Killed();
  if (WantsText(request)) return TextResponse(StateText(states));
  json list = json::array(), drills = json::array();
  for (const auto& state : states) list.push_back(act::KillStateToJson(state));
  const auto held = (*desk)->KillDrills();
  for (const auto& drill : held.value_or(std::vector<act::KillDrill>{}))
    drills.push_back(act::KillDrillToJson(drill));
  return JsonResponse(json{{"engaged", std::move(list)}, {"drills", std::move(drills)}});
}

// Whoever asks: by token where one is sent (a wrong one is an error), else by the name given, which is only
// words.
Result<act::Caller> Whoever(const ApiDependencies& api, const Request& request, const std::string& name) {
  if (!request.Header("authorization").empty()) return ReadCaller(api, request, "http");
  return act::Caller{name.empty() ? "somebody" : "somebody who says " + name, false, "http"};
}

Result<act::KillState> Throw(act::ActDesk& desk, const std::string& scope, const std::string& reason,
                             bool release, const act::Caller& caller) {
  TOCSIN_ASSIGN_OR_RETURN(const act::KillScope parsed, act::ParseKillScope(scope.empty() ? "all" : scope));
  if (release) return desk.Release(parsed, reason, caller);
  return desk.Kill(parsed, reason.empty() ? "no reason was given" : reason, caller);
}

Response Switch(const ApiDependencies& api, Request& request, bool release) {
  const auto desk = DeskOf(api);
  if (!desk) return ProblemResponse(desk.error());
  const auto body = ReadObject(api, request);
  if (!body) return ProblemResponse(body.error());
  const auto scope = TextIn(*body, "scope", 200), reason = TextIn(*body, "reason", 500),
             by = TextIn(*body, "by", 100);
  for (const auto* text : {&scope, &reason, &by}) {
    if (!*text) return ProblemResponse(text->error());
  }
  const auto caller = release ? ReadCaller(api, request, "http") : Whoever(api, request, *by);
  if (!caller) return ProblemResponse(caller.error());
  const auto state = Throw(**desk, *scope, *reason, release, *caller);
  return state ? JsonResponse(act::KillStateToJson(*state)) : ProblemResponse(state.error());
}

Response Drill(const ApiDependencies& api, Request& request) {
  const auto caller = ReadCaller(api, request, "http");
  if (!caller) return ProblemResponse(caller.error());
  const auto body = ReadObject(api, request);
  if (!body) return ProblemResponse(body.error());
  const json steps = body->value("steps", json(100));
  if (!steps.is_number_integer())
    return ProblemResponse(Status(Code::kInvalidArgument, "steps is a whole number"));
  const auto drill = api.act->DrillKill(steps.get<int>(), *caller);
  return drill ? JsonResponse(act::KillDrillToJson(*drill)) : ProblemResponse(drill.error());
}

Response Page(const ApiDependencies& api, const std::string& said, int status) {
  const auto desk = DeskOf(api);
  const std::string back = "<p><a href=\"/\">All incidents</a></p>\n";
  if (!desk) return HtmlPage("Tocsin", back + "<p>" + EscapeHtml(desk.error().message()) + "</p>", 404);
  std::string body = back + "<h1>Kill switch</h1>\n";
  if (!said.empty()) body += "<p class=\"sev\">" + EscapeHtml(said) + "</p>\n";
  body += "<pre>" + EscapeHtml(StateText((*desk)->Killed())) + "</pre>\n";
  body +=
      "<form method=\"post\" action=\"/kill\"><p><label>What to stop<br><input name=\"scope\" "
      "value=\"agents\" "
      "list=\"scopes\"></label><datalist id=\"scopes\"><option>all<option>agents</datalist></p>\n"
      "<p><label>Reason<br><input name=\"reason\" maxlength=\"500\"></label></p>\n"
      "<p><label>Your token, to release<br><input type=\"password\" name=\"token\"></label></p>\n"
      "<p><button name=\"do\" value=\"engage\">Stop now</button> "
      "<button name=\"do\" value=\"release\">Release</button></p></form>\n"
      "<p class=\"dim\">all, agents, agent:NAME, runbook:ID, action:NAME or incident:ID. When this page is "
      "down: put a file named KILL into the data directory.</p>\n";
  return HtmlPage("Kill switch", body, status);
}

Response PageAnswer(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return Page(api, "", 404);
  const bool release = FormText(request.body, "do") == "release";
  const std::string token = FormText(request.body, "token");
  act::Caller caller{"somebody", false, "page"};
  if (release || !token.empty()) {
    const auto known = (*desk)->Authenticate(token);
    if (!known && release) return Page(api, "Not released: " + known.error().message(), 401);
    if (known) caller = *known, caller.via = "page";
  }
  const auto state =
      Throw(**desk, FormText(request.body, "scope"), FormText(request.body, "reason"), release, caller);
  if (!state) return Page(api, "Not done: " + state.error().message(), HttpStatus(state.error().code()));
  return Page(api, release ? "Released." : "Stopped.", 200);
}

Response Trust(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return ProblemResponse(desk.error());
  const auto records = (*desk)->Trust();
  if (!records) return ProblemResponse(records.error());
  json list = json::array();
  std::string text;
  for (const act::TrustRecord& r : *records) {
    list.push_back(act::TrustToJson(r));
    text += respond::Wrap(
        fmt::format("{} at {}: at most {}{}. Claims {:.0f} held, {:.0f} refuted, {:.0f} open; proposed "
                    "{:.0f}, approved "
                    "{:.0f}, denied {:.0f}, refused {:.0f}; executed {:.0f}, helped {:.0f}, failed {:.0f}, "
                    "undone {:.0f}. "
                    "Right at least {:.0f} % of the time. {}",
                    respond::Safe(r.agent), respond::Safe(r.action_class), act::TierName(r.ceiling),
                    r.promotion_due ? " (its record would allow more: tocsin trust set)" : "", r.claims_held,
                    r.claims_refuted, r.claims_unverifiable, r.proposed, r.approved, r.denied, r.refused,
                    r.executed, r.helped, r.failed, r.undone, r.lower_bound * 100, respond::Safe(r.why)),
        100, "", 4);
  }
  if (!WantsText(request)) return JsonResponse(json{{"records", std::move(list)}});
  return TextResponse(text.empty() ? "No agent has done or proposed anything yet.\n" : text);
}

Response SetTrust(const ApiDependencies& api, Request& request) {
  const auto caller = ReadCaller(api, request, "http");
  if (!caller) return ProblemResponse(caller.error());
  const auto body = ReadObject(api, request);
  if (!body) return ProblemResponse(body.error());
  const auto text = [&](const char* key) { return TextIn(*body, key, 500).value_or(""); };
  act::Tier tier = act::Tier::kApprove;
  if (!act::ParseTier(text("tier"), tier) || tier == act::Tier::kNever)
    return ProblemResponse(Status(Code::kInvalidArgument, "tier is observe, advise, approve or auto"));
  const auto record = api.act->SetTrust(text("agent"), text("class"), tier, text("reason"), *caller);
  return record ? JsonResponse(act::TrustToJson(*record)) : ProblemResponse(record.error());
}

}  // namespace

void AddKill(Router& router, const ApiDependencies& api) {
  const auto add = [&](const char* method, const char* path, std::function<Response(Request&)> handle,
                       const char* summary, const char* type, const char* what) {
    AddActRoute(router, method, path, std::move(handle), summary, {{200, type, what}});
  };
  const char* json_type = "application/json";
  add(
      "GET", "/api/v1/kill", [&api](Request& r) { return Show(api, r); },
      "What the kill switch stops, and its drills", json_type, "{engaged, drills}");
  add(
      "POST", "/api/v1/kill", [&api](Request& r) { return Switch(api, r, false); },
      "Engage the switch: {scope, reason, by}; anybody may", json_type, "what is engaged");
  add(
      "POST", "/api/v1/kill/release", [&api](Request& r) { return Switch(api, r, true); },
      "Release it: {scope, reason}; a person's", json_type, "what was released");
  add(
      "POST", "/api/v1/kill/drill", [&api](Request& r) { return Drill(api, r); },
      "Measure it: holds {steps} steps at once and throws the switch for them", json_type, "the times");
  add(
      "GET", "/kill", [&api](Request&) { return Page(api, "", 200); }, "The switch, for people", "text/html",
      "a page");
  add(
      "POST", "/kill", [&api](Request& r) { return PageAnswer(api, r); }, "The page's form", "text/html",
      "a page");
  add(
      "GET", "/api/v1/trust", [&api](Request& r) { return Trust(api, r); },
      "What each agent's record is worth", json_type, "{records}");
  add(
      "POST", "/api/v1/trust", [&api](Request& r) { return SetTrust(api, r); },
      "Set a ceiling: {agent, class, tier, reason}; a person's", json_type, "the record");
}

}  // namespace tocsin::surface
