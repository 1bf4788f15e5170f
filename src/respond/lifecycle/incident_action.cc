#include "respond/lifecycle/incident_action.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <vector>

#include "respond/incident_id.h"
#include "respond/json_text.h"
#include "respond/lifecycle/action_rules.h"
#include "respond/timeline.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr const char* kViews = "incident_views";
constexpr size_t kMaxTimeline = 100'000;  // events of one incident folded at once

// `reader`: a ledger, or a transaction on it.
template <class Reader>
Result<IncidentView> ReadFrom(Reader& reader, const signal::Incident& incident) {
  TOCSIN_ASSIGN_OR_RETURN(const auto kept, reader.FindDocument(kViews, incident.id.value));
  if (kept) {
    const json parsed = json::parse(kept->body_json, nullptr, false);
    if (parsed.is_object()) return ViewFromJson(parsed);
  }
  TOCSIN_ASSIGN_OR_RETURN(const auto events, reader.Events(incident.id.value, 0, kMaxTimeline));
  IncidentView view = FoldTimeline(events);
  if (view.state.empty()) view.state = incident.state;
  return view;
}

// Writes an event, and row and view as they are after it.
Result<IncidentView> Write(store::LedgerTransaction& transaction, signal::Incident incident,
                           IncidentView view, const std::string& kind, const json& body, const Actor& actor,
                           Time now) {
  signal::Event event;
  event.time = now;
  event.kind = kind;
  event.subject = incident.id.value;
  event.actor = actor.name;
  event.body_json = DumpJson(body);
  TOCSIN_ASSIGN_OR_RETURN([[maybe_unused]] const uint64_t seq, transaction.AppendEvent(event));
  Fold(view, event);
  incident.state = view.state;
  if (!view.severity.empty()) incident.severity = view.severity;
  incident.updated = std::max(incident.updated, now);
  TOCSIN_RETURN_IF_ERROR(transaction.PutIncident(incident));
  TOCSIN_RETURN_IF_ERROR(
      transaction.PutDocument({kViews, incident.id.value, Time{}, DumpJson(ViewToJson(view))}));
  return view;
}

Result<signal::Incident> Existing(store::LedgerTransaction& transaction, const IncidentId& id) {
  TOCSIN_ASSIGN_OR_RETURN(auto incident, transaction.FindIncident(id));
  if (!incident) return Error(Code::kNotFound, "there is no incident " + id.value);
  return std::move(*incident);
}

// The other side of a merge or of its end: an event there too.
Status TellOther(store::LedgerTransaction& transaction, const std::string& other, const char* kind,
                 const std::string& id, const Actor& actor, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const auto incident, Existing(transaction, IncidentId{other}));
  TOCSIN_ASSIGN_OR_RETURN(auto view, ReadFrom(transaction, incident));
  const auto told = Write(transaction, incident, std::move(view), kind, {{"from", id}}, actor, now);
  return told ? Status() : Status(told.error());
}

Status CheckMerge(store::LedgerTransaction& transaction, const IncidentId& id, const std::string& into) {
  if (into == id.value) return {Code::kInvalidArgument, "an incident cannot be merged into itself"};
  TOCSIN_ASSIGN_OR_RETURN(const auto target, Existing(transaction, IncidentId{into}));
  if (signal::IsOver(target.state)) {
    return {Code::kFailedPrecondition, into + " is " + target.state + ": merge into one that is open"};
  }
  return {};
}

}  // namespace

Result<IncidentView> ApplyAction(store::LedgerTransaction& transaction, const IncidentId& id,
                                 const IncidentAction& action, const Actor& actor, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const signal::Incident incident, Existing(transaction, id));
  TOCSIN_ASSIGN_OR_RETURN(IncidentView view, ReadFrom(transaction, incident));
  TOCSIN_RETURN_IF_ERROR(CheckActor(action, actor));
  TOCSIN_ASSIGN_OR_RETURN(const PlannedEvent planned, PlanEvent(view, action, now));
  const std::string was_in = view.merged_into;
  if (action.action == "merge") {
    const std::string into = planned.body.value("into", "");
    TOCSIN_RETURN_IF_ERROR(CheckMerge(transaction, id, into));
    TOCSIN_RETURN_IF_ERROR(TellOther(transaction, into, "incident.absorbed", id.value, actor, now));
  }
  if (action.action == "reopen" && !was_in.empty()) {
    TOCSIN_RETURN_IF_ERROR(TellOther(transaction, was_in, "incident.released", id.value, actor, now));
  }
  return Write(transaction, incident, std::move(view), planned.kind, planned.body, actor, now);
}

