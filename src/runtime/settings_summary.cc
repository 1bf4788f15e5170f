#include "runtime/settings_summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "respond/alerts/routing.h"

namespace tocsin::runtime {
namespace {

using respond::DispatchConfig;
using respond::EscalationPolicy;
using respond::ReceiverRule;
using respond::Schedule;

struct Gap {
  Time from, to;
};

std::vector<Gap> GapsOf(const Schedule& schedule, Time now) {
  std::vector<Gap> out;
  const auto shifts = respond::Shifts(schedule, now, now + kLookAhead);
  if (!shifts) return out;
  for (const auto& shift : *shifts) {
    if (shift.person.empty()) out.push_back({shift.from, shift.to});
  }
  return out;
}

std::vector<Gap> Both(const std::vector<Gap>& a, const std::vector<Gap>& b) {
  std::vector<Gap> out;
  for (const Gap& x : a) {
    for (const Gap& y : b) {
      const Gap both{std::max(x.from, y.from), std::min(x.to, y.to)};
      if (both.from < both.to) out.push_back(both);
    }
  }
  return out;
}

// When the step would page nobody.
std::vector<Gap> EmptyTimes(const respond::EscalationStep& step, const DispatchConfig& dispatch, Time now) {
  std::vector<Gap> out{{now, now + kLookAhead}};
  for (const auto& target : step.targets) {
    if (target.kind == "person") return {};
    const auto schedule = dispatch.oncall.schedules.find(target.name);
    if (schedule != dispatch.oncall.schedules.end()) out = Both(out, GapsOf(schedule->second, now));
  }
  return out;
}

std::string PlainCount(size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

class Warner {
 public:
  Warner(const Settings& settings, Time now, SettingsSummary& out)
      : settings_(settings), dispatch_(settings.dispatch), now_(now), out_(out) {}

  void WarnOfAll() {
    if (dispatch_.oncall.policies.empty())
      Add("paging", "", "nobody is paged: there is no policy");
    else if (dispatch_.incidents.policy.empty())
      Add("incidents", "", "behaviour incidents and declared ones page nobody: no policy under 'incidents'");
    for (const auto& [id, person] : dispatch_.oncall.people) WarnOfPerson(person);
    for (const auto& [name, schedule] : dispatch_.oncall.schedules) WarnOfSchedule(schedule);
    for (const auto& [name, policy] : dispatch_.oncall.policies) WarnOfPolicy(policy);
    WarnOfReceivers();
    WarnOfActing();
  }

 private:
  void Add(std::string kind, std::string name, std::string text) {
    out_.warnings.push_back({std::move(kind), std::move(name), std::move(text)});
  }
  void WarnOfPerson(const respond::Person& person) {
    if (person.channels.empty()) Add("person", person.id, "has no channel and cannot be told anything");
  }
  void WarnOfSchedule(const Schedule& schedule) {
    const auto gaps = GapsOf(schedule, now_);
    if (gaps.empty()) return;
    Duration sum;
    for (const Gap& gap : gaps) sum.ns += (gap.to - gap.from).ns;
    Add("schedule", schedule.name,
        fmt::format("nobody is on call for {} of the next 14 days, first from {} to {}", FormatDuration(sum),
                    schedule.zone.Format(gaps[0].from), schedule.zone.Format(gaps[0].to)));
  }
  void WarnOfPolicy(const EscalationPolicy& policy) {
    const auto empty = EmptyTimes(policy.steps.back(), dispatch_, now_);
    if (!empty.empty())
      Add("policy", policy.name,
          fmt::format(
              "the last step pages nobody at times, first from {} UTC: name a person who is always there",
              respond::TimeZone().Format(empty[0].from)));
  }
  void WarnOfReceivers() {
    std::set<std::string> used;
    if (const auto tree = respond::RoutingTree::Make(settings_.alerts.route)) {
      for (const auto& route : tree->routes()) used.insert(route.receiver);
      out_.routes = tree->routes().size();
    }
    for (const auto& [name, rule] : dispatch_.receivers) {
      if (rule.discards && used.contains(name))
        Add("receiver", name, "does nothing: alerts that come to it open no incident");
      if (!used.contains(name)) Add("receiver", name, "no route leads to it");
    }
  }

  void WarnOfActing() {
    const auto& act = settings_.act;
    const auto& access = act.rules.access;
    bool approves = false;
    for (const auto& [name, person] : access.people) {
      approves = approves || (person.may_approve && !person.actions.empty());
      if (!dispatch_.oncall.people.empty() && !dispatch_.oncall.people.contains(name))
        Add("access", name, "is not among 'people': no page or message reaches them to approve");
    }
    if (!act.runbooks.empty() && !approves)
      Add("act", "", "nobody may approve anything: see act.access.people");
    if (!act.runbooks.empty() && act.rules.inventory.entries().empty())
      Add("act", "", "the inventory is empty: every step that has an effect is refused");
    for (const auto& [name, agent] : access.agents) {
      if (agent.ceiling == act::Tier::kAuto && act::MatchesAction(agent.actions, "*"))
        Add("agent", name, "may do every action by itself: name those it needs");
    }
  }

  const Settings& settings_;
  const DispatchConfig& dispatch_;
  Time now_;
  SettingsSummary& out_;
};

std::string WhatItDoes(const ReceiverRule& rule, const DispatchConfig& dispatch) {
  std::string out;
  const auto policy = dispatch.oncall.policies.find(rule.policy);
  if (policy != dispatch.oncall.policies.end())
    out = fmt::format("pages by {} ({}, {} until its end)", rule.policy,
                      PlainCount(policy->second.steps.size(), "step", "steps"),
                      FormatDuration(respond::MaxLength(policy->second)));
  if (!rule.tell.empty())
    out += fmt::format("{}tells {}", out.empty() ? "" : "; ", fmt::join(rule.tell, ", "));
  if (!out.empty()) return out;
  return rule.discards ? "nothing" : "opens incidents, wakes nobody";
}

std::string Rows(std::string_view title, const std::vector<std::pair<std::string, std::string>>& rows) {
  if (rows.empty()) return "";
  size_t width = 0;
  for (const auto& [name, text] : rows) width = std::max(width, name.size());
  std::string out = fmt::format("\n{}\n", title);
  for (const auto& [name, text] : rows) out += fmt::format("  {:<{}}  {}\n", name, width, text);
  return out;
}

}  // namespace

SettingsSummary Summarize(const Settings& settings, Time now) {
  SettingsSummary out;
  for (const auto& [name, schedule] : settings.dispatch.oncall.schedules) {
    const auto who = respond::WhoIsOn(schedule, now);
    out.on_call.push_back(who.value_or(respond::WhoIsOnCall{name, "", {}, ""}));
  }
  Warner(settings, now, out).WarnOfAll();
  return out;
}

std::string RenderSummary(const Settings& settings, const SettingsSummary& summary) {
  const DispatchConfig& dispatch = settings.dispatch;
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& who : summary.on_call) {
    const auto& zone = dispatch.oncall.schedules.at(who.schedule).zone;
    std::string text = who.person.empty() ? "nobody" : who.person;
    if (who.until.known())
      text += fmt::format(" until {} ({}), then {}", zone.Format(who.until), zone.name(),
                          who.next.empty() ? "nobody" : who.next);
    rows.emplace_back(who.schedule, text);
  }
  std::string out = Rows("On call now", rows);
  rows.clear();
  for (const auto& [name, rule] : dispatch.receivers) rows.emplace_back(name, WhatItDoes(rule, dispatch));
  out += Rows("Receivers of alerts", rows);
  rows = {{"incidents", WhatItDoes(dispatch.incidents, dispatch)},
          {"people", std::to_string(dispatch.oncall.people.size())},
          {"destinations", std::to_string(dispatch.destinations.size())},
          {"routes", std::to_string(summary.routes)},
          {"inhibit rules", std::to_string(settings.alerts.inhibit.size())},
          {"time intervals", std::to_string(settings.alerts.time_intervals.size())}};
  const auto& access = settings.act.rules.access;
  if (!access.people.empty() || !access.agents.empty())
    rows.emplace_back("may act", PlainCount(access.people.size(), "person", "people") + ", " +
                                     PlainCount(access.agents.size(), "agent", "agents"));
  out += Rows("Otherwise", rows);
  rows.clear();
  for (const auto& warning : summary.warnings)
    rows.emplace_back(warning.kind + (warning.name.empty() ? "" : " ") + warning.name, warning.text);
  return out + Rows("Warnings", rows);
}

nlohmann::json SummaryJson(const Settings& settings, const SettingsSummary& summary) {
  using Json = nlohmann::json;
  const auto rule_json = [](const ReceiverRule& rule) {
    return Json{
        {"name", rule.name}, {"policy", rule.policy}, {"tell", rule.tell}, {"discards", rule.discards}};
  };
  Json out{{"ok", true},
           {"on_call", Json::array()},
           {"receivers", Json::array()},
           {"incidents", rule_json(settings.dispatch.incidents)},
           {"people", settings.dispatch.oncall.people.size()},
           {"destinations", settings.dispatch.destinations.size()},
           {"routes", summary.routes},
           {"inhibit_rules", settings.alerts.inhibit.size()},
           {"time_intervals", settings.alerts.time_intervals.size()},
           {"may_act",
            {{"people", settings.act.rules.access.people.size()},
             {"agents", settings.act.rules.access.agents.size()}}},
           {"warnings", Json::array()}};
  for (const auto& who : summary.on_call) {
    Json one{{"schedule", who.schedule}, {"person", who.person}, {"next", who.next}};
    if (who.until.known()) one["until"] = FormatTime(who.until);
    out["on_call"].push_back(std::move(one));
  }
  for (const auto& [name, rule] : settings.dispatch.receivers) out["receivers"].push_back(rule_json(rule));
  for (const auto& warning : summary.warnings)
    out["warnings"].push_back({{"kind", warning.kind}, {"name", warning.name}, {"text", warning.text}});
  return out;
}

}  // namespace tocsin::runtime
