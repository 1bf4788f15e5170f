#include "respond/dispatch/act.h"

#include <fmt/format.h>

namespace tocsin::respond {
namespace {

std::string Field(const IncidentAction& action, const char* name) {
  const auto it = action.text.find(name);
  return it == action.text.end() ? std::string() : it->second;
}

std::vector<std::string> CommaList(const std::string& text) {
  std::vector<std::string> out;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    std::string part = text.substr(begin, end - begin);
    while (!part.empty() && part.front() == ' ') part.erase(0, 1);
    while (!part.empty() && part.back() == ' ') part.pop_back();
    if (!part.empty()) out.push_back(std::move(part));
    begin = end + 1;
  }
  return out;
}

struct Acting {
  store::LedgerTransaction& transaction;
  const EscalationDesk& desk;
  AlertIncidents& alerts;
  const signal::Incident& incident;
  const IncidentAction& action;
  const Actor& actor;
  Time now;

  Result<IncidentView> Apply(const IncidentAction& what) const {
    return ApplyAction(transaction, incident.id, what, actor, now);
  }

  Result<IncidentView> Acknowledge() const {
    TOCSIN_ASSIGN_OR_RETURN(IncidentView view, ReadView(transaction, incident));
    TOCSIN_ASSIGN_OR_RETURN(const bool changed,
                            desk.Acknowledge(transaction, incident, actor.name, actor.person, now));
    if (!changed && view.acknowledged_by == actor.name) return view;
    return Apply(action);
  }

  // Somebody who works on it has it.
  Result<IncidentView> Work() const {
    TOCSIN_ASSIGN_OR_RETURN(IncidentView view, Apply(action));
    if (!actor.person || !view.acknowledged_by.empty()) return view;
    TOCSIN_ASSIGN_OR_RETURN(const auto runs, RunsOf(transaction, incident.id));
    if (runs.empty() || !desk.Acknowledge(transaction, incident, actor.name, true, now)) return view;
    return Apply(IncidentAction{"acknowledge", {}, {}});
  }

  Result<IncidentView> Snooze() const {
    const auto span = ParseDuration(Field(action, "for"));
    if (!span) return Error(Status(span.error()).WithContext("for"));
    TOCSIN_RETURN_IF_ERROR(desk.Snooze(transaction, incident, actor.name, actor.person, now + *span, now));
    return Apply(action);
  }

  Result<IncidentView> Unacknowledge() const {
    TOCSIN_RETURN_IF_ERROR(desk.Unacknowledge(transaction, incident, actor.name, now));
    return Apply(action);
  }

  Result<IncidentView> Escalate() const {
    TOCSIN_RETURN_IF_ERROR(desk.Reassign(transaction, incident, actor.name, Field(action, "policy"), now));
    return Apply(action);
  }

  Result<IncidentView> Split() const {
    TOCSIN_ASSIGN_OR_RETURN(
        const signal::Incident made,
        alerts.Split(transaction, desk, incident.id, CommaList(Field(action, "services")), actor, now));
    // Whoever takes it apart is awake and has it, if the policy knows them.
    if (desk.Acknowledge(transaction, made, actor.name, actor.person, now)) {
      const auto taken = ApplyAction(transaction, made.id, IncidentAction{"acknowledge", {}, {}}, actor, now);
      if (!taken) return taken;
    }
    return ReadView(transaction, incident);
  }

  Result<IncidentView> Merge() const {
    TOCSIN_ASSIGN_OR_RETURN(IncidentView view, Apply(action));
    TOCSIN_RETURN_IF_ERROR(alerts.Merged(transaction, IncidentId{Field(action, "into")}, incident.id));
    return view;
  }

  Result<IncidentView> Severity() const {
    TOCSIN_ASSIGN_OR_RETURN(IncidentView view, Apply(action));
    if (UrgencyOf(view.severity) == UrgencyOf(incident.severity)) return view;
    TOCSIN_ASSIGN_OR_RETURN(const auto after, transaction.FindIncident(incident.id));
    if (after) TOCSIN_RETURN_IF_ERROR(desk.Louder(transaction, *after, now));
    return view;
  }
};

}  // namespace

Result<IncidentView> ActOnIncident(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                                   AlertIncidents& alerts, const IncidentId& id, const IncidentAction& action,
                                   const Actor& actor, Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const auto incident, transaction.FindIncident(id));
  if (!incident) return Error(Code::kNotFound, "there is no incident " + id.value);
  TOCSIN_RETURN_IF_ERROR(CheckAction(transaction, *incident, action, actor, now));
  const Acting acting{transaction, desk, alerts, *incident, action, actor, now};
  const std::string& name = action.action;
  if (name == "acknowledge") return acting.Acknowledge();
  if (name == "triage" || name == "mitigate" || name == "monitor") return acting.Work();
  if (name == "snooze") return acting.Snooze();
  if (name == "unacknowledge") return acting.Unacknowledge();
  if (name == "escalate") return acting.Escalate();
  if (name == "split") return acting.Split();
  if (name == "merge") return acting.Merge();
  if (name == "severity") return acting.Severity();
  return acting.Apply(action);
}

}  // namespace tocsin::respond
