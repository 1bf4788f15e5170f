// Runbooks and their runs: listed, looked at, proposed, stopped, undone, settled.
#include <fmt/format.h>

#include "act/plan/plan_json.h"
#include "act/runbook/render_plan.h"
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

Response TextOrJson(const Request& request, const json& as_json, const std::string& text) {
  return WantsText(request) ? TextResponse(text) : JsonResponse(as_json);
}

json RunbookJson(const act::RunbookLibrary& library, const act::Runbook& runbook) {
  json inputs = json::object();
  for (const act::RunbookInput& input : runbook.inputs)
    inputs[input.name] = {{"type", act::ValueTypeToJson(input.type)},
                          {"about", input.about},
                          {"required", input.required},
                          {"default", input.fallback},
                          {"from", input.from}};
  return {
      {"id", runbook.id},
      {"title", runbook.title},
      {"about", runbook.about},
      {"owner", runbook.owner},
      {"version", library.VersionOf(runbook.id)},
      {"advise_only", runbook.advise_only},
      {"last_validated", runbook.last_validated.known() ? json(FormatTime(runbook.last_validated)) : json()},
      {"inputs", std::move(inputs)}};
}

Response ListRunbooks(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return ProblemResponse(desk.error());
  const auto library = (*desk)->runbooks();
  json list = json::array(), problems = json::array();
  std::string text;
  if (library) {
    for (const act::Runbook* runbook : library->All()) {
      list.push_back(RunbookJson(*library, *runbook));
      text += respond::Wrap(respond::Safe(runbook->title), 100, fmt::format("{:<24} ", runbook->id), 25);
    }
    for (const Status& problem : library->problems()) problems.push_back(problem.message());
  }
  if (text.empty()) text = "There are no runbooks: set act.runbooks in tocsin.yaml.\n";
  return TextOrJson(request, {{"runbooks", std::move(list)}, {"problems", std::move(problems)}}, text);
}

Response ShowRunbook(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return ProblemResponse(desk.error());
  const auto library = (*desk)->runbooks();
  const act::Runbook* runbook = library ? library->Find(request.Param("id")) : nullptr;
  if (runbook == nullptr)
    return ProblemResponse(
        Status(Code::kNotFound, fmt::format("there is no runbook '{}'", request.Param("id"))));
  json out = RunbookJson(*library, *runbook);
  out["text"] = runbook->text;
  return JsonResponse(out);
}

Result<act::ProposedRun> ReadProposal(const json& body) {
  act::ProposedRun proposal;
  for (const auto& [key, value] : body.items()) {
    if (key != "runbook" && key != "incident" && key != "inputs" && key != "why" && key != "evidence" &&
        key != "from_telemetry")
      return Error(Code::kInvalidArgument, "a run is not proposed with '" + key + "'");
  }
  TOCSIN_ASSIGN_OR_RETURN(proposal.runbook, TextIn(body, "runbook", 200));
  TOCSIN_ASSIGN_OR_RETURN(proposal.incident, TextIn(body, "incident", 60));
  TOCSIN_ASSIGN_OR_RETURN(proposal.why, TextIn(body, "why", 500));
  if (proposal.runbook.empty()) return Error(Code::kInvalidArgument, "runbook is missing");
  if (body.contains("inputs")) proposal.inputs = body["inputs"];
  if (body.contains("evidence")) proposal.evidence = body["evidence"];
  const json from = body.value("from_telemetry", json::array());
  if (!from.is_array()) return Error(Code::kInvalidArgument, "from_telemetry is not a list of names");
  for (const json& name : from) {
    if (!name.is_string()) return Error(Code::kInvalidArgument, "from_telemetry is not a list of names");
    proposal.from_telemetry.push_back(name.get<std::string>());
  }
  return proposal;
}

json PreviewJson(const act::RunPreview& preview) {
  json steps = json::array();
  for (const auto& step : preview.steps)
    steps.push_back({{"id", step.id},
                     {"call", step.call},
                     {"preview", step.preview},
                     {"decision", step.decision},
                     {"reasons", step.reasons}});
  return {{"plan", act::PlanToJson(preview.plan)}, {"steps", std::move(steps)}};
}

std::string PreviewText(const act::RunPreview& preview) {
  std::string out = act::RenderPlan(preview.plan) + "\nIf it began now:\n";
  for (const auto& step : preview.steps) {
    out += respond::Wrap(respond::Safe(step.id + ": " + step.call), 100,
                         fmt::format("  {:<8} ", step.decision), 11);
    if (!step.preview.empty()) out += respond::Wrap(respond::Safe(step.preview), 100, "           ", 11);
    for (const auto& reason : step.reasons)
      out += respond::Wrap("because " + respond::Safe(reason), 100, "           ", 11);
  }
  return out;
}

Response Propose(const ApiDependencies& api, Request& request, bool only_look) {
  const auto caller = ReadCaller(api, request, "http");
  if (!caller) return ProblemResponse(caller.error());
  const auto body = ReadObject(api, request);
  if (!body) return ProblemResponse(body.error());
  const auto proposal = ReadProposal(*body);
  if (!proposal) return ProblemResponse(proposal.error());
  if (only_look) {
    const auto preview = api.act->Look(*proposal, *caller);
    if (!preview) return ProblemResponse(preview.error());
    return TextOrJson(request, PreviewJson(*preview), PreviewText(*preview));
  }
  const auto run = api.act->Propose(*proposal, *caller);
  return run ? JsonResponse(act::RunToJson(*run), 201) : ProblemResponse(run.error());
}

