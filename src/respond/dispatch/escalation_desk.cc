#include "respond/dispatch/escalation_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "respond/dispatch/ledger_outbox.h"
#include "respond/dispatch/page_message.h"
#include "respond/lifecycle/incident_action.h"
#include "respond/timeline.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

// Runs of one policy are numbered from here on, so that pages of two policies never share a key.
constexpr int64_t kRunsOfAPolicy = 1'000'000;

// What is on the timeline already by other means.
bool ToldElsewhere(const std::string& kind) {
  return kind == "paged" || kind == "acknowledged" || kind == "resolved";
}

std::string PagePrefix(const EscalationRun& run) {
  return fmt::format("page/{}/{}/", run.incident(), run.run());
}

}  // namespace

const EscalationPolicy* EscalationDesk::PolicyOf(const std::string& name) const {
  const auto& policies = config_->oncall.policies;
  auto it = policies.find(name);
  if (it == policies.end()) it = policies.find(config_->incidents.policy);
  return it == policies.end() ? nullptr : &it->second;
}

const EscalationPolicy& EscalationDesk::PolicyOrNone(const std::string& name) const {
  static const EscalationPolicy kNone;
  const EscalationPolicy* policy = PolicyOf(name);
  return policy != nullptr ? *policy : kNone;
}

Status EscalationDesk::Hand(store::LedgerTransaction& transaction, const signal::Incident& incident,
                            const PageOrder& order, Time now) const {
  const auto preferences = config_->preferences.find(order.person);
  const auto person = config_->oncall.people.find(order.person);
  ChannelPlan plan;
  if (preferences != config_->preferences.end()) {
    UtcOffset offset;
    if (person != config_->oncall.people.end())
      offset = [zone = person->second.zone](Time at) { return zone.OffsetAt(at); };
    plan = PlanChannels(preferences->second, UrgencyOf(incident.severity), order.last_step, now, offset);
  }
  json body = {{"person", order.person},       {"run", order.run},
               {"repeat", order.repeat},       {"step", order.step},
               {"last_step", order.last_step}, {"key", order.key},
               {"channels", plan.destinations}};
  if (!plan.reason.empty()) body["why"] = plan.reason;
  if (plan.destinations.empty()) {
    body["why"] = order.person + " has no channel to be told by";
    return AppendEvent(transaction, "incident.page_failed", incident.id.value, "tocsin", body, now);
  }
  auto message = MessageAbout(incident, "page", "", *config_, now);
  TOCSIN_ASSIGN_OR_RETURN(auto item, outbox_->NewItem(order.key, order.person, std::move(message),
                                                      plan.destinations, now, plan.not_before));
  TOCSIN_RETURN_IF_ERROR(PutNewItem(transaction, item));
  return AppendEvent(transaction, "incident.paged", incident.id.value, "tocsin", body, now);
}

// The pages of one step: those first in line that belong together.
Status EscalationDesk::HandStep(store::LedgerTransaction& transaction, const signal::Incident& incident,
                                StoredRun& run, Time now) const {
  const std::vector<PageOrder> orders = run.run.pending();
  for (const auto& order : orders) {
    if (order.repeat != orders[0].repeat || order.step != orders[0].step) break;
    TOCSIN_RETURN_IF_ERROR(Hand(transaction, incident, order, now));
    run.run.Confirm(order.key);
    if (!config_->preferences.contains(order.person)) (void)run.run.CouldNotTell(order.key, now);
  }
  return {};
}

Status EscalationDesk::Note(store::LedgerTransaction& transaction, const signal::Incident& incident,
                            const StoredRun& run, const EscalationEvent& event, Time now) const {
  const json body = {{"text", event.text}, {"policy", run.run.policy()}};
  const std::string kind = "escalation." + event.kind;
  if (event.kind != "ack_expired")
    return AppendEvent(transaction, kind, incident.id.value, "tocsin", body, now);
  // The incident has nobody again.
  return RecordEvent(transaction, incident.id, kind, body, Actor{"tocsin", false}, now);
}

