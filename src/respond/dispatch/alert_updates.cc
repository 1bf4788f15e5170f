// The second half of AlertIncidents: what a changed failure does to its incident, to those who are paged and
// to the places that are told.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "respond/dispatch/alert_incidents.h"
#include "respond/dispatch/alert_records.h"
#include "respond/timeline.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

const Actor kTocsin{"tocsin", false};

// A person may be faster: then it stays as the person left it.
Status ActOn(store::LedgerTransaction& transaction, signal::Incident& incident, const char* action,
             const std::string& reason, Time now) {
  const auto view =
      ApplyAction(transaction, incident.id, IncidentAction{action, {{"reason", reason}}, {}}, kTocsin, now);
  if (view) incident.state = view->state;
  if (!view && view.error().code() != Code::kFailedPrecondition) return view.error();
  return {};
}

// Groups of the services that go elsewhere go with them; those of both sides are both's until they are looked
// at next.
void DivideGroups(AlertWork& staying, AlertWork& going, const std::vector<std::string>& services) {
  const auto goes = [&](const std::string& service) {
    return std::ranges::find(services, service) != services.end();
  };
  for (auto it = going.groups.begin(); it != going.groups.end();) {
    const auto& of = it->second.services;
    if (std::ranges::all_of(of, goes)) staying.groups.erase(it->first);
    it = std::ranges::none_of(of, goes) ? going.groups.erase(it) : std::next(it);
  }
}

}  // namespace

Status AlertIncidents::PageFor(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                               Touched& touched, const std::set<std::string>& receivers,
                               const std::string& what, Time now) {
  std::vector<ReceiverRule> rules;
  for (const auto& receiver : receivers) rules.push_back(desk.config().RuleFor(receiver));
  TOCSIN_RETURN_IF_ERROR(desk.PageBy(transaction, touched.incident, rules,
                                     fmt::format("opened/{}", touched.work.tellings), what, now));
  ++touched.work.tellings;
  touched.work.told_at = now;
  return {};
}

Status AlertIncidents::TellPlaces(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                                  Touched& touched, const std::string& kind, const std::string& what,
                                  Time now) {
  std::vector<std::string> places;
  for (const auto& receiver : touched.work.receivers) {
    for (const auto& place : desk.config().RuleFor(receiver).tell) {
      if (std::ranges::find(places, place) == places.end()) places.push_back(place);
    }
  }
  TOCSIN_RETURN_IF_ERROR(desk.Tell(transaction, touched.incident, places, kind,
                                   fmt::format("{}/{}", kind, touched.work.tellings), what, now));
  ++touched.work.tellings;
  touched.work.told = what;
  touched.work.told_at = now;
  return {};
}

Status AlertIncidents::Open(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                            Touched& touched, Time now) {
  const signal::Incident& described = touched.incident;
  Declaration declaration;
  declaration.title = described.title;
  declaration.service = described.service;
  declaration.severity = touched.work.severity;
  declaration.kind = "alerts";
  declaration.key = touched.key;
  declaration.document_json = described.document_json;
  declaration.onset = described.onset;
  declaration.page = std::ranges::any_of(
      touched.work.receivers, [&](const auto& r) { return !desk.config().RuleFor(r).policy.empty(); });
  TOCSIN_ASSIGN_OR_RETURN(touched.incident, DeclareIncident(transaction, declaration, kTocsin, now));
  TOCSIN_RETURN_IF_ERROR(PageFor(transaction, desk, touched, touched.work.receivers, "", now));
  return WriteAlertWork(transaction, touched.incident.id.value, touched.work, touched.members);
}