Response ListRuns(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return ProblemResponse(desk.error());
  const auto limit = request.QueryInt("limit", 50, 1, 1000);
  if (!limit) return ProblemResponse(limit.error());
  act::RunFilter filter{std::string(request.Query("incident")), std::string(request.Query("runbook")),
                        std::string(request.Query("state")), static_cast<size_t>(*limit)};
  const auto runs = (*desk)->Runs(filter);
  if (!runs) return ProblemResponse(runs.error());
  json list = json::array();
  std::string text;
  for (const act::RunView& run : *runs) {
    list.push_back(act::RunToJson(run));
    text += respond::Wrap(
        fmt::format("{}  {:<8} {}  {} by {}: {}", run.id, run.state, FormatTimeForPeople(run.began),
                    run.runbook, respond::Safe(run.by), respond::Safe(run.what)),
        100, "", 14);
  }
  return TextOrJson(request, {{"runs", std::move(list)}}, text.empty() ? "No runs.\n" : text);
}

Response ShowRun(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return ProblemResponse(desk.error());
  const auto run = (*desk)->Run(std::string(request.Param("id")));
  if (!run) return ProblemResponse(run.error());
  return TextOrJson(request, act::RunToJson(*run), act::RenderRun(*run));
}

Response ActOnRun(const ApiDependencies& api, Request& request) {
  const auto caller = ReadCaller(api, request, "http");
  if (!caller) return ProblemResponse(caller.error());
  const auto body = ReadObject(api, request);
  if (!body) return ProblemResponse(body.error());
  const auto text = [&](const char* key) { return TextIn(*body, key, 1000).value_or(""); };
  const std::string id(request.Param("id")), action = text("action");
  Result<act::RunView> run = Error(Code::kInvalidArgument, "action is stop, undo or settle");
  if (action == "stop") run = api.act->Stop(id, text("reason"), *caller);
  if (action == "undo") run = api.act->Undo(id, text("reason"), *caller);
  if (action == "settle") run = api.act->Settle(id, text("step"), text("outcome"), text("note"), *caller);
  return run ? JsonResponse(act::RunToJson(*run)) : ProblemResponse(run.error());
}

Response RunPage(const ApiDependencies& api, const Request& request) {
  const auto desk = DeskOf(api);
  if (!desk) return HtmlPage("Tocsin", "<p>" + EscapeHtml(desk.error().message()) + "</p>", 404);
  const auto run = (*desk)->Run(std::string(request.Param("id")));
  if (!run) return HtmlPage("Not found", "<p>" + EscapeHtml(run.error().message()) + "</p>", 404);
  std::string body = "<p><a href=\"/\">All incidents</a>";
  if (!run->incident.empty())
    body += fmt::format(" · <a href=\"/incidents/{0}\">{0}</a>", EscapeHtml(run->incident));
  body += " · <a href=\"/kill\">Stop agents</a></p>\n<pre>" +
          EscapeHtml(act::RenderRun(*run, kPhoneColumns)) + "</pre>\n";
  for (const act::RunStepView& step : run->steps) {
    if (!step.approval.empty())
      body += fmt::format("<p><a href=\"/approvals/{0}\">Look at {0}{1}</a></p>\n", EscapeHtml(step.approval),
                          step.state == "asking" ? " and answer" : "");
  }
  return HtmlPage(run->title, body);
}

using Handle = Response (*)(const ApiDependencies&, const Request&);
std::function<Response(Request&)> With(const ApiDependencies& api, Handle handle) {
  return [&api, handle](Request& request) { return handle(api, request); };
}

}  // namespace

void AddRuns(Router& router, const ApiDependencies& api) {
  const char* problem = "application/problem+json";
  AddActRoute(router, "GET", "/api/v1/runbooks", With(api, ListRunbooks), "Runbooks that can be run",
              {{200, "application/json", "{runbooks, problems}"}});
  AddActRoute(router, "GET", "/api/v1/runbooks/{id}", With(api, ShowRunbook), "One runbook, with its text",
              {{200, "application/json", "the runbook"}, {404, problem, "no such runbook"}});
  AddActRoute(router, "POST", "/api/v1/plans",
              [&api](Request& request) { return Propose(api, request, true); },
              "What a run would do if it began now, step by step; nothing is done",
              {{200, "application/json", "{plan, steps}"}, {401, problem, "nobody's token"}});
  AddActRoute(router, "POST", "/api/v1/runs",
              [&api](Request& request) { return Propose(api, request, false); },
              "Propose a run of a runbook; every step is decided by the policy",
              {{201, "application/json", "the run"}, {401, problem, "nobody's token"}});
  AddActRoute(router, "GET", "/api/v1/runs", With(api, ListRuns), "Runs, newest first",
              {{200, "application/json", "{runs}"}},
              {{"incident", "query", "string", "of this incident"},
               {"runbook", "query", "string", "of this runbook"},
               {"state", "query", "string", "running, waiting, done …; active: not over"},
               {"limit", "query", "integer", "at most, 50"}});
  AddActRoute(router, "GET", "/api/v1/runs/{id}", With(api, ShowRun), "One run, step by step",
              {{200, "application/json", "the run"}, {404, problem, "no such run"}});
  AddActRoute(router, "POST", "/api/v1/runs/{id}/actions",
              [&api](Request& request) { return ActOnRun(api, request); },
              "Stop, undo, or say what became of a step: {action, reason | step, outcome, note}",
              {{200, "application/json", "the run"}, {403, problem, "a person's to do"}});
  AddActRoute(router, "GET", "/runs/{id}", With(api, RunPage), "One run, for people",
              {{200, "text/html", "a page"}, {404, "text/html", "no such run"}});
}

}  // namespace tocsin::surface