Status EscalationDesk::Store(store::LedgerTransaction& transaction, const signal::Incident& incident,
                             StoredRun& run, EscalationOutcome outcome, Time now) const {
  for (const auto& event : outcome.events) {
    if (event.kind == "paged") TOCSIN_RETURN_IF_ERROR(HandStep(transaction, incident, run, now));
    if (!ToldElsewhere(event.kind)) TOCSIN_RETURN_IF_ERROR(Note(transaction, incident, run, event, now));
  }
  while (!run.run.pending().empty()) TOCSIN_RETURN_IF_ERROR(HandStep(transaction, incident, run, now));
  return PutRun(transaction, run);
}

Status EscalationDesk::Withdraw(store::LedgerTransaction& transaction, const signal::Incident& incident,
                                StoredRun& run, const std::string& prefix, EscalationOutcome outcome,
                                const std::string& why, Time now) const {
  TOCSIN_RETURN_IF_ERROR(DropOpenPages(transaction, *outbox_, incident.id.value, why, now, prefix));
  return Store(transaction, incident, run, std::move(outcome), now);
}

Status EscalationDesk::Start(store::LedgerTransaction& transaction, const signal::Incident& incident,
                             const std::string& policy_name, Time now) const {
  const EscalationPolicy* policy = PolicyOf(policy_name);
  if (policy == nullptr) return {};
  TOCSIN_ASSIGN_OR_RETURN(const auto runs, RunsOf(transaction, incident.id));
  int64_t number = 1 + static_cast<int64_t>(runs.size()) * kRunsOfAPolicy;
  for (const auto& other : runs) {
    if (other.run.policy() != policy->name) continue;
    const auto& state = other.run.state();
    if (state == "running" || state == "acknowledged") return {};
    number = other.run.run() + 1;
  }
  EscalationOutcome outcome;
  StoredRun run{RunId(incident.id, policy->name),
                EscalationRun::Start(incident.id.value, number, *policy, now, outcome)};
  outcome.Add(run.run.Advance(now, *policy, resolver_));
  return Store(transaction, incident, run, std::move(outcome), now);
}

Status EscalationDesk::PageBy(store::LedgerTransaction& transaction, const signal::Incident& incident,
                              const std::vector<ReceiverRule>& rules, const std::string& occasion,
                              const std::string& what, Time now) const {
  for (const auto& rule : rules) {
    if (!rule.policy.empty()) TOCSIN_RETURN_IF_ERROR(Start(transaction, incident, rule.policy, now));
    TOCSIN_RETURN_IF_ERROR(Tell(transaction, incident, rule.tell, "page", occasion, what, now));
  }
  return {};
}

Status EscalationDesk::AdvanceOne(store::LedgerTransaction& transaction, const store::Document& document,
                                  Time now) const {
  const IncidentId id = IncidentOfRun(document.id);
  TOCSIN_ASSIGN_OR_RETURN(const auto incident, transaction.FindIncident(id));
  if (!incident) return DeleteRun(transaction, document.id);
  EscalationOutcome outcome;
  auto read = ReadRun(document);
  const std::string name = read ? read->policy() : PolicyOfRun(document.id);
  const EscalationPolicy* policy = PolicyOf(name);
  if (!read) {
    // Rather a page too many than none: begun anew, under numbers that no page had.
    outcome.events.push_back({"damaged", read.error().message(), now});
    read = EscalationRun::Start(id.value, now.ns / 1'000'000, PolicyOrNone(name), now, outcome);
  }
  StoredRun run{document.id, std::move(*read)};
  if (policy == nullptr) {
    auto ended = run.run.Resolve(now);
    if (ended) outcome.events.push_back({"ended", fmt::format("policy '{}' is gone", name), now});
    return Store(transaction, *incident, run, std::move(outcome), now);
  }
  outcome.Add(run.run.Advance(now, *policy, resolver_));
  return Store(transaction, *incident, run, std::move(outcome), now);
}

