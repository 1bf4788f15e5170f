// DispatchConfig: everything a person configures about who is told of what: people and policies, places where
// they are told, receivers of alerts, and what incidents without a receiver do. Read from tocsin.yaml
// (docs/formats/configuration.md); made whole and checked before anything runs by it.
//
// Value type. Thread-safety: immutable once shared. Secrets lie in `destinations` and `mail` and are never
// printed, stored or sent.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ports/smtp_client.h"
#include "respond/notify/message.h"
#include "respond/notify/preferences.h"
#include "respond/notify/templates.h"
#include "respond/oncall/oncall_config.h"

namespace tocsin::respond {

// What a route's receiver does with a group of alerts. One that is written with neither policy nor tell does
// nothing (a "null" receiver); where nobody has said what to do, an incident is opened that wakes nobody.
struct ReceiverRule {
  std::string name;
  std::string policy;             // escalates by it until a person acknowledges; "" = wakes nobody
  std::vector<std::string> tell;  // destinations told once that it opened, changed and is over
  bool discards = false;          // written with neither: not even an incident
};

struct MailSettings {
  ports::SmtpOptions server;
  std::string from;
};

struct DispatchConfig {
  OnCallConfig oncall;
  std::vector<Destination> destinations;           // of people ("ada/ntfy") and of teams ("ml-slack")
  std::map<std::string, Preferences> preferences;  // by person; every person with a channel has them
  std::map<std::string, ReceiverRule> receivers;   // by name
  // Behaviour incidents, and those that a person declares.
  ReceiverRule incidents{"incidents", "", {}};
  std::string url;  // what links in messages begin with, "https://tocsin.example.org"; "" = no links
  std::optional<MailSettings> mail;
  MessageTemplates templates = MessageTemplates::Default();
  std::string slack_signing_secret;                 // "" = clicks are refused
  std::map<std::string, std::string> slack_people;  // Slack's user id to person
  int pages_per_shift = 2;                          // more is reported as too much (noise)

  const ReceiverRule* ReceiverOf(const std::string& name) const {
    const auto it = receivers.find(name);
    return it == receivers.end() ? nullptr : &it->second;
  }
  // What a receiver does; one that is not configured (any more) does what `incidents` does.
  const ReceiverRule& RuleFor(const std::string& name) const {
    const ReceiverRule* rule = ReceiverOf(name);
    return rule != nullptr ? *rule : incidents;
  }
};

}  // namespace tocsin::respond
