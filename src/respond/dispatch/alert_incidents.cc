#include "respond/dispatch/alert_incidents.h"

#include <fmt/format.h>

#include <algorithm>

#include "respond/dispatch/alert_records.h"

namespace tocsin::respond {
Result<AlertIncidents::Touched*> AlertIncidents::Touch(store::LedgerTransaction& transaction,
                                                       const std::string& incident) {
  const auto known = touched_incident_.find(incident);
  if (known != touched_incident_.end()) return known->second;
  TOCSIN_ASSIGN_OR_RETURN(auto row, transaction.FindIncident(IncidentId{incident}));
  if (!row) return nullptr;
  Touched touched;
  touched.incident = std::move(*row);
  TOCSIN_ASSIGN_OR_RETURN(touched.work, ReadAlertWork(transaction, incident));
  touched.was_over = touched.work.over;
  touched_.push_back(std::move(touched));
  return touched_incident_[incident] = &touched_.back();
}

// The incident that a cluster is; a new one when there is none, or a person has ended it.
Result<AlertIncidents::Touched*> AlertIncidents::TouchCluster(store::LedgerTransaction& transaction,
                                                              uint64_t cluster,
                                                              const AlertNotification& notification) {
  if (const auto known = touched_cluster_.find(cluster); known != touched_cluster_.end())
    return known->second;
  auto known = incident_of_.find(cluster);
  const bool full = known == incident_of_.end() && incident_of_.size() >= options_.max_clusters;
  if (known != incident_of_.end() || full) {
    TOCSIN_ASSIGN_OR_RETURN(Touched * touched, Touch(transaction, full ? latest_ : known->second));
    if (touched != nullptr && !signal::IsOver(touched->incident.state)) {
      if (touched->cluster == 0) touched->cluster = cluster;
      return touched_cluster_[cluster] = touched;
    }
  }
  Touched fresh;
  fresh.fresh = true;
  fresh.cluster = cluster;
  fresh.key = fmt::format("alerts|{}|{}", notification.key, cluster);
  touched_.push_back(std::move(fresh));
  return touched_cluster_[cluster] = &touched_.back();
}

Status AlertIncidents::Place(store::LedgerTransaction& transaction, const AlertNotification& notification,
                             const signal::Alert& alert, std::map<Touched*, uint64_t>& counts, Time now) {
  const signal::LabelViews labels(alert.labels);
  uint64_t cluster = correlator_.ClusterOf(alert.fingerprint);
  // What a person has ended is over: an alert that goes on is a failure of its own from now on.
  if (const auto known = incident_of_.find(cluster); known != incident_of_.end()) {
    TOCSIN_ASSIGN_OR_RETURN(const Touched* touched, Touch(transaction, known->second));
    if (touched == nullptr || signal::IsOver(touched->incident.state)) {
      correlator_.Forget(cluster);
      incident_of_.erase(cluster);
    }
  }
  const bool known_alert = correlator_.ClusterOf(alert.fingerprint) != 0;
  const auto placed = correlator_.Place(alert.fingerprint, labels, alert.starts_at, now);
  for (const uint64_t from : placed.merged) merged_.emplace_back(placed.cluster, from);
  TOCSIN_ASSIGN_OR_RETURN(Touched * touched, TouchCluster(transaction, placed.cluster, notification));
  ++counts[touched];
  TakeAlert(touched->work, alert);
  if (!known_alert || touched->fresh) {
    touched->members.push_back({alert.fingerprint, std::string(ServiceOf(labels)),
                                std::string(signal::LabelValue(labels, "alertname")), alert.starts_at, now});
  }
  return {};
}

Status AlertIncidents::RecordOne(store::LedgerTransaction& transaction, const AlertNotification& notification,
                                 Time now) {
  std::map<Touched*, uint64_t> counts;
  for (const auto& alert : notification.firing)
    TOCSIN_RETURN_IF_ERROR(Place(transaction, notification, alert, counts, now));
  // What the notification has no room to list is counted with the failure that has most of it.
  if (!counts.empty() && notification.firing_count > notification.firing.size()) {
    const auto most = std::ranges::max_element(counts, {}, [](const auto& c) { return c.second; });
    most->second += notification.firing_count - notification.firing.size();
  }
  const std::string& receiver = notification.receiver;
  const std::string group = receiver + "|" + notification.group_key;
  std::set<std::string> services;
  for (const auto& alert : notification.firing) {
    if (services.size() < kMaxGroupServices) services.emplace(ServiceOf(signal::LabelViews(alert.labels)));
  }
  for (auto& [touched, count] : counts) {
    touched->news = touched->news || notification.reason != "repeat";
    touched->repeated = touched->repeated || notification.reason == "repeat";
    if (touched->work.receivers.insert(receiver).second) touched->new_receivers.insert(receiver);
    if (touched->work.groups.size() < kMaxWorkGroups || touched->work.groups.contains(group))
      touched->work.groups[group] = {count, services};
    touched->groups.insert(group);
  }
  const auto known = by_group_.find(group);
  if (known == by_group_.end()) return {};
  for (const auto& incident : known->second) {
    TOCSIN_ASSIGN_OR_RETURN(Touched * touched, Touch(transaction, incident));
    if (touched == nullptr || counts.contains(touched)) continue;
    touched->work.groups[group].firing = 0;
    touched->groups.insert(group);
    touched->news = true;
  }
  return {};
}

Status AlertIncidents::Record(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                              const std::vector<AlertNotification>& notifications, Time now) {
  for (const auto& notification : notifications) {
    if (desk.config().RuleFor(notification.receiver).discards) continue;
    TOCSIN_ASSIGN_OR_RETURN(const bool first,
                            RememberTold(transaction, notification.key, now + options_.remember_told));
    if (!first) continue;
    TOCSIN_RETURN_IF_ERROR(RecordOne(transaction, notification, now));
  }
  TOCSIN_RETURN_IF_ERROR(JoinMerged(transaction, desk, now));
  for (auto& touched : touched_) TOCSIN_RETURN_IF_ERROR(Finish(transaction, desk, touched, now));
  return ForgetTold(transaction, now);
}

// Clusters that an alert showed to be one failure: their incidents become one, unless people work on both.
Status AlertIncidents::JoinMerged(store::LedgerTransaction& transaction, const EscalationDesk& desk,
                                  Time now) {
  for (const auto& [into, from] : merged_) {
    const auto incident = incident_of_.find(from);
    const auto fresh = touched_cluster_.find(from);
    Touched* loser = fresh != touched_cluster_.end() ? fresh->second : nullptr;
    if (loser == nullptr && incident != incident_of_.end()) {
      TOCSIN_ASSIGN_OR_RETURN(loser, Touch(transaction, incident->second));
    }
    if (loser == nullptr || (!loser->fresh && signal::IsOver(loser->incident.state))) continue;
    const auto to = touched_cluster_.find(into);
    Touched* winner = to != touched_cluster_.end() ? to->second : nullptr;
    if (winner == loser) continue;
    if (winner == nullptr) {
      touched_cluster_[into] = loser;
      loser->cluster = into;
      continue;
    }
    // The older incident, which people may know, is the one that stays.
    if (winner->fresh && !loser->fresh) std::swap(winner, loser);
    if (!winner->fresh && !loser->fresh && loser->incident.opened < winner->incident.opened)
      std::swap(winner, loser);
    TOCSIN_RETURN_IF_ERROR(Join(transaction, desk, *winner, *loser, now));
    touched_cluster_[into] = winner;
    winner->cluster = into;
  }
  return {};
}

Status AlertIncidents::Join(store::LedgerTransaction& transaction, const EscalationDesk& desk, Touched& into,
                            Touched& from, Time now) {
  if (!from.fresh) {
    TOCSIN_ASSIGN_OR_RETURN(const IncidentView view, ReadView(transaction, from.incident));
    const bool worked_on = !view.acknowledged_by.empty() || view.state != "open" || view.notes > 0 ||
                           !view.tasks.empty() || !view.roles.empty();
    if (worked_on || into.fresh) return {};
    const auto merged = ApplyAction(
        transaction, from.incident.id,
        IncidentAction{"merge", {{"into", into.incident.id.value}, {"reason", "one failure"}}, {}},
        Actor{"tocsin", false, true}, now);
    if (!merged) return merged.error();
    TOCSIN_ASSIGN_OR_RETURN(
        [[maybe_unused]] const bool ended,
        desk.Resolve(transaction, from.incident, "It is one failure with " + into.incident.id.value, now));
    from.incident.state = "merged";
  }
  AlertWork& work = into.work;
  for (const auto& receiver : from.work.receivers) {
    if (work.receivers.insert(receiver).second) into.new_receivers.insert(receiver);
  }
  AddGroups(work, from.work);
  for (const auto& [service, alert] : from.work.first) work.first.try_emplace(service, alert);
  work.severity = std::min(work.severity, from.work.severity);
  if (!work.onset.known() || (from.work.onset.known() && from.work.onset < work.onset))
    work.onset = from.work.onset;
  into.groups.insert(from.groups.begin(), from.groups.end());
  into.members.insert(into.members.end(), from.members.begin(), from.members.end());
  if (!from.fresh) {
    TOCSIN_ASSIGN_OR_RETURN(auto members, ReadMembers(transaction, from.incident.id.value));
    into.members.insert(into.members.end(), members.begin(), members.end());
    for (const auto& [group, state] : from.work.groups) {
      into.groups.insert(group);
      from.groups.insert(group);
    }
    from.work.groups.clear();
  }
  into.news = true;
  from.fresh = false;  // nothing is to be opened for it
  from.news = false;
  return {};
}

void AlertIncidents::Committed() {
  for (const auto& [into, from] : merged_) incident_of_.erase(from);
  for (const auto& [cluster, touched] : touched_cluster_) {
    if (touched->incident.id.value.empty() || signal::IsOver(touched->incident.state)) continue;
    incident_of_[cluster] = touched->incident.id.value;
    if (touched->fresh) latest_ = touched->incident.id.value;
  }
  for (const auto& touched : touched_) {
    const auto& id = touched.incident.id.value;
    if (id.empty()) continue;
    for (const auto& group : touched.groups) {
      const auto at = touched.work.groups.find(group);
      if (at != touched.work.groups.end() && at->second.firing > 0) {
        by_group_[group].insert(id);
      } else if (const auto known = by_group_.find(group); known != by_group_.end()) {
        known->second.erase(id);
        if (known->second.empty()) by_group_.erase(known);
      }
    }
  }
  merged_.clear();
  rearranged_ = false;
  RolledBack();
}

void AlertIncidents::RolledBack() {
  touched_.clear();
  touched_incident_.clear();
  touched_cluster_.clear();
}

void AlertIncidents::Close(Time now, const std::function<bool(uint64_t)>& firing) {
  for (const uint64_t cluster : correlator_.Close(now, firing)) incident_of_.erase(cluster);
}

Status AlertIncidents::Restore(store::Ledger& ledger) {
  ServiceGraph graph = std::move(correlator_.graph());
  if (!graph_read_) {
    TOCSIN_ASSIGN_OR_RETURN(graph, ReadGraph(ledger));
  }
  graph_read_ = true;
  correlator_ = Correlator(options_.correlation, std::move(graph));
  incident_of_.clear();
  by_group_.clear();
  merged_.clear();
  rearranged_ = false;
  RolledBack();
  TOCSIN_ASSIGN_OR_RETURN(const auto active, ReadActiveAlertIncidents(ledger));
  for (const auto& [incident, work, members] : active) {
    for (const auto& [group, state] : work.groups) {
      if (state.firing > 0) by_group_[group].insert(incident.id.value);
    }
    if (!members.empty()) incident_of_[correlator_.Restore(members)] = incident.id.value;
    latest_ = incident.id.value;
  }
  return {};
}

Status AlertIncidents::SaveGraph(store::LedgerTransaction& transaction) {
  std::string bytes = correlator_.graph().Save();
  if (bytes == saved_graph_) return {};
  TOCSIN_RETURN_IF_ERROR(WriteGraph(transaction, bytes));
  saved_graph_ = std::move(bytes);
  return {};
}

}  // namespace tocsin::respond