Result<size_t> EscalationDesk::AdvanceDue(store::LedgerTransaction& transaction, Time now,
                                          size_t limit) const {
  TOCSIN_ASSIGN_OR_RETURN(const auto due, RunsDue(transaction, now, limit));
  for (const auto& document : due) TOCSIN_RETURN_IF_ERROR(AdvanceOne(transaction, document, now));
  return due.size();
}

Status EscalationDesk::LookAtAll(store::LedgerTransaction& transaction, Time now) const {
  TOCSIN_ASSIGN_OR_RETURN(const auto waiting, RunsWaiting(transaction));
  for (const auto& document : waiting) TOCSIN_RETURN_IF_ERROR(AdvanceOne(transaction, document, now));
  return {};
}

Status EscalationDesk::Tell(store::LedgerTransaction& transaction, const signal::Incident& incident,
                            const std::vector<std::string>& destinations, const std::string& kind,
                            const std::string& occasion, const std::string& what, Time now) const {
  for (const auto& destination : destinations) {
    TOCSIN_ASSIGN_OR_RETURN(
        auto item,
        outbox_->NewItem(fmt::format("tell/{}/{}/{}", incident.id.value, occasion, destination), "",
                         MessageAbout(incident, kind, what, *config_, now), {destination}, now));
    TOCSIN_RETURN_IF_ERROR(PutNewItem(transaction, item));
  }
  return {};
}

Status EscalationDesk::Ask(store::LedgerTransaction& transaction, const std::string& key,
                           const NotificationMessage& message, const std::vector<std::string>& destinations,
                           const std::string& person, Time now) const {
  for (const auto& destination : destinations) {
    TOCSIN_ASSIGN_OR_RETURN(auto item, outbox_->NewItem(fmt::format("ask/{}/{}", key, destination), "",
                                                        message, {destination}, now));
    TOCSIN_RETURN_IF_ERROR(PutNewItem(transaction, item));
  }
  const auto preferences = config_->preferences.find(person);
  if (person.empty() || preferences == config_->preferences.end()) return {};
  const auto plan = PlanChannels(preferences->second, "high", true, now, {});
  if (plan.destinations.empty()) return {};
  TOCSIN_ASSIGN_OR_RETURN(auto item, outbox_->NewItem(fmt::format("ask/{}/{}", key, person), person, message,
                                                      plan.destinations, now));
  return PutNewItem(transaction, item);
}

// PagerDuty keeps an incident of its own and must hear the end of it; people only hear that it is over.
Status EscalationDesk::TellPaged(store::LedgerTransaction& transaction, const signal::Incident& incident,
                                 const EscalationRun& run, const std::string& kind, const std::string& what,
                                 Time now) const {
  std::map<std::string, std::string> channel_of;
  for (const auto& destination : config_->destinations) channel_of[destination.name] = destination.channel;
  for (const auto& person : run.paged()) {
    const auto preferences = config_->preferences.find(person);
    if (preferences == config_->preferences.end()) continue;
    std::vector<std::string> pagers;
    for (const auto& [urgency, names] : preferences->second.channels) {
      for (const auto& name : names) {
        if (channel_of[name] == "pagerduty" && std::ranges::find(pagers, name) == pagers.end())
          pagers.push_back(name);
      }
    }
    const auto occasion = fmt::format("{}/{}/{}", kind, run.run(), person);
    TOCSIN_RETURN_IF_ERROR(Tell(transaction, incident, pagers, kind, occasion, what, now));
    if (kind != "resolved") continue;
    auto plan = PlanChannels(preferences->second, "low", false, now, {});
    std::erase_if(plan.destinations, [&](const auto& name) { return channel_of[name] == "pagerduty"; });
    if (plan.destinations.empty()) continue;
    TOCSIN_ASSIGN_OR_RETURN(
        auto item,
        outbox_->NewItem(fmt::format("tell/{}/{}", incident.id.value, occasion), person,
                         MessageAbout(incident, kind, what, *config_, now), plan.destinations, now));
    TOCSIN_RETURN_IF_ERROR(PutNewItem(transaction, item));
  }
  return {};
}

