#include "respond/oncall/oncall_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "respond/oncall/internal/read_person.h"
#include "respond/oncall/internal/read_times.h"

namespace tocsin::respond {
namespace {

using internal::ReadDay;
using internal::ReadMinuteOfDay;
using internal::ReadWeekdays;
using internal::ReadZone;
using ports::YamlValue;

// The name of somebody declared under `people`.
Result<std::string> ReadPersonName(const YamlValue& yaml, const OnCallConfig& config) {
  TOCSIN_ASSIGN_OR_RETURN(std::string name, yaml.Text());
  if (!config.people.contains(name))
    return Error(yaml.Wrong(fmt::format("unknown person '{}'", name.substr(0, 64))));
  return name;
}

// At least one, none twice.
Result<std::vector<std::string>> ReadPeopleList(const YamlValue& yaml, size_t most, bool twice,
                                                const OnCallConfig& config) {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, yaml.Items(most));
  if (items.empty()) return Error(yaml.Wrong("is empty"));
  std::vector<std::string> out;
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(std::string name, ReadPersonName(item, config));
    if (!twice && std::ranges::find(out, name) != out.end())
      return Error(item.Wrong(fmt::format("'{}' comes twice", name)));
    out.push_back(std::move(name));
  }
  return out;
}

void ReadPeople(const YamlValue& yaml, OnCallConfig& config) {
  const auto entries = yaml.Named(kMaxPeople);
  if (!entries) return yaml.Note(entries.error());
  std::map<std::string, std::string> slack;
  for (const auto& [id, entry] : *entries) {
    Person person = internal::ReadPerson(id, entry);
    if (!person.slack_user.empty()) {
      const auto [other, fresh] = slack.emplace(person.slack_user, id);
      if (!fresh)
        entry.Note(entry.Find("slack_user")->Wrong(fmt::format("is the same as that of {}", other->second)));
    }
    config.people.emplace(id, std::move(person));
  }
}

void ReadTeams(const YamlValue& yaml, OnCallConfig& config) {
  const auto entries = yaml.Named(kMaxTeams);
  if (!entries) return yaml.Note(entries.error());
  for (const auto& [name, entry] : *entries) {
    auto members = ReadPeopleList(entry, kMaxParticipants, false, config);
    if (!members) entry.Note(members.error());
    config.teams[name] = members.value_or(std::vector<std::string>{});
  }
}

Result<Restriction> ReadRestriction(const YamlValue& yaml) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"days", "from", "to"}));
  Restriction out;
  if (const auto days = yaml.Find("days")) {
    TOCSIN_ASSIGN_OR_RETURN(out.weekdays, ReadWeekdays(*days));
  }
  if (const auto from = yaml.Find("from")) {
    TOCSIN_ASSIGN_OR_RETURN(out.from_minute, ReadMinuteOfDay(*from));
    if (out.from_minute == kMinutesADay) return Error(from->Wrong("24:00 is an end, not a beginning"));
  }
  if (const auto to = yaml.Find("to")) {
    TOCSIN_ASSIGN_OR_RETURN(out.to_minute, ReadMinuteOfDay(*to));
  }
  return out;
}

// "daily", "weekly", or whole hours.
Result<int> ReadTurn(const YamlValue& yaml) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, yaml.Text());
  if (text == "daily") return 24;
  if (text == "weekly") return 7 * 24;
  const auto length = ParseDuration(text);
  constexpr int64_t kHour = Duration::Hours(1).ns;
  if (!length || length->ns < kHour || length->ns % kHour != 0 || length->ns / kHour > kMaxTurnHours)
    return Error(yaml.Wrong(
        fmt::format("'{}' is not daily, weekly or whole hours from 1h to 366d", text.substr(0, 64))));
  return static_cast<int>(length->ns / kHour);
}

