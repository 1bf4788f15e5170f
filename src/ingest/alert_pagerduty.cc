#include <algorithm>
#include <array>

#include "ingest/alert_decoder.h"
#include "ingest/internal/alert_builder.h"
#include "ingest/internal/json_document.h"
#include "kernel/id.h"

namespace tocsin::ingest {
namespace {

using internal::AlertBuilder;
using internal::Json;
using internal::ObjectReader;

constexpr size_t kMaxDedupKey = 255;
constexpr size_t kMaxSummary = 1024;  // characters

size_t Characters(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

uint64_t FingerprintOfKey(std::string_view dedup_key) {
  const signal::LabelSet key = {{"dedup_key", std::string(dedup_key)}, {"integration", "pagerduty"}};
  return signal::FingerprintOf(key);
}

std::string RawText(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The labels a payload gives, in the names Prometheus users expect.
std::string AddPayload(ObjectReader& payload, AlertBuilder& builder, signal::Alert& alert) {
  static constexpr std::array<std::string_view, 4> kSeverities = {"critical", "error", "warning", "info"};
  const std::string summary = payload.Required("summary");
  if (Characters(summary) > kMaxSummary) payload.Fail("summary", "longer than 1024 characters");
  const std::string source = payload.Required("source");
  const std::string severity = payload.Required("severity");
  if (payload.status().ok() &&
      std::find(kSeverities.begin(), kSeverities.end(), severity) == kSeverities.end()) {
    payload.Fail("severity", "must be critical, error, warning or info");
  }
  alert.starts_at = payload.When("timestamp");
  const std::string kind = payload.Text("class");
  const std::string component = payload.Text("component");
  const std::array<std::pair<std::string_view, std::string>, 6> labels = {{
      {"alertname", !kind.empty()        ? kind
                    : !component.empty() ? component
                                         : "PagerDutyEvent"},
      {"source", source},
      {"severity", severity},
      {"component", component},
      {"group", payload.Text("group")},
      {"class", kind},
  }};
  std::string wrong;
  for (const auto& [name, value] : labels) {
    if (wrong.empty() && !value.empty()) wrong = builder.AddLabel(alert, name, value);
  }
  if (wrong.empty()) wrong = builder.AddAnnotation(alert, "summary", summary);
  if (const Json* details = payload.Find("custom_details"); details != nullptr && wrong.empty()) {
    if (!details->is_object()) {
      return builder.AddAnnotation(alert, "details", payload.AsText(*details, 64u << 10));
    }
    for (const auto& [name, value] : details->items()) {
      if (alert.annotations.size() >= builder.options().max_labels || !wrong.empty()) break;
      if (!value.is_null()) wrong = builder.AddAnnotation(alert, name, payload.AsText(value, 64u << 10));
    }
  }
  return wrong;
}

void AddLinks(ObjectReader& top, AlertBuilder& builder, signal::Alert& alert) {
  alert.generator_url = top.Text("client_url");
  if (const std::string client = top.Text("client"); !client.empty())
    builder.AddAnnotation(alert, "client", client);
  const Json* links = top.Find("links");
  if (links == nullptr || !links->is_array()) return;
  size_t kept = 0;
  for (const Json& link : *links) {
    if (!link.is_object() || kept == 8) continue;
    const std::string href = RawText(link, "href");
    if (href.empty()) continue;
    builder.AddAnnotation(alert, kept == 0 ? "link" : "link_" + std::to_string(kept + 1), href);
    ++kept;
  }
}

}  // namespace

Result<PagerDutyEvent> DecodePagerDutyEvent(std::string_view body, const AlertOptions& options) {
  TOCSIN_ASSIGN_OR_RETURN(const Json json, internal::ParseDocument(body, options.decode.limits));
  ObjectReader top(json, "", options.decode);
  if (!top.status().ok()) return Error(top.status());
  PagerDutyEvent event;
  event.routing_key = RawText(json, "routing_key");
  if (event.routing_key.empty()) top.Fail("routing_key", "is required");
  if (event.routing_key.size() > 255) top.Fail("routing_key", "longer than 255 bytes");
  const std::string action = top.Required("event_action");
  event.action = action == "resolve"       ? AlertAction::kResolve
                 : action == "acknowledge" ? AlertAction::kAcknowledge
                                           : AlertAction::kTrigger;
  if (event.action == AlertAction::kTrigger && action != "trigger")
    top.Fail("event_action", "must be trigger, acknowledge or resolve");
  event.dedup_key = RawText(json, "dedup_key");
  if (Characters(event.dedup_key) > kMaxDedupKey) top.Fail("dedup_key", "longer than 255 characters");
  if (event.action != AlertAction::kTrigger && event.dedup_key.empty())
    top.Fail("dedup_key", "is required to acknowledge or resolve");
  const Json* payload = top.Find("payload");
  if (event.action == AlertAction::kTrigger && payload == nullptr)
    top.Fail("payload", "is required to trigger");
  if (!top.status().ok()) return Error(top.status());
  if (event.action != AlertAction::kTrigger) {
    event.fingerprint = FingerprintOfKey(event.dedup_key);
    return event;
  }
  AlertBuilder builder(options);
  signal::Alert alert;
  ObjectReader reader(*payload, "payload", options.decode);
  std::string wrong = AddPayload(reader, builder, alert);
  if (!reader.status().ok()) return Error(reader.status());
  AddLinks(top, builder, alert);
  // Without a key each trigger is its own alert; the key is made of what was sent and when.
  if (event.dedup_key.empty()) {
    event.dedup_key = Base32(StableHash(body, static_cast<uint64_t>(options.decode.received.ns)), 13);
  }
  if (wrong.empty()) wrong = builder.AddLabel(alert, "dedup_key", event.dedup_key);
  if (wrong.empty()) wrong = builder.Finish(alert, Duration{});
  if (!wrong.empty()) return Error(Code::kInvalidArgument, "payload: " + wrong);
  event.fingerprint = FingerprintOfKey(event.dedup_key);
  alert.fingerprint = event.fingerprint;
  alert.source = "pagerduty";
  event.alert = std::move(alert);
  return event;
}

std::string EncodePagerDutyReply(const PagerDutyEvent& event) {
  Json reply = {{"status", "success"}, {"message", "Event processed"}, {"dedup_key", event.dedup_key}};
  return reply.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tocsin::ingest
