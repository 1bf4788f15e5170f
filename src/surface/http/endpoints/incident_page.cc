#include <fmt/format.h>

#include "act/act_desk.h"
#include "investigate/investigation_desk.h"
#include "respond/dispatch/paging_status.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/render_incident.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/html.h"

namespace tocsin::surface {
namespace {

constexpr size_t kBriefLines = 40;

// Runs for it, and what they ask.
std::string Runs(const ApiDependencies& api, const std::string& incident) {
  if (api.act == nullptr) return "";
  const auto runs = api.act->Runs({incident, "", "", 20});
  if (!runs || runs->empty()) return "";
  std::string out = "<h2>Runbooks</h2>\n<ul>\n";
  for (const act::RunView& run : *runs) {
    out +=
        fmt::format("<li><a href=\"/runs/{0}\">{1}</a>: {2}<div class=\"dim\">{0} · {3}</div>",
                    EscapeHtml(run.id), EscapeHtml(run.title), EscapeHtml(run.state), EscapeHtml(run.what));
    for (const act::RunStepView& step : run.steps) {
      if (step.state == "asking" && !step.approval.empty())
        out += fmt::format("<div><a href=\"/approvals/{0}\">{0} waits for a person</a></div>",
                           EscapeHtml(step.approval));
    }
    out += "</li>\n";
  }
  return out + "</ul>\n";
}

Response Show(const ApiDependencies& api, const Request& request) {
  const std::string id(request.Param("id"));
  const std::string back = "<p><a href=\"/\">All incidents</a></p>\n";
  const auto incident = api.ledger.FindIncident(IncidentId{id});
  if (!incident)
    return HtmlPage("Tocsin", back + "<p>" + EscapeHtml(incident.error().message()) + "</p>", 500);
  if (!incident->has_value()) {
    return HtmlPage("Not found", back + fmt::format("<p>There is no incident {}.</p>", EscapeHtml(id)), 404);
  }
  respond::RenderOptions options;
  options.columns = kPhoneColumns;
  std::string text = respond::RenderIncident(**incident, options);
  if (const auto paging = respond::ReadPaging(api.ledger, IncidentId{id}); paging && !paging->empty())
    text += "\n" + respond::RenderPaging(*paging, kPhoneColumns);
  if (const auto work = respond::ReadView(api.ledger, **incident)) {
    const std::string people = respond::RenderView(*work, api.clock.Now(), kPhoneColumns);
    if (!people.empty()) text += "\n" + people;
  }
  std::string brief;
  if (const auto made = api.investigations.Stored(IncidentId{id}); made && *made)
    brief = "<h2>What is proven</h2>\n<pre>" + EscapeHtml(investigate::RenderBrief(**made, kBriefLines)) +
            "</pre>\n<h2>The incident</h2>\n";
  return HtmlPage(
      (*incident)->title,
      back + fmt::format("<h1>{}</h1>\n", EscapeHtml((*incident)->title)) + Runs(api, id) + brief + "<pre>" +
          EscapeHtml(text) + "</pre>\n" +
          fmt::format("<p class=\"dim\"><a href=\"/api/v1/incidents/{}\">as JSON</a></p>\n", EscapeHtml(id)));
}

}  // namespace

void AddIncidentPage(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/incidents/{id}", nullptr, {}, true};
  route.handler = [&api](Request&& request, const Responder& respond) { respond(Show(api, request)); };
  route.operation.summary = "One incident, for people";
  route.operation.parameters = {{"id", "path", "string", "its id"}};
  route.operation.answers = {{200, "text/html", "a page"}, {404, "text/html", "no incident has this id"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
