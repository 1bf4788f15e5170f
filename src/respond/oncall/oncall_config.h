// OnCallConfig: people, teams, schedules and escalation policies, read from one YAML mapping.
//
//   people: {ada: {name: "Ada Lovelace", zone: Europe/London, channels: [{kind: ntfy, url: "https://…"}]}}
//   teams: {ml: [ada, bob]}
//   schedules: {primary: {zone: Europe/Berlin, layers: […], overrides: […], holidays: […]}}
//   policies: {default: {steps: [{after: 5m, targets: [{schedule: primary}]}], repeat: 2, repeat_after: 5m}}
//
// All or nothing: the first thing that is wrong is the error, with its place, as in
// "tocsin.yaml:12: schedules.primary.layers[0].zone: unknown time zone 'Europe/Berln'". Every name must lead
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
#include "respond/oncall/escalation.h"
#include "respond/oncall/schedule.h"
#include "respond/oncall/time_zone.h"

namespace YAML {
class Node;
}

namespace tocsin::respond {

// A place where this person is told.
struct PersonChannel {
  std::string kind;     // "email", "slack", "webhook", "ntfy", "pagerduty"
  std::string address;  // email
  std::string url;      // slack, webhook, ntfy; pagerduty: empty for the service's own
  std::string key;      // pagerduty: routing key; webhook: signing secret; ntfy: token. Not for printing.
};

struct Person {
  std::string id;
  std::string name;                     // for people to read; the id when none is given
  TimeZone zone;                        // in which times are shown to them; UTC when none is given
  std::vector<PersonChannel> channels;  // first choice first
};

struct OnCallConfig {
  std::map<std::string, Person> people;
  std::map<std::string, std::vector<std::string>> teams;
  std::map<std::string, Schedule> schedules;
  std::map<std::string, EscalationPolicy> policies;
};

inline constexpr size_t kMaxPeople = 4096;
inline constexpr size_t kMaxChannels = 16;  // of one person
inline constexpr size_t kMaxTeams = 1024;
inline constexpr size_t kMaxSchedules = 512;
inline constexpr size_t kMaxPolicies = 512;
inline constexpr size_t kMaxHolidays = 1024;  // of one schedule

// A whole document with these four keys and no other.
Result<OnCallConfig> ParseOnCall(std::string_view text, const std::string& file);
// A mapping inside a larger document; `path` is what leads to it ("oncall", or "" at the top).
Result<OnCallConfig> ReadOnCall(const YAML::Node& node, const std::string& file, const std::string& path);
// The four keys at the root of the product's own file, whose other keys are others' to read.
Result<OnCallConfig> ReadOnCall(const YAML::Node& root, const std::string& file);
// Who stands behind a policy's names. The configuration must outlive it.
TargetResolver ResolverOf(const OnCallConfig& config);
// The same; keeps it alive.
TargetResolver ResolverOf(std::shared_ptr<const OnCallConfig> config);

}  // namespace tocsin::respond