Result<IncidentView> ApplyAction(store::Ledger& ledger, const IncidentId& id, const IncidentAction& action,
                                 const Actor& actor, Time now) {
  Result<IncidentView> applied = Error(Code::kInternal, "not applied");
  const Status status = ledger.Transact([&](store::LedgerTransaction& transaction) -> Status {
    applied = ApplyAction(transaction, id, action, actor, now);
    return applied ? Status() : Status(applied.error());
  });
  if (status.ok()) return applied;
  if (status.code() == Code::kPermissionDenied)
    TOCSIN_RETURN_IF_ERROR(RecordRefusal(ledger, id, action, actor, status.message(), now));
  return Error(status);
}

Status RecordRefusal(store::Ledger& ledger, const IncidentId& id, const IncidentAction& action,
                     const Actor& actor, const std::string& why, Time now) {
  return ledger.Transact([&](store::LedgerTransaction& transaction) {
    return AppendEvent(transaction, "incident.refused", id.value, actor.name,
                       {{"action", action.action}, {"why", why}}, now);
  });
}

Status CheckAction(store::LedgerTransaction& transaction, const signal::Incident& incident,
                   const IncidentAction& action, const Actor& actor, Time now) {
  TOCSIN_RETURN_IF_ERROR(CheckActor(action, actor));
  TOCSIN_ASSIGN_OR_RETURN(const IncidentView view, ReadFrom(transaction, incident));
  const auto planned = PlanEvent(view, action, now);
  return planned ? Status() : Status(planned.error());
}

Status RecordEvent(store::LedgerTransaction& transaction, const IncidentId& id, const std::string& kind,
                   const json& body, const Actor& actor, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const auto incident, Existing(transaction, id));
  TOCSIN_ASSIGN_OR_RETURN(auto view, ReadFrom(transaction, incident));
  const auto written = Write(transaction, incident, std::move(view), kind, body, actor, now);
  return written ? Status() : Status(written.error());
}

Status RecordNobodyHasIt(store::LedgerTransaction& transaction, const IncidentId& id,
                         const std::string& reason, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const auto incident, Existing(transaction, id));
  TOCSIN_ASSIGN_OR_RETURN(const auto view, ReadFrom(transaction, incident));
  if (view.acknowledged_by.empty()) return {};
  return RecordEvent(transaction, id, "incident.unacknowledged", {{"reason", reason}}, Actor{"tocsin", false},
                     now);
}

Result<signal::Incident> DeclareIncident(store::LedgerTransaction& transaction,
                                         const Declaration& declaration, const Actor& actor, Time now) {
  if (declaration.title.empty() || declaration.title.size() > 500)
    return Error(Code::kInvalidArgument, "title has no text, or more than 500 bytes");
  if (!KnownSeverity(declaration.severity))
    return Error(Code::kInvalidArgument, "severity is '" + declaration.severity + "', not sev1 to sev4");
  if (actor.name.empty()) return Error(Code::kInvalidArgument, "actor has no name");
  signal::Incident incident;
  incident.key = declaration.key.empty() ? "declared|" + declaration.title : declaration.key;
  incident.title = declaration.title;
  incident.service = declaration.service;
  incident.severity = declaration.severity;
  incident.kind = declaration.kind;
  incident.state = "open";
  incident.opened = incident.updated = now;
  incident.onset = declaration.onset;
  incident.page = declaration.page;
  incident.document_json = declaration.document_json;
  TOCSIN_ASSIGN_OR_RETURN(incident.id, FreshIncidentId(transaction, incident.key, now));
  const json body = {{"title", incident.title},
                     {"severity", incident.severity},
                     {"kind", incident.kind},
                     {"page", incident.page}};
  TOCSIN_ASSIGN_OR_RETURN([[maybe_unused]] const auto view,
                          Write(transaction, incident, {}, "incident.opened", body, actor, now));
  return incident;
}

Result<IncidentView> ReadView(store::Ledger& ledger, const signal::Incident& incident) {
  return ReadFrom(ledger, incident);
}
Result<IncidentView> ReadView(store::LedgerTransaction& transaction, const signal::Incident& incident) {
  return ReadFrom(transaction, incident);
}

}  // namespace tocsin::respond
