#include "respond/notify/pagerduty_events.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "kernel/id.h"
#include "respond/json_text.h"
#include "respond/notify/notice_text.h"

namespace tocsin::respond {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kEndpoint = "https://events.pagerduty.com/v2/enqueue";

std::string ActionOf(const std::string& kind) {
  if (kind == "resolved") return "resolve";
  if (kind == "acknowledged") return "acknowledge";
  return "trigger";
}

std::string SeverityFor(const std::string& severity) {
  if (severity == "sev1") return "critical";
  if (severity == "sev2") return "error";
  if (severity == "sev3") return "warning";
  return severity == "sev4" ? "info" : "error";  // not known: wake someone
}

// At most 255 characters; a longer one becomes its hash, so that two never meet.
std::string DedupKey(const NotificationMessage& message) {
  const std::string& key = message.incident_id.empty() ? message.idempotency_key : message.incident_id;
  std::string clean = CleanText(key, false);
  if (clean.size() <= 255) return clean;
  return fmt::format("tocsin-{:016x}{:016x}", StableHash(key), StableHash(key, 1));
}

Json PayloadOf(const NotificationMessage& message) {
  Json details = Json::object();
  if (!message.incident_id.empty()) details["incident"] = message.incident_id;
  Json lines = Json::array();
  for (size_t i = 0; i < message.lines.size() && i < 100; ++i)
    lines.push_back(CutUtf8(message.lines[i], 1000));
  if (!lines.empty()) details["lines"] = std::move(lines);
  Json payload = {
      {"summary", CutCharacters(CleanText(message.title.empty() ? "Incident" : message.title, false), 1024)},
      {"source", CleanText(message.source.empty() ? "tocsin" : message.source, false)},
      {"severity", SeverityFor(message.severity)},
      {"custom_details", std::move(details)}};
  if (message.at.known()) payload["timestamp"] = FormatTime(message.at);
  return payload;
}

}  // namespace

std::string PagerdutyEvent(const NotificationMessage& message, const std::string& routing_key) {
  Json event = {{"routing_key", routing_key},
                {"event_action", ActionOf(message.kind)},
                {"dedup_key", DedupKey(message)},
                {"client", "Tocsin"}};
  if (event["event_action"] == "trigger") {
    Json links = Json::array();
    for (const NotificationLink& link : message.links) {
      if (!IsWebUrl(link.url) || links.size() == 20) continue;
      if (links.empty()) event["client_url"] = link.url;
      links.push_back({{"href", link.url}, {"text", CutUtf8(CleanText(link.text, false), 255)}});
    }
    if (!links.empty()) event["links"] = std::move(links);
    event["payload"] = PayloadOf(message);
  }
  return DumpJson(event);
}

SendOutcome PagerdutyNotifier::Send(const NotificationMessage& message, const Destination& destination) {
  const std::string url = destination.address.empty() ? std::string(kEndpoint) : destination.address;
  PostResult posted = PostJson(url, {}, PagerdutyEvent(message, destination.secret), options_);
  if (!posted.outcome.ok()) return std::move(posted.outcome);
  const Json answer = Json::parse(posted.body, nullptr, false);
  if (answer.is_object() && answer.contains("dedup_key") && answer["dedup_key"].is_string()) {
    posted.outcome.receipt = CutUtf8(CleanText(answer["dedup_key"].get<std::string>(), false), 255);
  }
  return std::move(posted.outcome);
}

}  // namespace tocsin::respond
