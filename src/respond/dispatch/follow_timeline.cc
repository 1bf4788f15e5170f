#include "respond/dispatch/follow_timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "respond/dispatch/alert_records.h"
#include "respond/json_text.h"
#include "respond/lifecycle/incident_action.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr size_t kMaxOpen = 10'000;

Status PageFor(store::LedgerTransaction& transaction, const EscalationDesk& desk,
               const signal::Incident& incident, const std::string& occasion, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const auto rules, RulesOf(transaction, desk, incident));
  return desk.PageBy(transaction, incident, rules, occasion, "", now);
}

// An incident that pages and nobody is paged about.
Status BeginIfNeeded(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                     const signal::Incident& incident, Time now) {
  if (!incident.page || signal::IsOver(incident.state) || incident.state == "monitoring") return {};
  TOCSIN_ASSIGN_OR_RETURN(const auto runs, RunsOf(transaction, incident.id));
  if (!runs.empty()) return {};
  TOCSIN_ASSIGN_OR_RETURN(const IncidentView view, ReadView(transaction, incident));
  if (!view.acknowledged_by.empty()) return {};
  return PageFor(transaction, desk, incident, "opened/0", now);
}

Status FollowState(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                   const signal::Incident& incident, const signal::Event& event, const json& body, Time now) {
  const std::string to = JsonText(body, "to"), from = JsonText(body, "from"),
                    reason = JsonText(body, "reason");
  // The row may be further by now; what it says then comes with a later event.
  if (to != incident.state) return {};
  if (signal::IsOver(to) || to == "monitoring") {
    std::string what =
        fmt::format("{} by {}", to == "false_alarm" ? "called a false alarm" : to, event.actor);
    if (!reason.empty()) what += ": " + reason;
    TOCSIN_ASSIGN_OR_RETURN(const bool ended, desk.Resolve(transaction, incident, what, now));
    // A wall of alerts that ended by itself was told as such.
    if (event.actor == "tocsin" || (!ended && !signal::IsOver(to))) return {};
    TOCSIN_ASSIGN_OR_RETURN(const auto rules, RulesOf(transaction, desk, incident));
    for (const auto& rule : rules) {
      TOCSIN_RETURN_IF_ERROR(desk.Tell(transaction, incident, rule.tell,
                                       signal::IsOver(to) ? "resolved" : "update",
                                       fmt::format("state/{}", event.seq), what, now));
    }
    return {};
  }
  if (!signal::IsOver(from) || !incident.page) return {};
  TOCSIN_RETURN_IF_ERROR(RecordNobodyHasIt(transaction, incident.id, "it is open again", now));
  return PageFor(transaction, desk, incident, fmt::format("reopened/{}", event.seq), now);
}

Status FollowOne(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                 const signal::Event& event, Time now) {
  if (event.kind != "incident.opened" && event.kind != "incident.updated" && event.kind != "incident.state")
    return {};
  TOCSIN_ASSIGN_OR_RETURN(const auto incident, transaction.FindIncident(IncidentId{event.subject}));
  if (!incident) return {};
  const json body = json::parse(event.body_json, nullptr, false);
  if (!body.is_object()) return {};
  if (event.kind == "incident.state") return FollowState(transaction, desk, *incident, event, body, now);
  TOCSIN_RETURN_IF_ERROR(BeginIfNeeded(transaction, desk, *incident, now));
  const std::string was = JsonText(body, "severity_was");
  if (was.empty() || UrgencyOf(was) == UrgencyOf(incident->severity)) return {};
  return desk.Louder(transaction, *incident, now);
}

}  // namespace

Result<std::vector<ReceiverRule>> RulesOf(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                                          const signal::Incident& incident) {
  std::vector<ReceiverRule> out;
  if (incident.kind == "alerts") {
    TOCSIN_ASSIGN_OR_RETURN(const AlertWork work, ReadAlertWork(transaction, incident.id.value));
    for (const auto& receiver : work.receivers) out.push_back(desk.config().RuleFor(receiver));
  }
  if (out.empty()) out.push_back(desk.config().incidents);
  return out;
}

Result<uint64_t> ReadCursor(store::Ledger& ledger) {
  TOCSIN_ASSIGN_OR_RETURN(const auto document, ledger.FindDocument("dispatch", "cursor"));
  if (!document) return uint64_t{0};
  const json body = json::parse(document->body_json, nullptr, false);
  const auto it = body.is_object() ? body.find("seq") : body.end();
  if (!body.is_object() || it == body.end() || !it->is_number_unsigned())
    return Error(Code::kDataLoss, "how far the timeline was followed cannot be read");
  return it->get<uint64_t>();
}

Result<size_t> FollowTimeline(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                              uint64_t cursor, size_t limit, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const auto events, transaction.Events("", cursor, limit));
  if (events.empty()) return size_t{0};
  for (const auto& event : events) TOCSIN_RETURN_IF_ERROR(FollowOne(transaction, desk, event, now));
  TOCSIN_RETURN_IF_ERROR(
      transaction.PutDocument({"dispatch", "cursor", Time{}, json({{"seq", events.back().seq}}).dump()}));
  return events.size();
}

Status PageForOpenIncidents(store::LedgerTransaction& transaction, const EscalationDesk& desk, Time now) {
  store::IncidentFilter filter;
  filter.state = "active";
  filter.limit = kMaxOpen;
  TOCSIN_ASSIGN_OR_RETURN(const auto open, transaction.FindIncidents(filter));
  for (const auto& incident : open) TOCSIN_RETURN_IF_ERROR(BeginIfNeeded(transaction, desk, incident, now));
  return {};
}

}  // namespace tocsin::respond
