#include "respond/oncall/internal/read_person.h"

#include <fmt/format.h>

#include <algorithm>

#include "respond/oncall/internal/read_channel.h"
#include "respond/oncall/internal/read_times.h"

namespace tocsin::respond::internal {
namespace {

using ports::YamlValue;

// "ntfy", "ntfy-2", or the name that was given.
Status NameChannel(const YamlValue& yaml, const std::vector<PersonChannel>& before, PersonChannel& channel) {
  const auto taken = [&](const std::string& name) {
    return std::ranges::find(before, name, &PersonChannel::name) != before.end();
  };
  if (!channel.name.empty())
    return taken(channel.name) ? yaml.Wrong(fmt::format("the name '{}' comes twice", channel.name))
                               : Status::Ok();
  channel.name = channel.kind;
  for (int i = 2; taken(channel.name); ++i) channel.name = fmt::format("{}-{}", channel.kind, i);
  return Status::Ok();
}

Status ReadChannels(const YamlValue& yaml, Person& person) {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, yaml.Items(kMaxChannels));
  for (const auto& item : items) {
    auto channel = ReadChannel(item);
    if (!channel) {
      yaml.Note(channel.error());
      person.has_bad_channel = true;
      continue;
    }
    TOCSIN_RETURN_IF_ERROR(NameChannel(item, person.channels, *channel));
    person.channels.push_back(*std::move(channel));
  }
  return Status::Ok();
}

// Some of the person's channels, by name, in the order in which they are tried.
Status ReadChoice(const YamlValue& yaml, const Person& person, std::vector<std::string>& out) {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, yaml.Items(kMaxChannels));
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(std::string name, item.Text());
    if (name.starts_with(person.id + "/")) name.erase(0, person.id.size() + 1);
    if (std::ranges::find(person.channels, name, &PersonChannel::name) == person.channels.end()) {
      if (person.has_bad_channel) continue;  // it may have been that one
      return item.Wrong(fmt::format("{} has no channel '{}'", person.id, name.substr(0, 64)));
    }
    if (std::ranges::find(out, name) != out.end())
      return item.Wrong(fmt::format("'{}' comes twice", name.substr(0, 64)));
    out.push_back(std::move(name));
  }
  return Status::Ok();
}

Result<QuietHours> ReadQuiet(const YamlValue& yaml) {
  TOCSIN_RETURN_IF_ERROR(yaml.Keys({"from", "to", "days", "urgencies"}));
  QuietHours out;
  TOCSIN_ASSIGN_OR_RETURN(const auto from, yaml.Need("from"));
  TOCSIN_ASSIGN_OR_RETURN(out.from_minute, ReadMinuteOfDay(from));
  if (out.from_minute == kMinutesADay) return Error(from.Wrong("24:00 is an end, not a beginning"));
  TOCSIN_ASSIGN_OR_RETURN(const auto to, yaml.Need("to"));
  TOCSIN_ASSIGN_OR_RETURN(out.to_minute, ReadMinuteOfDay(to));
  out.to_minute %= kMinutesADay;
  if (const auto days = yaml.Find("days")) {
    TOCSIN_ASSIGN_OR_RETURN(out.days, ReadWeekdays(*days));
  }
  if (const auto urgencies = yaml.Find("urgencies")) {
    TOCSIN_ASSIGN_OR_RETURN(out.urgencies, urgencies->Texts(2));
    for (const std::string& one : out.urgencies) {
      if (one != "high" && one != "low")
        return Error(urgencies->Wrong(fmt::format("'{}' is neither high nor low", one.substr(0, 64))));
    }
    if (out.urgencies.empty()) return Error(urgencies->Wrong("is empty"));
  }
  return out;
}

Status ReadQuietHours(const YamlValue& yaml, Person& person) {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, yaml.Items(kMaxQuietHours));
  for (const auto& item : items) {
    auto quiet = ReadQuiet(item);
    if (quiet)
      person.quiet_hours.push_back(*std::move(quiet));
    else
      yaml.Note(quiet.error());
  }
  return Status::Ok();
}

Status ReadSlackUser(const YamlValue& yaml, std::string& out) {
  TOCSIN_ASSIGN_OR_RETURN(out, yaml.Text(32));
  const bool plain =
      std::ranges::all_of(out, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
  if (out.size() < 2 || !plain || (out[0] != 'U' && out[0] != 'W'))
    return yaml.Wrong(fmt::format("'{}' is not a Slack member id such as U024BE7LH", out));
  return Status::Ok();
}

}  // namespace

Person ReadPerson(const std::string& id, const YamlValue& yaml) {
  Person person;
  person.id = id;
  person.name = id;
  yaml.Note(
      yaml.Keys({"name", "zone", "channels", "slack_user", "quiet_hours", "quiet_channels", "low_urgency"}));
  if (const auto name = yaml.Find("name")) {
    auto text = name->Text();
    if (text && text->empty()) text = Error(name->Wrong("is empty"));
    if (text)
      person.name = *text;
    else
      yaml.Note(text.error());
  }
  if (const auto zone = yaml.Find("zone")) {
    auto found = ReadZone(*zone);
    if (found)
      person.zone = *std::move(found);
    else
      yaml.Note(found.error());
  }
  if (const auto channels = yaml.Find("channels")) yaml.Note(ReadChannels(*channels, person));
  if (const auto user = yaml.Find("slack_user")) yaml.Note(ReadSlackUser(*user, person.slack_user));
  if (const auto quiet = yaml.Find("quiet_hours")) yaml.Note(ReadQuietHours(*quiet, person));
  if (const auto some = yaml.Find("quiet_channels"))
    yaml.Note(ReadChoice(*some, person, person.quiet_channels));
  if (const auto some = yaml.Find("low_urgency")) yaml.Note(ReadChoice(*some, person, person.low_urgency));
  return person;
}

}  // namespace tocsin::respond::internal
