// IncidentAction: what a person or a program does to an incident, checked and written to the timeline in one
// transaction. The one way in which an incident's state, roles, tasks and severity change by hand.
//
//   open ─► triaged ─► mitigating ─► monitoring ─► closed      (steps may be skipped, and taken back by one)
//     └──────── any of them ─► false_alarm, merged             reopen: closed, false_alarm, merged ─► open
//
// Closing, acknowledging, reopening and calling a false alarm are a person's, with a reason where it matters:
// a program that tries is refused, and the refusal is on the timeline.
//
// Thread-safety: as the ledger's. Errors: kNotFound (no such incident or task), kInvalidArgument (which field
// is wrong), kFailedPrecondition (not in this state), kPermissionDenied (not a program's to do),
// kResourceExhausted (more tasks, links or factors than the bound).
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "kernel/status.h"
#include "respond/lifecycle/incident_view.h"
#include "store/ledger.h"

namespace tocsin::respond {

struct Actor {
  std::string name;
  bool person = true;  // false: a bot, an agent, a service
  bool own = false;    // Tocsin's own correlation of alerts: may merge what nobody works on
};

// {"action":"note","text":"…"}; docs/formats/incident-actions.md has each action and its fields.
struct IncidentAction {
  std::string action;
  std::map<std::string, std::string> text;  // fields that are text
  std::map<std::string, double> number;
};

inline constexpr size_t kMaxActionText = 8'000;  // bytes of one field
inline constexpr size_t kMaxActionItems = 500;   // tasks, links and factors of one incident, each

// kInvalidArgument: an unknown action or field, or a value of a wrong type, by name.
Result<IncidentAction> ParseIncidentAction(const nlohmann::json& json);

// Checks and applies inside a transaction of the caller's. Gives the view after it.
Result<IncidentView> ApplyAction(store::LedgerTransaction& transaction, const IncidentId& id,
                                 const IncidentAction& action, const Actor& actor, Time now);
// The same in a transaction of its own; a refused program is recorded.
Result<IncidentView> ApplyAction(store::Ledger& ledger, const IncidentId& id, const IncidentAction& action,
                                 const Actor& actor, Time now);

// What ApplyAction would refuse, without writing anything.
Status CheckAction(store::LedgerTransaction& transaction, const signal::Incident& incident,
                   const IncidentAction& action, const Actor& actor, Time now);

// Writes an event that is no action (an acknowledgement that has run out) and the view after it.
Status RecordEvent(store::LedgerTransaction& transaction, const IncidentId& id, const std::string& kind,
                   const nlohmann::json& body, const Actor& actor, Time now);

// Whoever had it has it no longer: paging begins anew. Nothing when nobody had.
Status RecordNobodyHasIt(store::LedgerTransaction& transaction, const IncidentId& id,
                         const std::string& reason, Time now);

// The refusal of a program, on the timeline.
Status RecordRefusal(store::Ledger& ledger, const IncidentId& id, const IncidentAction& action,
                     const Actor& actor, const std::string& why, Time now);

// Opens an incident that a person or an alert declares. Gives its id.
struct Declaration {
  std::string title, service, severity = "sev3", kind = "declared", key, document_json = "{}";
  Time onset;
  bool page = true;
};
Result<signal::Incident> DeclareIncident(store::LedgerTransaction& transaction,
                                         const Declaration& declaration, const Actor& actor, Time now);

// The view kept beside the incident, or its timeline folded when nobody has done anything yet.
Result<IncidentView> ReadView(store::Ledger& ledger, const signal::Incident& incident);
Result<IncidentView> ReadView(store::LedgerTransaction& transaction, const signal::Incident& incident);

}  // namespace tocsin::respond