Status AlertIncidents::Update(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                              Touched& touched, const signal::Incident& before, Time now) {
  signal::Incident& incident = touched.incident;
  TOCSIN_ASSIGN_OR_RETURN(const IncidentView view, ReadView(transaction, before));
  incident.severity =
      view.severity.empty() ? std::min(before.severity, touched.work.severity) : view.severity;
  std::string what;
  const auto add = [&](const std::string& text) { what += (what.empty() ? "" : "; ") + text; };
  if (incident.severity != before.severity) add("severity " + before.severity + " → " + incident.severity);
  if (incident.service != before.service) add("the probable source is now " + incident.service);
  if (!what.empty() || incident.title != before.title) {
    incident.updated = std::max(incident.updated, now);
    const json body = {{"title", incident.title},
                       {"severity", incident.severity},
                       {"kind", incident.kind},
                       {"page", incident.page},
                       {"new", what.empty() ? "it grows" : what}};
    TOCSIN_RETURN_IF_ERROR(
        AppendEvent(transaction, "incident.updated", incident.id.value, "tocsin", body, now));
  }
  TOCSIN_RETURN_IF_ERROR(transaction.PutIncident(incident));
  if (UrgencyOf(incident.severity) != UrgencyOf(before.severity))
    TOCSIN_RETURN_IF_ERROR(desk.Louder(transaction, incident, now));
  if (!touched.new_receivers.empty())
    TOCSIN_RETURN_IF_ERROR(PageFor(transaction, desk, touched, touched.new_receivers, "", now));
  const bool due = now - touched.work.told_at >= options_.update_interval;
  if (touched.news && touched.work.firing() > 0 && (due || !what.empty())) {
    if (what.empty()) what = ExtentOf(touched.work);
    if (what != touched.work.told)
      TOCSIN_RETURN_IF_ERROR(TellPlaces(transaction, desk, touched, "update", what, now));
  }
  return {};
}

Status AlertIncidents::Transition(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                                  Touched& touched, Time now) {
  signal::Incident& incident = touched.incident;
  touched.work.over = touched.work.firing() == 0;
  if (touched.work.over && !touched.was_over) {
    static const std::string kWhy = "every alert of it is over";
    if (incident.state != "monitoring")
      TOCSIN_RETURN_IF_ERROR(ActOn(transaction, incident, "monitor", kWhy, now));
    TOCSIN_ASSIGN_OR_RETURN([[maybe_unused]] const bool ended,
                            desk.Resolve(transaction, incident, "Every alert of it is over", now));
    return TellPlaces(transaction, desk, touched, "resolved", "Every alert of it is over", now);
  }
  if (!touched.work.over && touched.was_over) {
    if (incident.state == "monitoring")
      TOCSIN_RETURN_IF_ERROR(ActOn(transaction, incident, "mitigate", "it fires again", now));
    TOCSIN_RETURN_IF_ERROR(RecordNobodyHasIt(transaction, incident.id, "it fires again", now));
    return PageFor(transaction, desk, touched, touched.work.receivers, "It fires again", now);
  }
  if (!touched.repeated || touched.work.over) return {};
  // Nobody took it, and it goes on: what has ended begins anew.
  for (const auto& receiver : touched.work.receivers) {
    const auto& policy = desk.config().RuleFor(receiver).policy;
    if (!policy.empty() && incident.state != "monitoring")
      TOCSIN_RETURN_IF_ERROR(desk.Start(transaction, incident, policy, now));
  }
  return TellPlaces(transaction, desk, touched, "update", "It still fires", now);
}

Status AlertIncidents::Finish(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                              Touched& touched, Time now) {
  const bool joined = !touched.fresh && touched.incident.id.value.empty();
  if (joined) return {};
  if (!touched.fresh && signal::IsOver(touched.incident.state)) {
    return WriteAlertWork(transaction, touched.incident.id.value, touched.work, touched.members);
  }
  if (touched.cluster == 0 && !touched.work.first.empty())
    touched.cluster = correlator_.ClusterOf(touched.work.first.begin()->second.fingerprint);
  const signal::Incident before = touched.incident;
  if (const auto cluster = correlator_.Find(touched.cluster)) {
    touched.work.services = std::max<uint64_t>(cluster->services.size(), 1);
    Describe(touched.incident, touched.work, correlator_.Sources(touched.cluster));
  }
  if (touched.fresh) return Open(transaction, desk, touched, now);
  TOCSIN_RETURN_IF_ERROR(Update(transaction, desk, touched, before, now));
  TOCSIN_RETURN_IF_ERROR(Transition(transaction, desk, touched, now));
  return WriteAlertWork(transaction, touched.incident.id.value, touched.work, touched.members);
}