Result<bool> EscalationDesk::Acknowledge(store::LedgerTransaction& transaction,
                                         const signal::Incident& incident, const std::string& by,
                                         bool is_person, Time now) const {
  TOCSIN_ASSIGN_OR_RETURN(auto runs, RunsOf(transaction, incident.id));
  Status refused;
  bool accepted = runs.empty(), changed = false;
  for (auto& run : runs) {
    const EscalationPolicy& policy = PolicyOrNone(run.run.policy());
    if (run.run.state() == "resolved") {  // nobody is paged any more; who may take it is as before
      const Status may = run.run.MayTake(by, is_person, policy, resolver_);
      accepted = accepted || may.ok();
      if (!may.ok() && refused.ok()) refused = may;
      continue;
    }
    const std::string prefix = PagePrefix(run.run);
    auto outcome = run.run.Acknowledge(by, is_person, 0, now, policy, resolver_);
    if (!outcome) {
      if (outcome.error().code() == Code::kAlreadyExists) accepted = true;
      if (refused.ok()) refused = outcome.error();
      continue;
    }
    accepted = changed = true;
    TOCSIN_RETURN_IF_ERROR(
        Withdraw(transaction, incident, run, prefix, std::move(*outcome), "acknowledged by " + by, now));
    TOCSIN_RETURN_IF_ERROR(
        TellPaged(transaction, incident, run.run, "acknowledged", "Acknowledged by " + by, now));
  }
  if (!accepted) return Error(refused);
  return changed;
}

Status EscalationDesk::Snooze(store::LedgerTransaction& transaction, const signal::Incident& incident,
                              const std::string& by, bool is_person, Time until, Time now) const {
  TOCSIN_ASSIGN_OR_RETURN(auto runs, RunsOf(transaction, incident.id));
  Status refused(Code::kFailedPrecondition, "nobody is being paged about " + incident.id.value);
  bool accepted = false;
  for (auto& run : runs) {
    if (run.run.state() == "resolved") continue;
    const std::string prefix = PagePrefix(run.run);
    auto outcome = run.run.Snooze(by, is_person, until, now, PolicyOrNone(run.run.policy()), resolver_);
    if (!outcome) {
      refused = outcome.error();
      continue;
    }
    accepted = true;
    TOCSIN_RETURN_IF_ERROR(
        Withdraw(transaction, incident, run, prefix, std::move(*outcome), "put off by " + by, now));
  }
  return accepted ? Status() : refused;
}

Status EscalationDesk::Unacknowledge(store::LedgerTransaction& transaction, const signal::Incident& incident,
                                     const std::string& by, Time now) const {
  TOCSIN_ASSIGN_OR_RETURN(auto runs, RunsOf(transaction, incident.id));
  bool accepted = false;
  for (auto& run : runs) {
    const EscalationPolicy* policy = PolicyOf(run.run.policy());
    if (policy == nullptr) continue;
    auto outcome = run.run.Unacknowledge(by, now, *policy);
    if (!outcome) continue;
    accepted = true;
    outcome->Add(run.run.Advance(now, *policy, resolver_));
    TOCSIN_RETURN_IF_ERROR(Store(transaction, incident, run, std::move(*outcome), now));
  }
  if (accepted) return {};
  return {Code::kFailedPrecondition, "nobody has acknowledged " + incident.id.value};
}

