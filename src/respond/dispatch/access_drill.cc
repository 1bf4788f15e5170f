#include "respond/dispatch/access_drill.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "respond/notify/notice_text.h"
#include "respond/render_text.h"

namespace tocsin::respond {
namespace {

using nlohmann::json;

constexpr size_t kMaxGaps = 10;  // told of one policy

// Destinations of a person, each once, in their order.
std::vector<std::string> DestinationsOf(const DispatchConfig& config, const std::string& person) {
  std::vector<std::string> out;
  const auto it = config.preferences.find(person);
  if (it == config.preferences.end()) return out;
  const auto add = [&](const std::vector<std::string>& names) {
    for (const auto& name : names) {
      if (std::ranges::find(out, name) == out.end()) out.push_back(name);
    }
  };
  for (const auto& [urgency, names] : it->second.channels) add(names);
  add(it->second.quiet_channels);
  return out;
}

bool IsConfigured(const DispatchConfig& config, const std::string& destination) {
  return std::ranges::find(config.destinations, destination, &Destination::name) != config.destinations.end();
}

bool CanBeTold(const DispatchConfig& config, const std::string& person) {
  return std::ranges::any_of(DestinationsOf(config, person),
                             [&](const std::string& name) { return IsConfigured(config, name); });
}

struct OnDuty {
  std::set<std::string> people;
  std::vector<DrillCheck> errors;  // schedules that cannot be worked out
};

OnDuty PeopleOnDuty(const DispatchConfig& config, Time from, Time to) {
  OnDuty out;
  for (const auto& [name, schedule] : config.oncall.schedules) {
    const auto shifts = Shifts(schedule, from, to);
    if (!shifts) out.errors.push_back({"policy", name, false, shifts.error().message()});
    if (!shifts) continue;
    for (const auto& shift : *shifts) {
      if (!shift.person.empty()) out.people.insert(shift.person);
    }
  }
  for (const auto& [name, policy] : config.oncall.policies) {
    for (const auto& step : policy.steps) {
      for (const auto& target : step.targets) {
        if (target.kind == "person") out.people.insert(target.name);
      }
    }
  }
  return out;
}

// Where anything may change: the beginning, and wherever a shift begins.
std::vector<Time> Instants(const DispatchConfig& config, Time from, Time to) {
  std::set<Time> instants{from};
  for (const auto& [name, schedule] : config.oncall.schedules) {
    const auto shifts = Shifts(schedule, from, to);
    if (!shifts) continue;
    for (const auto& shift : *shifts) instants.insert(std::max(from, shift.from));
  }
  return {instants.begin(), instants.end()};
}

bool Reaches(const DispatchConfig& config, const TargetResolver& resolver, const EscalationStep& step,
             Time at) {
  for (const auto& target : step.targets) {
    if (target.kind == "person" && CanBeTold(config, target.name)) return true;
    if (target.kind != "schedule") continue;
    for (const auto& person : resolver.on_call(target.name, at)) {
      if (CanBeTold(config, person)) return true;
    }
  }
  return false;
}

// "nobody at all", "nobody at the last step", or "".
std::string GapAt(const DispatchConfig& config, const TargetResolver& resolver,
                  const EscalationPolicy& policy, Time at) {
  if (!policy.steps.empty() && Reaches(config, resolver, policy.steps.back(), at)) return "";
  const bool any = std::ranges::any_of(
      policy.steps, [&](const EscalationStep& step) { return Reaches(config, resolver, step, at); });
  return any ? "reaches nobody at its last step" : "reaches nobody at all";
}

std::vector<DrillCheck> CheckPolicy(const DispatchConfig& config, const EscalationPolicy& policy,
                                    const std::vector<Time>& instants, Time to) {
  const TargetResolver resolver = ResolverOf(config.oncall);
  std::vector<DrillCheck> gaps;
  std::string gap;
  Time since;
  const auto close = [&](Time until) {
    if (gap.empty()) return;
    gaps.push_back(
        {"policy", policy.name, false,
         fmt::format("{} from {} to {}", gap, FormatTimeForPeople(since), FormatTimeForPeople(until))});
  };
  for (const Time at : instants) {
    std::string now = GapAt(config, resolver, policy, at);
    if (now == gap) continue;
    close(at);
    gap = std::move(now);
    since = at;
  }
  close(to);
  if (gaps.empty()) return {{"policy", policy.name, true, "its last step reaches somebody at every hour"}};
  if (gaps.size() > kMaxGaps) {
    const size_t more = gaps.size() - kMaxGaps;
    gaps.resize(kMaxGaps);
    gaps.push_back({"policy", policy.name, false, fmt::format("and {} more gaps", more)});
  }
  return gaps;
}

NotificationMessage TestMessage(const std::string& key, Time now) {
  NotificationMessage message;
  message.kind = "update";
  message.title = "Test from Tocsin: nothing is wrong";
  message.severity = "sev4";
  message.source = "tocsin drill access";
  message.lines = {"You are on call in the days to come. That you read this means that this channel works."};
  message.idempotency_key = key;
  message.at = now;
  return message;
}

DrillCheck SendOne(const NotifierDirectory& directory, const std::string& name, Time now) {
  DrillCheck check{"channel", name, false, ""};
  const auto route = directory.Find(name);
  if (!route) {
    check.detail = "is not configured";
    return check;
  }
  NotificationMessage message = TestMessage(fmt::format("drill/{}/{}", now.ns, name), now);
  SendOutcome outcome;
  if (route->destination.channel == "pagerduty") {
    message.incident_id = fmt::format("DRILL-{}", now.ns / 1'000'000'000);
    message.kind = "page";
    outcome = route->notifier->Send(message, route->destination);
    message.kind = "resolved";
    message.idempotency_key += "/end";
    if (outcome.ok()) outcome = route->notifier->Send(message, route->destination);
  } else {
    outcome = route->notifier->Send(message, route->destination);
  }
  check.ok = outcome.ok();
  check.detail = check.ok ? "took a test message" : CutUtf8(outcome.status.ToString(), 300);
  return check;
}

}  // namespace

size_t DrillReport::missing() const {
  return static_cast<size_t>(std::ranges::count(checks, false, &DrillCheck::ok));
}

std::vector<DrillCheck> CheckPeople(const DispatchConfig& config, Time from, Time to) {
  OnDuty duty = PeopleOnDuty(config, from, to);
  std::vector<DrillCheck> checks = std::move(duty.errors);
  if (duty.people.empty()) checks.push_back({"person", "(anybody)", false, "nobody is on call at all"});
  for (const auto& person : duty.people) {
    std::vector<std::string> names = DestinationsOf(config, person);
    for (const auto& name : names) {
      if (!IsConfigured(config, name)) checks.push_back({"channel", name, false, "is not configured"});
    }
    std::erase_if(names, [&](const std::string& name) { return !IsConfigured(config, name); });
    if (names.empty()) checks.push_back({"person", person, false, "has no channel to be told by"});
    if (!names.empty()) checks.push_back({"person", person, true, fmt::format("{}", fmt::join(names, ", "))});
  }
  return checks;
}

std::vector<DrillCheck> CheckPolicies(const DispatchConfig& config, Time from, Time to) {
  std::vector<DrillCheck> checks;
  if (config.oncall.policies.empty()) checks.push_back({"policy", "(any)", false, "no policy is configured"});
  const std::vector<Time> instants = Instants(config, from, to);
  for (const auto& [name, policy] : config.oncall.policies) {
    for (auto& check : CheckPolicy(config, policy, instants, to)) checks.push_back(std::move(check));
  }
  return checks;
}

std::vector<DrillCheck> SendTests(const DispatchConfig& config, const NotifierDirectory& directory, Time from,
                                  Time to, Time now) {
  std::set<std::string> names;
  for (const auto& person : PeopleOnDuty(config, from, to).people) {
    for (auto& name : DestinationsOf(config, person)) names.insert(std::move(name));
  }
  std::vector<DrillCheck> checks;
  for (const auto& name : names) {
    if (IsConfigured(config, name)) checks.push_back(SendOne(directory, name, now));
  }
  return checks;
}

json DrillToJson(const DrillReport& report) {
  json checks = json::array();
  for (const auto& c : report.checks) {
    checks.push_back({{"kind", c.kind}, {"subject", c.subject}, {"ok", c.ok}, {"detail", c.detail}});
  }
  return {{"from", FormatTime(report.from)},
          {"to", FormatTime(report.to)},
          {"missing", report.missing()},
          {"checks", std::move(checks)}};
}

std::string RenderDrill(const DrillReport& report) {
  std::string out = fmt::format("Access from {} to {}\n\n", FormatTimeForPeople(report.from),
                                FormatTimeForPeople(report.to));
  for (const bool ok : {false, true}) {
    for (const auto& c : report.checks) {
      if (c.ok != ok) continue;
      out += fmt::format("{}  {:<7}  {}: {}\n", ok ? "ok     " : "MISSING", c.kind, Safe(c.subject),
                         Safe(c.detail));
    }
  }
  const size_t missing = report.missing();
  out += missing == 0
             ? fmt::format("\nAll {} checks passed.\n", report.checks.size())
             : fmt::format("\n{} of {} checks found something missing.\n", missing, report.checks.size());
  return out;
}

}  // namespace tocsin::respond