Result<RotationLayer> ReadLayer(const YamlValue& yaml, const OnCallConfig& config) {
  TOCSIN_RETURN_IF_ERROR(
      yaml.Keys({"name", "participants", "every", "start", "handover", "restrictions", "zone"}));
  RotationLayer out;
  if (const auto name = yaml.Find("name")) {
    TOCSIN_ASSIGN_OR_RETURN(out.name, name->Text());
  }
  TOCSIN_ASSIGN_OR_RETURN(const auto participants, yaml.Need("participants"));
  TOCSIN_ASSIGN_OR_RETURN(out.participants, ReadPeopleList(participants, kMaxParticipants, true, config));
  if (const auto every = yaml.Find("every")) {
    TOCSIN_ASSIGN_OR_RETURN(out.every_hours, ReadTurn(*every));
  }
  TOCSIN_ASSIGN_OR_RETURN(const auto start, yaml.Need("start"));
  TOCSIN_ASSIGN_OR_RETURN(out.start_day, ReadDay(start));
  if (const auto handover = yaml.Find("handover")) {
    TOCSIN_ASSIGN_OR_RETURN(out.handover_minute, ReadMinuteOfDay(*handover));
    if (out.handover_minute == kMinutesADay) return Error(handover->Wrong("write 00:00 for midnight"));
  }
  if (const auto zone = yaml.Find("zone")) {
    TOCSIN_ASSIGN_OR_RETURN(out.zone, ReadZone(*zone));
  }
  if (const auto restrictions = yaml.Find("restrictions")) {
    TOCSIN_ASSIGN_OR_RETURN(const auto items, restrictions->Items(kMaxRestrictions));
    for (const auto& item : items) {
      TOCSIN_ASSIGN_OR_RETURN(auto restriction, ReadRestriction(item));
      out.restrictions.push_back(restriction);
    }
  }
  return out;
}

Result<ScheduleOverride> ReadOverride(const YamlValue& yaml, const OnCallConfig& config) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"person", "from", "to"}));
  ScheduleOverride out;
  TOCSIN_ASSIGN_OR_RETURN(const auto person, yaml.Need("person"));
  TOCSIN_ASSIGN_OR_RETURN(out.person, ReadPersonName(person, config));
  TOCSIN_ASSIGN_OR_RETURN(const auto from, yaml.Need("from"));
  TOCSIN_ASSIGN_OR_RETURN(out.from, from.Instant());
  TOCSIN_ASSIGN_OR_RETURN(const auto to, yaml.Need("to"));
  TOCSIN_ASSIGN_OR_RETURN(out.to, to.Instant());
  if (out.to <= out.from) return Error(to.Wrong("is not after 'from'"));
  return out;
}

// The local day, whether it has 23, 24 or 25 hours.
Result<ScheduleOverride> ReadHoliday(const YamlValue& yaml, const TimeZone& zone,
                                     const OnCallConfig& config) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"date", "person"}));
  TOCSIN_ASSIGN_OR_RETURN(const auto date, yaml.Need("date"));
  TOCSIN_ASSIGN_OR_RETURN(const int64_t day, ReadDay(date));
  TOCSIN_ASSIGN_OR_RETURN(const auto person, yaml.Need("person"));
  TOCSIN_ASSIGN_OR_RETURN(std::string name, ReadPersonName(person, config));
  const ScheduleOverride out{std::move(name), zone.ToInstant(WallTime::At(day, 0)),
                             zone.ToInstant(WallTime::At(day + 1, 0))};
  if (out.to <= out.from) return Error(date.Wrong("is a day that this time zone skipped"));
  return out;
}