Status EscalationDesk::Reassign(store::LedgerTransaction& transaction, const signal::Incident& incident,
                                const std::string& by, const std::string& policy, Time now) const {
  if (!config_->oncall.policies.contains(policy))
    return {Code::kNotFound, fmt::format("there is no policy '{}'", policy)};
  TOCSIN_ASSIGN_OR_RETURN(auto runs, RunsOf(transaction, incident.id));
  for (auto& run : runs) {
    if (run.run.state() == "resolved") continue;
    if (run.run.policy() == policy && run.run.state() == "running") continue;
    const std::string prefix = PagePrefix(run.run);
    auto outcome = run.run.Resolve(now);
    if (!outcome) continue;
    outcome->events = {
        {"reassigned", fmt::format("by {} from policy '{}' to '{}'", by, run.run.policy(), policy), now}};
    TOCSIN_RETURN_IF_ERROR(Withdraw(transaction, incident, run, prefix, std::move(*outcome),
                                    "passed on to " + policy + " by " + by, now));
  }
  return Start(transaction, incident, policy, now);
}

Result<bool> EscalationDesk::Resolve(store::LedgerTransaction& transaction, const signal::Incident& incident,
                                     const std::string& what, Time now) const {
  TOCSIN_ASSIGN_OR_RETURN(auto runs, RunsOf(transaction, incident.id));
  bool any = false;
  for (auto& run : runs) {
    const std::string prefix = PagePrefix(run.run);
    auto outcome = run.run.Resolve(now);
    if (!outcome) continue;
    any = true;
    TOCSIN_RETURN_IF_ERROR(Withdraw(transaction, incident, run, prefix, std::move(*outcome), what, now));
    TOCSIN_RETURN_IF_ERROR(TellPaged(transaction, incident, run.run, "resolved", what, now));
  }
  return any;
}

Status EscalationDesk::ShiftBack(store::LedgerTransaction& transaction, Duration back, Time now) const {
  TOCSIN_ASSIGN_OR_RETURN(const auto waiting, RunsWaiting(transaction));
  for (const auto& document : waiting) {
    auto read = ReadRun(document);
    if (!read) continue;  // begun anew when it is due
    const IncidentId id = IncidentOfRun(document.id);
    StoredRun run{document.id, std::move(*read)};
    run.run.ShiftBack(back);
    TOCSIN_RETURN_IF_ERROR(PutRun(transaction, run));
    const json body = {{"text", "the clock was put back by " + FormatDuration(back) + "; waits are kept"},
                       {"policy", run.run.policy()}};
    TOCSIN_RETURN_IF_ERROR(AppendEvent(transaction, "escalation.clock_back", id.value, "tocsin", body, now));
  }
  return {};
}

Status EscalationDesk::Louder(store::LedgerTransaction& transaction, const signal::Incident& incident,
                              Time now) const {
  if (UrgencyOf(incident.severity) != "high") return {};
  TOCSIN_ASSIGN_OR_RETURN(auto runs, RunsOf(transaction, incident.id));
  for (auto& run : runs) {
    const EscalationPolicy* policy = PolicyOf(run.run.policy());
    if (policy == nullptr || (run.run.state() != "running" && run.run.state() != "ended")) continue;
    const std::string prefix = PagePrefix(run.run);
    auto outcome = run.run.Reassign("tocsin", now, *policy);
    if (!outcome) continue;
    outcome->events = {{"louder", "it is " + incident.severity + " now: paging begins anew", now}};
    outcome->Add(run.run.Advance(now, *policy, resolver_));
    TOCSIN_RETURN_IF_ERROR(
        Withdraw(transaction, incident, run, prefix, std::move(*outcome), "paged anew, more urgent", now));
  }
  return {};
}

Status EscalationDesk::Hasten(store::LedgerTransaction& transaction, const IncidentId& incident,
                              const std::string& step, Time now) const {
  TOCSIN_ASSIGN_OR_RETURN(const auto found, transaction.FindIncident(incident));
  if (!found) return {};
  TOCSIN_ASSIGN_OR_RETURN(auto runs, RunsOf(transaction, incident));
  for (auto& run : runs) {
    if (run.run.CouldNotTell(step, now)) TOCSIN_RETURN_IF_ERROR(Store(transaction, *found, run, {}, now));
  }
  return {};
}

}  // namespace tocsin::respond
