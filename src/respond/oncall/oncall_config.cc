#include "respond/oncall/oncall_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "respond/oncall/internal/located_yaml.h"
#include "respond/oncall/internal/read_channel.h"

namespace tocsin::respond {
namespace {

using internal::LocatedYaml;

Result<TimeZone> ReadZone(const LocatedYaml& yaml) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string name, yaml.Text());
  auto zone = TimeZone::Find(name);
  if (!zone) return Error(yaml.Wrong(zone.error().message()));
  return *std::move(zone);
}

// The name of somebody declared under `people`.
Result<std::string> ReadPerson(const LocatedYaml& yaml, const OnCallConfig& config) {
  TOCSIN_ASSIGN_OR_RETURN(std::string name, yaml.Text());
  if (!config.people.contains(name)) return Error(yaml.Wrong(fmt::format("unknown person '{}'", name)));
  return name;
}

// At least one, none twice.
Result<std::vector<std::string>> ReadPeopleList(const LocatedYaml& yaml, size_t most, bool twice,
                                                const OnCallConfig& config) {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, yaml.Items(most));
  if (items.empty()) return Error(yaml.Wrong("is empty"));
  std::vector<std::string> out;
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(std::string name, ReadPerson(item, config));
    if (!twice && std::ranges::find(out, name) != out.end())
      return Error(item.Wrong(fmt::format("'{}' comes twice", name)));
    out.push_back(std::move(name));
  }
  return out;
}

Status ReadPeople(const LocatedYaml& yaml, OnCallConfig& config) {
  TOCSIN_ASSIGN_OR_RETURN(const auto entries, yaml.Named(kMaxPeople));
  for (const auto& [id, entry] : entries) {
    TOCSIN_RETURN_IF_ERROR(entry.Keys({"name", "zone", "channels"}));
    Person person{id, id, {}, {}};
    if (const auto name = entry.Find("name")) {
      TOCSIN_ASSIGN_OR_RETURN(person.name, name->Text());
      if (person.name.empty()) return name->Wrong("is empty");
    }
    if (const auto zone = entry.Find("zone")) {
      TOCSIN_ASSIGN_OR_RETURN(person.zone, ReadZone(*zone));
    }
    if (const auto channels = entry.Find("channels")) {
      TOCSIN_ASSIGN_OR_RETURN(const auto items, channels->Items(kMaxChannels));
      for (const auto& item : items) {
        TOCSIN_ASSIGN_OR_RETURN(auto channel, internal::ReadChannel(item));
        person.channels.push_back(std::move(channel));
      }
    }
    config.people.emplace(id, std::move(person));
  }
  return Status::Ok();
}

Status ReadTeams(const LocatedYaml& yaml, OnCallConfig& config) {
  TOCSIN_ASSIGN_OR_RETURN(const auto entries, yaml.Named(kMaxTeams));
  for (const auto& [name, entry] : entries) {
    TOCSIN_ASSIGN_OR_RETURN(config.teams[name], ReadPeopleList(entry, kMaxParticipants, false, config));
  }
  return Status::Ok();
}

Result<Restriction> ReadRestriction(const LocatedYaml& yaml) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"days", "from", "to"}));
  Restriction out;
  if (const auto days = yaml.Find("days")) {
    TOCSIN_ASSIGN_OR_RETURN(out.weekdays, days->Weekdays());
    if (out.weekdays == 0) return Error(days->Wrong("is empty"));
  }
  if (const auto from = yaml.Find("from")) {
    TOCSIN_ASSIGN_OR_RETURN(out.from_minute, from->MinuteOfDay());
    if (out.from_minute == kMinutesADay) return Error(from->Wrong("24:00 is an end, not a beginning"));
  }
  if (const auto to = yaml.Find("to")) {
    TOCSIN_ASSIGN_OR_RETURN(out.to_minute, to->MinuteOfDay());
  }
  return out;
}

// "daily", "weekly", or whole hours.
Result<int> ReadTurn(const LocatedYaml& yaml) {
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

Result<RotationLayer> ReadLayer(const LocatedYaml& yaml, const OnCallConfig& config) {
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
  TOCSIN_ASSIGN_OR_RETURN(out.start_day, start.Day());
  if (const auto handover = yaml.Find("handover")) {
    TOCSIN_ASSIGN_OR_RETURN(out.handover_minute, handover->MinuteOfDay());
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

Result<ScheduleOverride> ReadOverride(const LocatedYaml& yaml, const OnCallConfig& config) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"person", "from", "to"}));
  ScheduleOverride out;
  TOCSIN_ASSIGN_OR_RETURN(const auto person, yaml.Need("person"));
  TOCSIN_ASSIGN_OR_RETURN(out.person, ReadPerson(person, config));
  TOCSIN_ASSIGN_OR_RETURN(const auto from, yaml.Need("from"));
  TOCSIN_ASSIGN_OR_RETURN(out.from, from.Instant());
  TOCSIN_ASSIGN_OR_RETURN(const auto to, yaml.Need("to"));
  TOCSIN_ASSIGN_OR_RETURN(out.to, to.Instant());
  if (out.to <= out.from) return Error(to.Wrong("is not after 'from'"));
  return out;
}