Result<Schedule> ReadSchedule(const std::string& name, const YamlValue& yaml, const OnCallConfig& config) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"zone", "layers", "overrides", "holidays"}));
  Schedule out;
  out.name = name;
  TOCSIN_ASSIGN_OR_RETURN(const auto zone, yaml.Need("zone"));
  TOCSIN_ASSIGN_OR_RETURN(out.zone, ReadZone(zone));
  TOCSIN_ASSIGN_OR_RETURN(const auto layers, yaml.Need("layers"));
  TOCSIN_ASSIGN_OR_RETURN(const auto layer_items, layers.Items(kMaxLayers));
  if (layer_items.empty()) return Error(layers.Wrong("is empty"));
  for (const auto& item : layer_items) {
    TOCSIN_ASSIGN_OR_RETURN(auto layer, ReadLayer(item, config));
    out.layers.push_back(std::move(layer));
  }
  if (const auto holidays = yaml.Find("holidays")) {
    TOCSIN_ASSIGN_OR_RETURN(const auto items, holidays->Items(kMaxHolidays));
    for (const auto& item : items) {
      TOCSIN_ASSIGN_OR_RETURN(auto holiday, ReadHoliday(item, out.zone, config));
      out.overrides.push_back(std::move(holiday));
    }
  }
  if (const auto overrides = yaml.Find("overrides")) {
    TOCSIN_ASSIGN_OR_RETURN(const auto items, overrides->Items(kMaxOverrides - kMaxHolidays));
    for (const auto& item : items) {
      TOCSIN_ASSIGN_OR_RETURN(auto one, ReadOverride(item, config));
      out.overrides.push_back(std::move(one));
    }
  }
  if (const Status status = CheckSchedule(out); !status.ok()) return Error(yaml.Wrong(status.message()));
  return out;
}

// One of person, schedule, team; a team stands for its members.
Status ReadTarget(const YamlValue& yaml, const OnCallConfig& config, EscalationStep& step) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"person", "schedule", "team"}));
  const auto person = yaml.Find("person");
  const auto schedule = yaml.Find("schedule");
  const auto team = yaml.Find("team");
  if (int{person.has_value()} + int{schedule.has_value()} + int{team.has_value()} != 1)
    return yaml.Wrong("must name one person, schedule or team");
  const auto add = [&](EscalationTarget target) {
    if (std::ranges::find(step.targets, target) == step.targets.end())
      step.targets.push_back(std::move(target));
  };
  if (person) {
    TOCSIN_ASSIGN_OR_RETURN(std::string name, ReadPersonName(*person, config));
    add({"person", std::move(name)});
  } else if (schedule) {
    TOCSIN_ASSIGN_OR_RETURN(const std::string name, schedule->Text());
    if (!config.schedules.contains(name))
      return schedule->Wrong(fmt::format("unknown schedule '{}'", name.substr(0, 64)));
    add({"schedule", name});
  } else {
    TOCSIN_ASSIGN_OR_RETURN(const std::string name, team->Text());
    const auto found = config.teams.find(name);
    if (found == config.teams.end()) return team->Wrong(fmt::format("unknown team '{}'", name.substr(0, 64)));
    for (const auto& member : found->second) add({"person", member});
  }
  return Status::Ok();
}

Result<EscalationStep> ReadStep(const YamlValue& yaml, const OnCallConfig& config) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"after", "targets"}));
  EscalationStep out;
  if (const auto after = yaml.Find("after")) {
    TOCSIN_ASSIGN_OR_RETURN(out.after, after->Span());
    if (out.after.ns < 0 || out.after > kMaxWait) return Error(after->Wrong("is not from 0 to 7 days"));
  }
  TOCSIN_ASSIGN_OR_RETURN(const auto targets, yaml.Need("targets"));
  TOCSIN_ASSIGN_OR_RETURN(const auto items, targets.Items(kMaxTargets));
  if (items.empty()) return Error(targets.Wrong("is empty"));
  for (const auto& item : items) TOCSIN_RETURN_IF_ERROR(ReadTarget(item, config, out));
  if (out.targets.size() > kMaxTargets)
    return Error(targets.Wrong(fmt::format("names more than {} people and schedules", kMaxTargets)));
  return out;
}

