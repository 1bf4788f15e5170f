#include "respond/config/dispatch_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "respond/config/mail_reader.h"
#include "respond/oncall/internal/read_channel.h"

namespace tocsin::respond {
namespace {

using ports::YamlSection;
using ports::YamlValue;

struct Names {
  std::set<std::string> destinations;  // those that are wrong too
  std::set<std::string> half_read;     // people with a channel that is wrong
};

Destination DestinationOf(const std::string& name, const PersonChannel& channel) {
  return {name, channel.kind, channel.address.empty() ? channel.url : channel.address, channel.key,
          channel.limit};
}

void AddPeople(DispatchConfig& out, Names& names) {
  for (const auto& [id, person] : out.oncall.people) {
    if (person.has_bad_channel) names.half_read.insert(id);
    if (!person.slack_user.empty()) out.slack_people[person.slack_user] = id;
    if (person.channels.empty()) continue;
    const auto full = [&id = id](const std::vector<std::string>& some) {
      std::vector<std::string> all;
      for (const std::string& name : some) all.push_back(id + "/" + name);
      return all;
    };
    Preferences& preferences = out.preferences[id];
    preferences.person = id;
    for (const PersonChannel& channel : person.channels) {
      const std::string name = id + "/" + channel.name;
      out.destinations.push_back(DestinationOf(name, channel));
      names.destinations.insert(name);
      preferences.channels["high"].push_back(name);
    }
    if (!person.low_urgency.empty()) preferences.channels["low"] = full(person.low_urgency);
    preferences.quiet = person.quiet_hours;
    preferences.quiet_channels = full(person.quiet_channels);
  }
}

void ReadDestinations(const YamlValue& yaml, DispatchConfig& out, Names& names) {
  const auto items = yaml.Items(kMaxDestinations);
  if (!items) return yaml.Note(items.error());
  for (const auto& item : *items) {
    const auto at = item.Find("name");
    if (!at) item.Note(item.Wrong("'name' is missing"));
    const auto name = at ? at->Text() : Result<std::string>("");
    if (at && name && !names.destinations.insert(*name).second)
      item.Note(at->Wrong(fmt::format("'{}' comes twice", name->substr(0, 64))));
    auto channel = internal::ReadChannel(item);
    if (channel)
      out.destinations.push_back(DestinationOf(channel->name, *channel));
    else
      item.Note(channel.error());
  }
}

Status ReadTold(const YamlValue& yaml, const Names& names, std::vector<std::string>& out) {
  TOCSIN_ASSIGN_OR_RETURN(const auto items, yaml.Items(kMaxTold));
  for (const auto& item : items) {
    TOCSIN_ASSIGN_OR_RETURN(std::string name, item.Text());
    if (std::ranges::find(out, name) != out.end())
      return item.Wrong(fmt::format("'{}' comes twice", name.substr(0, 64)));
    const std::string person = name.substr(0, name.find('/'));
    if (!names.destinations.contains(name) && !names.half_read.contains(person))
      return item.Wrong(fmt::format("no destination is called '{}'", name.substr(0, 64)));
    out.push_back(std::move(name));
  }
  return Status::Ok();
}

// `policy` and `tell` of a receiver, or of incidents.
void ReadRule(const YamlValue& yaml, const DispatchConfig& config, const Names& names, ReceiverRule& out) {
  if (const auto policy = yaml.Find("policy")) {
    const auto name = policy->Text();
    if (!name)
      yaml.Note(name.error());
    else if (!name->empty() && !config.oncall.policies.contains(*name))
      yaml.Note(policy->Wrong(fmt::format("no policy is called '{}'", name->substr(0, 64))));
    else
      out.policy = *name;
  }
  if (const auto tell = yaml.Find("tell")) yaml.Note(ReadTold(*tell, names, out.tell));
}

// Alertmanager's receivers hold places themselves; here they name them.
void CheckReceiverKeys(const YamlValue& yaml) {
  for (const char* kind : {"slack", "pagerduty", "email", "webhook", "opsgenie", "msteams", "telegram"}) {
    const std::string key = fmt::format("{}_configs", kind);
    if (const auto at = yaml.Find(key))
      yaml.Note(
          at->Wrong("is Alertmanager's; a receiver names destinations under 'tell' (see: tocsin config "
                    "import)"));
  }
}

void ReadReceivers(const YamlValue& yaml, const Names& names, DispatchConfig& out) {
  const auto items = yaml.Items(kMaxReceivers);
  if (!items) return yaml.Note(items.error());
  for (const auto& item : *items) {
    const Status keys = item.Keys({"name", "policy", "tell"});
    yaml.Note(keys);
    if (!keys.ok()) continue;
    CheckReceiverKeys(item);
    const auto at = item.Need("name");
    const auto name = at ? at->Text() : Result<std::string>(Error(at.error()));
    if (!name || name->empty()) {
      yaml.Note(name ? at->Wrong("is empty") : name.error());
      continue;
    }
    ReceiverRule rule{*name, "", {}};
    ReadRule(item, out, names, rule);
    rule.discards = rule.policy.empty() && rule.tell.empty();
    if (!out.receivers.emplace(*name, std::move(rule)).second)
      yaml.Note(at->Wrong(fmt::format("'{}' comes twice", name->substr(0, 64))));
  }
}

void ReadUrl(const YamlValue& yaml, std::string& out) {
  auto text = yaml.Text(2048);
  if (!text) return yaml.Note(text.error());
  const bool web = text->starts_with("https://") || text->starts_with("http://");
  const bool plain = std::ranges::none_of(*text, [](char c) { return c <= ' ' || c > '~'; });
  if (!web || !plain) return yaml.Note(yaml.Wrong("is not an address such as https://tocsin.example.org"));
  while (text->ends_with('/')) text->pop_back();
  out = *std::move(text);
}

Status ReadTemplate(const YamlValue& yaml, Template& out) {
  TOCSIN_ASSIGN_OR_RETURN(const std::string text, yaml.Text(kMaxTemplateBytes));
  auto compiled = Template::Compile(text);
  if (!compiled) return yaml.Wrong(compiled.error().message());
  out = *std::move(compiled);
  return Status::Ok();
}

void ReadTemplates(const YamlValue& yaml, MessageTemplates& out) {
  yaml.Note(yaml.Keys({"subject", "body"}));
  if (const auto subject = yaml.Find("subject")) yaml.Note(ReadTemplate(*subject, out.subject));
  if (const auto body = yaml.Find("body")) yaml.Note(ReadTemplate(*body, out.body));
}

}  // namespace

DispatchConfig ReadDispatch(YamlSection& root) {
  DispatchConfig out;
  for (const std::string_view key : kOnCallKeys) (void)root.Value(key);
  out.oncall = ReadOnCall(root.value());
  Names names;
  AddPeople(out, names);
  if (const auto at = root.Value("destinations")) ReadDestinations(*at, out, names);
  const auto incidents = root.Value("incidents");
  if (incidents) {
    incidents->Note(incidents->Keys({"policy", "tell"}));
    ReadRule(*incidents, out, names, out.incidents);
  }
  const bool named = incidents && incidents->Find("policy");
  if (!named && out.oncall.policies.contains(std::string(kDefaultPolicy)))
    out.incidents.policy = kDefaultPolicy;
  const auto receivers = root.Value("receivers");
  if (receivers) ReadReceivers(*receivers, names, out);
  if (!receivers)
    out.receivers.emplace(kDefaultReceiver, ReceiverRule{std::string(kDefaultReceiver), out.incidents.policy,
                                                         out.incidents.tell});
  if (const auto at = root.Value("url")) ReadUrl(*at, out.url);
  if (const auto at = root.Value("mail")) ReadMail(*at, out.mail);
  if (const auto at = root.Value("templates")) ReadTemplates(*at, out.templates);
  if (const auto at = root.Value("slack")) ReadSlack(*at, out.slack_signing_secret);
  root.Number("pages_per_shift", out.pages_per_shift, 0, 1000);
  CheckMail(root.value());
  return out;
}

}  // namespace tocsin::respond
