// The rules of an incident's life: who may do what in which state, and the event it becomes. Pure;
// thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "kernel/status.h"
#include "respond/lifecycle/incident_action.h"

namespace tocsin::respond {

struct PlannedEvent {
  std::string kind;
  nlohmann::json body = nlohmann::json::object();
};

bool KnownSeverity(std::string_view severity);
// kPermissionDenied when it is a person's to do, kInvalidArgument for an actor without a name.
Status CheckActor(const IncidentAction& action, const Actor& actor);
Result<PlannedEvent> PlanEvent(const IncidentView& view, const IncidentAction& action, Time now);

}  // namespace tocsin::respond
