#include "respond/dispatch/untold.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "respond/json_text.h"
#include "respond/timeline.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

// A little more than the time after which a channel that still fails is told of again.
constexpr Duration kFailingFor = Duration::Minutes(20);

}  // namespace

Result<size_t> GoOnWithExhausted(store::LedgerTransaction& transaction, const EscalationDesk& desk, Time now,
                                 size_t limit) {
  store::DocumentFilter filter;
  filter.collection = "exhausted_steps";
  filter.due_until = now;
  filter.limit = limit;
  TOCSIN_ASSIGN_OR_RETURN(const auto steps, transaction.FindDocuments(filter));
  for (const auto& step : steps) {
    const json body = json::parse(step.body_json, nullptr, false);
    const IncidentId incident{JsonText(body, "incident_id")};
    TOCSIN_ASSIGN_OR_RETURN(const auto found, transaction.FindIncident(incident));
    if (found) {
      const bool maybe = body.is_object() && body.value("possibly_sent", false);
      const json told = {{"person", JsonText(body, "person")},
                         {"key", step.id},
                         {"why", maybe ? "no channel said that it delivered" : "every channel failed"}};
      TOCSIN_RETURN_IF_ERROR(
          AppendEvent(transaction, "incident.page_failed", incident.value, "tocsin", told, now));
      TOCSIN_RETURN_IF_ERROR(desk.Hasten(transaction, incident, step.id, now));
    }
    TOCSIN_ASSIGN_OR_RETURN([[maybe_unused]] const bool gone,
                            transaction.DeleteDocument("exhausted_steps", step.id));
  }
  return steps.size();
}

Result<FailingChannels> ReadFailingChannels(store::Ledger& ledger, Time now, size_t limit) {
  store::DocumentFilter filter;
  filter.collection = "channel_alerts";
  filter.due_until = now;
  filter.limit = limit;
  TOCSIN_ASSIGN_OR_RETURN(const auto documents, ledger.FindDocuments(filter));
  FailingChannels out;
  for (const auto& document : documents) {
    const json body = json::parse(document.body_json, nullptr, false);
    signal::Alert alert;
    alert.labels = {{"alertname", "NotificationChannelFailing"},
                    {"destination", document.id},
                    {"service", "tocsin"},
                    {"severity", "error"}};
    alert.annotations = {
        {"summary", fmt::format("{} does not take messages: {}", document.id, JsonText(body, "error"))}};
    alert.starts_at = alert.updated_at = now;
    alert.ends_at = now + kFailingFor;
    alert.assumed_end = true;
    alert.source = "tocsin";
    signal::NormalizeLabels(alert.labels);
    alert.fingerprint = signal::FingerprintOf(alert.labels);
    out.alerts.push_back(std::move(alert));
    out.ids.push_back(document.id);
  }
  return out;
}

Status ForgetFailingChannels(store::Ledger& ledger, const FailingChannels& told) {
  return ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
    for (const auto& id : told.ids) {
      const auto gone = transaction.DeleteDocument("channel_alerts", id);
      if (!gone) return gone.error();
    }
    return {};
  });
}

}  // namespace tocsin::respond