Result<EscalationPolicy> ReadPolicy(const std::string& name, const YamlValue& yaml,
                                    const OnCallConfig& config) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"steps", "repeat", "repeat_after", "ack_timeout", "until_acknowledged"}));
  EscalationPolicy out;
  out.name = name;
  TOCSIN_ASSIGN_OR_RETURN(const auto steps, yaml.Need("steps"));
  TOCSIN_ASSIGN_OR_RETURN(const auto items, steps.Items(kMaxSteps));
  if (items.empty()) return Error(steps.Wrong("is empty"));
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(auto step, ReadStep(item, config));
    out.steps.push_back(std::move(step));
  }
  if (const auto repeat = yaml.Find("repeat")) {
    TOCSIN_ASSIGN_OR_RETURN(out.repeat, repeat->Count(0, kMaxRepeat));
  }
  if (const auto wait = yaml.Find("repeat_after")) {
    TOCSIN_ASSIGN_OR_RETURN(out.repeat_after, wait->Span());
  }
  if (const auto timeout = yaml.Find("ack_timeout")) {
    TOCSIN_ASSIGN_OR_RETURN(out.ack_timeout, timeout->Span());
  }
  if (const auto on = yaml.Find("until_acknowledged")) {
    TOCSIN_ASSIGN_OR_RETURN(out.until_acknowledged, on->Flag());
  }
  if (const Status status = CheckPolicy(out); !status.ok()) return Error(yaml.Wrong(status.message()));
  return out;
}

void ReadSchedules(const YamlValue& yaml, OnCallConfig& config) {
  const auto entries = yaml.Named(kMaxSchedules);
  if (!entries) return yaml.Note(entries.error());
  for (const auto& [name, entry] : *entries) {
    auto schedule = ReadSchedule(name, entry, config);
    if (!schedule) entry.Note(schedule.error());
    config.schedules[name] = schedule ? *std::move(schedule) : Schedule{};  // known to whoever names it
  }
}

void ReadPolicies(const YamlValue& yaml, OnCallConfig& config) {
  const auto entries = yaml.Named(kMaxPolicies);
  if (!entries) return yaml.Note(entries.error());
  for (const auto& [name, entry] : *entries) {
    auto policy = ReadPolicy(name, entry, config);
    if (!policy) entry.Note(policy.error());
    config.policies[name] = policy ? *std::move(policy) : EscalationPolicy{};
  }
}

}  // namespace

OnCallConfig ReadOnCall(const YamlValue& root) {
  OnCallConfig out;
  if (const auto people = root.Find("people")) ReadPeople(*people, out);
  if (const auto teams = root.Find("teams")) ReadTeams(*teams, out);
  if (const auto schedules = root.Find("schedules")) ReadSchedules(*schedules, out);
  if (const auto policies = root.Find("policies")) ReadPolicies(*policies, out);
  return out;
}

Result<OnCallConfig> ParseOnCall(std::string_view text, const std::string& file) {
  TOCSIN_ASSIGN_OR_RETURN(const auto root, YamlValue::Parse(text, file));
  OnCallConfig out;
  ports::ReadGuarded(root, [&] {
    root.Note(root.Keys(kOnCallKeys));
    out = ReadOnCall(root);
  });
  TOCSIN_RETURN_IF_ERROR(root.FirstProblem());
  return out;
}

TargetResolver ResolverOf(std::shared_ptr<const OnCallConfig> config) {
  TargetResolver plain = ResolverOf(*config);
  TargetResolver out;
  out.on_call = [config, ask = std::move(plain.on_call)](const std::string& name, Time at) {
    return ask(name, at);
  };
  out.members = [config, ask = std::move(plain.members)](const std::string& name) { return ask(name); };
  return out;
}

TargetResolver ResolverOf(const OnCallConfig& config) {
  TargetResolver out;
  out.on_call = [&config](const std::string& schedule, Time at) -> std::vector<std::string> {
    const auto found = config.schedules.find(schedule);
    if (found == config.schedules.end()) return {};
    std::string person = OnCallAt(found->second, at);
    if (person.empty()) return {};
    return {std::move(person)};
  };
  out.members = [&config](const std::string& schedule) -> std::vector<std::string> {
    const auto found = config.schedules.find(schedule);
    return found == config.schedules.end() ? std::vector<std::string>{} : MembersOf(found->second);
  };
  return out;
}

}  // namespace tocsin::respond
