#include "respond/dispatch/page_message.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "respond/json_text.h"
#include "respond/notify/notice_text.h"
#include "respond/render_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr size_t kMaxLines = 6;
constexpr size_t kMaxLineBytes = 300;

void Add(std::vector<std::string>& lines, std::string text) {
  if (!text.empty() && lines.size() < kMaxLines) lines.push_back(std::move(text));
}

std::string Text(const json& object, const char* key) {
  return CutUtf8(JsonText(object, key), kMaxLineBytes);
}

// Where a wall of alerts probably comes from, and the first of them; what the title has said is left out.
void AddAlerts(const json& document, const std::string& title, std::vector<std::string>& lines) {
  const json& sources = JsonList(document, "sources");
  if (JsonList(document, "failing").size() > 1 && !sources.empty()) {
    std::string reasons;
    for (const auto& reason : JsonList(sources[0], "reasons")) {
      if (reason.is_string()) reasons += (reasons.empty() ? "" : "; ") + reason.get<std::string>();
    }
    Add(lines, CutUtf8(fmt::format("Probable source: {}{}{}", Text(sources[0], "service"),
                                   reasons.empty() ? "" : ": ", reasons),
                       kMaxLineBytes));
    Add(lines, Text(document, "extent"));
  }
  size_t shown = 0;
  for (const auto& alert : JsonList(document, "alerts")) {
    const std::string text = Text(alert, "text");
    if (text.empty() || title.starts_with(text)) continue;
    if (shown++ == 3) break;
    Add(lines, text);
  }
}

void AddBehaviour(const json& document, std::vector<std::string>& lines) {
  size_t shown = 0;
  for (const auto& line : JsonList(document, "contrast")) {
    const std::string verdict = Text(line, "verdict");
    if ((verdict != "moved" && verdict != "partly") || shown++ == 2) continue;
    Add(lines, fmt::format("Moved with it: {}: {}", Text(line, "attribute"), Text(line, "words")));
  }
  shown = 0;
  for (const auto& change : JsonList(document, "changes")) {
    if (Text(change, "verdict") != "possible" || shown++ == 2) continue;
    Add(lines, fmt::format("Changed shortly before: {} {} {}", Text(change, "kind"), Text(change, "subject"),
                           Text(change, "summary")));
  }
}

}  // namespace

NotificationMessage MessageAbout(const signal::Incident& incident, std::string kind, const std::string& what,
                                 const DispatchConfig& config, Time now) {
  NotificationMessage message;
  message.kind = std::move(kind);
  message.incident_id = incident.id.value;
  message.title = CutUtf8(incident.title, 400);
  message.severity = incident.severity;
  message.source = incident.stream.empty() ? incident.service : incident.stream;
  message.at = now;
  Add(message.lines, CutUtf8(what, kMaxLineBytes));
  if (incident.onset.known()) Add(message.lines, "Since " + FormatTimeForPeople(incident.onset));
  json document = json::parse(incident.document_json, nullptr, false);
  if (!document.is_object()) document = json::object();
  if (message.kind != "resolved" && message.kind != "acknowledged") {
    if (incident.kind == "alerts")
      AddAlerts(document, message.title, message.lines);
    else
      AddBehaviour(document, message.lines);
  }
  if (!config.url.empty())
    message.links.push_back({"Open the incident", config.url + "/incidents/" + incident.id.value});
  for (const auto& link : JsonList(document, "links")) {
    if (message.links.size() == 3 || !link.is_object()) break;
    message.links.push_back({Text(link, "text"), Text(link, "url")});
  }
  return message;
}

}  // namespace tocsin::respond
