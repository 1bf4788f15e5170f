#include <fmt/format.h>

#include "act/act_desk.h"
#include "surface/http/endpoints/endpoints.h"
#include "surface/http/html.h"

namespace tocsin::surface {
namespace {

std::string Items(const std::vector<signal::Incident>& incidents) {
  std::string out = "<ul>\n";
  for (const signal::Incident& incident : incidents) {
    out += fmt::format(
        "<li><a href=\"/incidents/{}\"><span class=\"sev\">{}</span> {}</a>"
        "<div class=\"dim\">{} · {} · {}{} · since {}</div></li>\n",
        EscapeHtml(incident.id.value), EscapeHtml(incident.severity), EscapeHtml(incident.title),
        EscapeHtml(incident.id.value), EscapeHtml(incident.service), EscapeHtml(incident.state),
        incident.page ? "" : " · pages nobody",
        FormatTimeForPeople(incident.onset.known() ? incident.onset : incident.opened));
  }
  return out + "</ul>\n";
}

std::string Streams(const detect::WatcherStatus& watching) {
  if (watching.streams.empty()) {
    return "<p>No LLM traffic yet. Point an OpenTelemetry exporter at this server: "
           "<code>OTEL_EXPORTER_OTLP_ENDPOINT</code>.</p>\n";
  }
  std::string out = "<h2>Watching</h2>\n<ul>\n";
  for (const detect::StreamStatus& stream : watching.streams) {
    out += fmt::format("<li>{}<div class=\"dim\">{} · {} generations</div></li>\n", EscapeHtml(stream.stream),
                       EscapeHtml(stream.words.empty() ? stream.state : stream.words), stream.generations);
  }
  return out + "</ul>\n";
}

// What is stopped, and what waits for a person.
std::string Acting(const ApiDependencies& api) {
  if (api.act == nullptr) return "";
  std::string out;
  for (const act::KillState& state : api.act->Killed())
    out += fmt::format("<p class=\"sev\">Stopped: {} · by {} · <a href=\"/kill\">kill switch</a></p>\n",
                       EscapeHtml(state.scope.ToText()), EscapeHtml(state.by));
  const auto approvals = api.act->Approvals(true);
  if (!approvals || approvals->empty()) return out;
  out += "<h2>Waits for you</h2>\n<ul>\n";
  for (const act::Approval& approval : *approvals)
    out += fmt::format(
        "<li><a href=\"/approvals/{0}\">{1}</a><div class=\"dim\">{0} · {2} · until {3}</div></li>\n",
        EscapeHtml(approval.id), EscapeHtml(approval.title), EscapeHtml(approval.runbook),
        FormatTimeForPeople(approval.expires));
  return out + "</ul>\n";
}

Response Home(const ApiDependencies& api) {
  const auto incidents = api.ledger.FindIncidents({"active", "", "", 100});
  if (!incidents) {
    return HtmlPage("Tocsin",
                    fmt::format("<h1>Tocsin</h1><p>{}</p>", EscapeHtml(incidents.error().message())), 500);
  }
  std::string body = Acting(api) + "<h1>Open incidents</h1>\n";
  body += incidents->empty() ? std::string("<p>None.</p>\n") : Items(*incidents);
  body += Streams(api.detection.Watching());
  if (api.act != nullptr) body += "<p class=\"dim\"><a href=\"/kill\">Stop agents</a></p>\n";
  return HtmlPage(fmt::format("{} open · Tocsin", incidents->size()), body);
}

}  // namespace

void AddHomePage(Router& router, const ApiDependencies& api) {
  Route route{"GET", "/", nullptr, {}, true};
  route.handler = [&api](Request&&, const Responder& respond) { respond(Home(api)); };
  route.operation.summary = "Open incidents, for people";
  route.operation.answers = {{200, "text/html", "a page"}};
  router.Add(std::move(route));
}

}  // namespace tocsin::surface