Result<signal::Incident> AlertIncidents::Split(store::LedgerTransaction& transaction,
                                               const EscalationDesk& desk, const IncidentId& from,
                                               const std::vector<std::string>& services, const Actor& actor,
                                               Time now) {
  const auto at = std::ranges::find_if(incident_of_, [&](const auto& e) { return e.second == from.value; });
  if (at == incident_of_.end())
    return Error(Code::kFailedPrecondition,
                 from.value + " has no alerts that fire: nothing can be taken out");
  TOCSIN_ASSIGN_OR_RETURN(Touched * old, Touch(transaction, from.value));
  if (old == nullptr) return Error(Code::kNotFound, "there is no incident " + from.value);
  TOCSIN_ASSIGN_OR_RETURN(const uint64_t made, correlator_.Split(at->first, services));
  rearranged_ = true;
  old->cluster = at->first;
  Touched fresh;
  fresh.fresh = true;
  fresh.cluster = made;
  fresh.key = fmt::format("{}|split|{}", old->incident.key, now.ns);
  fresh.work = old->work;
  fresh.work.member_parts = fresh.work.tellings = 0;
  fresh.work.first.clear();
  TOCSIN_ASSIGN_OR_RETURN(const auto members, ReadMembers(transaction, from.value));
  std::vector<Correlator::Member> staying;
  for (const auto& member : members)
    (std::ranges::find(services, member.service) != services.end() ? fresh.members : staying)
        .push_back(member);
  for (const auto& service : services) {
    if (auto node = old->work.first.extract(service)) fresh.work.first.insert(std::move(node));
  }
  DivideGroups(old->work, fresh.work, services);
  for (const auto& [group, state] : fresh.work.groups) {
    if (state.firing > 0) fresh.groups.insert(group);
    old->groups.insert(group);
  }
  touched_.push_back(std::move(fresh));
  Touched& split = touched_.back();
  touched_cluster_[made] = &split;
  TOCSIN_RETURN_IF_ERROR(ReplaceMembers(transaction, from.value, old->work, staying));
  TOCSIN_RETURN_IF_ERROR(Finish(transaction, desk, split, now));
  TOCSIN_RETURN_IF_ERROR(Finish(transaction, desk, *old, now));
  TOCSIN_RETURN_IF_ERROR(AppendEvent(transaction, "incident.split", from.value, actor.name,
                                     {{"into", split.incident.id.value}, {"services", services}}, now));
  TOCSIN_RETURN_IF_ERROR(AppendEvent(transaction, "incident.split_from", split.incident.id.value, actor.name,
                                     {{"from", from.value}, {"services", services}}, now));
  return split.incident;
}

Status AlertIncidents::Merged(store::LedgerTransaction& transaction, const IncidentId& into,
                              const IncidentId& from) {
  TOCSIN_ASSIGN_OR_RETURN(Touched * winner, Touch(transaction, into.value));
  TOCSIN_ASSIGN_OR_RETURN(Touched * loser, Touch(transaction, from.value));
  if (winner == nullptr || loser == nullptr) return {};
  if (winner->incident.kind != "alerts" || loser->incident.kind != "alerts") return {};
  const auto cluster_of = [&](const IncidentId& id) {
    const auto at = std::ranges::find_if(incident_of_, [&](const auto& e) { return e.second == id.value; });
    return at == incident_of_.end() ? uint64_t{0} : at->first;
  };
  const uint64_t to = cluster_of(into), gone = cluster_of(from);
  rearranged_ = true;
  if (to != 0 && gone != 0) {
    TOCSIN_RETURN_IF_ERROR(correlator_.Merge(to, gone));
    incident_of_.erase(gone);
  } else if (gone != 0) {
    incident_of_[gone] = into.value;
  }
  winner->cluster = to != 0 ? to : gone;
  for (const auto& receiver : loser->work.receivers) winner->work.receivers.insert(receiver);
  AddGroups(winner->work, loser->work);
  for (const auto& [group, state] : loser->work.groups) {
    winner->groups.insert(group);
    loser->groups.insert(group);
  }
  for (const auto& [service, alert] : loser->work.first) winner->work.first.try_emplace(service, alert);
  loser->work.groups.clear();
  winner->work.over = winner->work.firing() == 0;
  TOCSIN_ASSIGN_OR_RETURN(const auto members, ReadMembers(transaction, from.value));
  TOCSIN_RETURN_IF_ERROR(WriteAlertWork(transaction, from.value, loser->work, {}));
  return WriteAlertWork(transaction, into.value, winner->work, members);
}

}  // namespace tocsin::respond