// The local day, whether it has 23, 24 or 25 hours.
Result<ScheduleOverride> ReadHoliday(const LocatedYaml& yaml, const TimeZone& zone,
                                     const OnCallConfig& config) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"date", "person"}));
  TOCSIN_ASSIGN_OR_RETURN(const auto date, yaml.Need("date"));
  TOCSIN_ASSIGN_OR_RETURN(const int64_t day, date.Day());
  TOCSIN_ASSIGN_OR_RETURN(const auto person, yaml.Need("person"));
  TOCSIN_ASSIGN_OR_RETURN(std::string name, ReadPerson(person, config));
  const ScheduleOverride out{std::move(name), zone.ToInstant(WallTime::At(day, 0)),
                             zone.ToInstant(WallTime::At(day + 1, 0))};
  if (out.to <= out.from) return Error(date.Wrong("is a day that this time zone skipped"));
  return out;
}

Result<Schedule> ReadSchedule(const std::string& name, const LocatedYaml& yaml, const OnCallConfig& config) {
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
Status ReadTarget(const LocatedYaml& yaml, const OnCallConfig& config, EscalationStep& step) {
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
    TOCSIN_ASSIGN_OR_RETURN(std::string name, ReadPerson(*person, config));
    add({"person", std::move(name)});
  } else if (schedule) {
    TOCSIN_ASSIGN_OR_RETURN(const std::string name, schedule->Text());
    if (!config.schedules.contains(name)) return schedule->Wrong(fmt::format("unknown schedule '{}'", name));
    add({"schedule", name});
  } else {
    TOCSIN_ASSIGN_OR_RETURN(const std::string name, team->Text());
    const auto found = config.teams.find(name);
    if (found == config.teams.end()) return team->Wrong(fmt::format("unknown team '{}'", name));
    for (const auto& member : found->second) add({"person", member});
  }
  return Status::Ok();
}

Result<EscalationStep> ReadStep(const LocatedYaml& yaml, const OnCallConfig& config) {
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

Result<EscalationPolicy> ReadPolicy(const std::string& name, const LocatedYaml& yaml,
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

Result<OnCallConfig> Read(const LocatedYaml& yaml, bool others) {
  if (!others) TOCSIN_RETURN_IF_ERROR(yaml.Keys({"people", "teams", "schedules", "policies"}));
  OnCallConfig out;
  if (const auto people = yaml.Find("people")) TOCSIN_RETURN_IF_ERROR(ReadPeople(*people, out));
  if (const auto teams = yaml.Find("teams")) TOCSIN_RETURN_IF_ERROR(ReadTeams(*teams, out));
  if (const auto schedules = yaml.Find("schedules")) {
    TOCSIN_ASSIGN_OR_RETURN(const auto entries, schedules->Named(kMaxSchedules));
    for (const auto& [name, entry] : entries) {
      TOCSIN_ASSIGN_OR_RETURN(out.schedules[name], ReadSchedule(name, entry, out));
    }
  }
  if (const auto policies = yaml.Find("policies")) {
    TOCSIN_ASSIGN_OR_RETURN(const auto entries, policies->Named(kMaxPolicies));
    for (const auto& [name, entry] : entries) {
      TOCSIN_ASSIGN_OR_RETURN(out.policies[name], ReadPolicy(name, entry, out));
    }
  }
  return out;
}

// `others`: other keys beside the four are somebody else's.
Result<OnCallConfig> ReadCaught(const LocatedYaml& yaml, bool others) {
  try {
    return Read(yaml, others);
  } catch (const YAML::Exception&) {
    return Error(Status::FromException("reading who is on call", Code::kInvalidArgument));
  }
}

}  // namespace

Result<OnCallConfig> ParseOnCall(std::string_view text, const std::string& file) {
  TOCSIN_ASSIGN_OR_RETURN(const auto yaml, LocatedYaml::Parse(text, file));
  return ReadCaught(yaml, false);
}

Result<OnCallConfig> ReadOnCall(const YAML::Node& node, const std::string& file, const std::string& path) {
  return ReadCaught(LocatedYaml(node, file, path), false);
}

Result<OnCallConfig> ReadOnCall(const YAML::Node& root, const std::string& file) {
  if (!root.IsDefined() || root.IsNull()) return OnCallConfig{};
  if (!root.IsMap()) return Error(LocatedYaml(root, file, "").Wrong("is not a mapping of keys to values"));
  return ReadCaught(LocatedYaml(root, file, ""), true);
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
