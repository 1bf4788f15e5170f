#include "respond/render_alerts.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "respond/json_text.h"
#include "respond/render_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr size_t kSources = 3;
constexpr size_t kAlerts = 12;
constexpr size_t kServices = 40;

std::string Text(const json& object, const char* key) { return Safe(JsonText(object, key)); }

std::string Joined(const json& list, const char* between, size_t most) {
  std::string out;
  size_t shown = 0;
  for (const auto& item : list) {
    if (!item.is_string()) continue;
    if (shown++ == most) return out + fmt::format(" and {} more", list.size() - most);
    out += (out.empty() ? "" : between) + Safe(item.get<std::string>());
  }
  return out;
}

}  // namespace

std::string RenderAlerts(const signal::Incident& incident, const json& document, size_t columns) {
  std::string out;
  const auto line = [&](const std::string& text, const char* first = "  ") {
    out += Wrap(text, columns, first, 4);
  };
  out += "\nWHERE IT PROBABLY COMES FROM\n";
  size_t shown = 0;
  for (const auto& source : JsonList(document, "sources")) {
    if (shown++ == kSources) break;
    const std::string reasons = Joined(JsonList(source, "reasons"), "; ", 5);
    line(fmt::format("{}{}{}", Text(source, "service"), reasons.empty() ? "" : ": ", reasons),
         fmt::format("  {}. ", shown).c_str());
  }
  if (shown == 0) line("not known: its alerts name no service");
  out += "\nSINCE WHEN\n";
  line(fmt::format("{}, the start of the first alert", FormatTimeForPeople(incident.onset)));
  out += "\nHOW FAR\n";
  line(Text(document, "extent"));
  const json& failing = JsonList(document, "failing");
  if (failing.size() > 1) line(Joined(failing, ", ", kServices));
  out += "\nFIRST ALERTS\n";
  const json& alerts = JsonList(document, "alerts");
  for (size_t i = 0; i < alerts.size() && i < kAlerts; ++i) {
    const std::string at = Text(alerts[i], "starts_at");  // "2026-11-24T02:10:05Z"
    line(fmt::format("{}  {}  {}", at.size() > 19 ? at.substr(11, 8) : at, Text(alerts[i], "severity"),
                     Text(alerts[i], "text")));
  }
  if (alerts.size() > kAlerts) line(fmt::format("and {} more", alerts.size() - kAlerts));
  out += "\nNEXT\n";
  for (const auto& link : JsonList(document, "links"))
    line(fmt::format("{}  {}", Text(link, "text"), Text(link, "url")));
  const std::string id = incident.id.value;
  if (incident.page) line("tocsin incident ack " + id + " (you have it)");
  line("tocsin incident timeline " + id + " (who was told, and when)");
  line("tocsin incident show " + id + " --json");
  return out;
}

}  // namespace tocsin::respond
