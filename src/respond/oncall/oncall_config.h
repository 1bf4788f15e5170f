// OnCallConfig: people, teams, schedules and escalation policies, read from one YAML mapping.
//
//   people: {ada: {name: "Ada Lovelace", zone: Europe/London, channels: [{kind: ntfy, url: "https://…"}]}}
//   teams: {ml: [ada, bob]}
//   schedules: {primary: {zone: Europe/Berlin, layers: […], overrides: […], holidays: […]}}
//   policies: {default: {steps: [{after: 5m, targets: [{schedule: primary}]}], repeat: 2, repeat_after: 5m}}
//
// All or nothing; what is wrong is noted at the document with its place, at least the first of each person,
// schedule and policy: "tocsin.yaml:12: schedules.primary.layers[0].zone: unknown time zone 'Europe/Berln'".
// Every name must lead
// to something that was declared; teams hold people only, so nothing can be cyclic. A team in a policy stands
// for its members; a holiday is an override of one local day (of the schedule's zone), weaker than those
// under `overrides`. Bounded: 1 MiB, and the numbers below. Source of the format: docs/formats/oncall.md.
// Ownership: value type. Thread-safety: pure functions. Errors: kInvalidArgument.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "ports/yaml/yaml_value.h"
#include "respond/notify/message.h"
#include "respond/notify/preferences.h"
#include "respond/oncall/escalation.h"
#include "respond/oncall/schedule.h"
#include "respond/oncall/time_zone.h"

namespace tocsin::respond {

// A place where this person is told.
struct PersonChannel {
  std::string name;     // of this person's: "ntfy", "ntfy-2" for a second one of a kind, or as given
  std::string kind;     // "email", "slack", "webhook", "ntfy", "pagerduty"
  std::string address;  // email
  std::string url;      // slack, webhook, ntfy; pagerduty: empty for the service's own
  std::string key;      // pagerduty: routing key; webhook: signing secret; ntfy: token. Not for printing.
  RateLimit limit;
};

struct Person {
  std::string id;
  std::string name;                          // for people to read; the id when none is given
  TimeZone zone;                             // in which times are shown to them; UTC when none is given
  std::vector<PersonChannel> channels;       // first choice first
  std::string slack_user = {};               // Slack's member id, by which a click is theirs; "" = none
  std::vector<QuietHours> quiet_hours = {};  // of `zone`
  // Names of channels: those used in quiet hours, and those for what is not urgent. None: put off, and all.
  std::vector<std::string> quiet_channels = {}, low_urgency = {};
  bool has_bad_channel = false;  // while reading: one that is wrong was left out
};

struct OnCallConfig {
  std::map<std::string, Person> people;
  std::map<std::string, std::vector<std::string>> teams;
  std::map<std::string, Schedule> schedules;
  std::map<std::string, EscalationPolicy> policies;
};

inline constexpr size_t kMaxPeople = 4096;
inline constexpr size_t kMaxChannels = 16;  // of one person
inline constexpr size_t kMaxQuietHours = 16;
inline constexpr size_t kMaxTeams = 1024;
inline constexpr size_t kMaxSchedules = 512;
inline constexpr size_t kMaxPolicies = 512;
inline constexpr size_t kMaxHolidays = 1024;  // of one schedule

// A whole document with these four keys and no other. The first problem is the error.
Result<OnCallConfig> ParseOnCall(std::string_view text, const std::string& file);
// The four keys at the root of the product's own file, whose other keys are others' to read. Everything wrong
// is noted at the root.
OnCallConfig ReadOnCall(const ports::YamlValue& root);
inline constexpr std::string_view kOnCallKeys[] = {"people", "teams", "schedules", "policies"};
// Who stands behind a policy's names. The configuration must outlive it.
TargetResolver ResolverOf(const OnCallConfig& config);
// The same; keeps it alive.
TargetResolver ResolverOf(std::shared_ptr<const OnCallConfig> config);

}  // namespace tocsin::respond
