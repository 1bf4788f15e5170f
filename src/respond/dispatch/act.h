// ActOnIncident: what somebody does to an incident, with what follows for those who are paged about it.
// Function over a transaction; thread-safe as it is. Errors: as ApplyAction's and EscalationDesk's.
#pragma once

#include "respond/dispatch/alert_incidents.h"
#include "respond/dispatch/escalation_desk.h"
#include "respond/lifecycle/incident_action.h"

namespace tocsin::respond {

Result<IncidentView> ActOnIncident(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                                   AlertIncidents& alerts, const IncidentId& id, const IncidentAction& action,
                                   const Actor& actor, Time now);

}  // namespace tocsin::respond
