// OnCallConfig: people, teams, schedules and escalation policies, read from one YAML mapping.
//
//   people: {ada: {name: "Ada Lovelace", zone: Europe/London}}
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

struct Person {
  std::string id;
  std::string name;  // for people to read; the id when none is given
  TimeZone zone;     // in which times are shown to them; UTC when none is given
};

struct OnCallConfig {
  std::map<std::string, Person> people;
  std::map<std::string, std::vector<std::string>> teams;
  std::map<std::string, Schedule> schedules;
  std::map<std::string, EscalationPolicy> policies;
};

inline constexpr size_t kMaxPeople = 4096;
inline constexpr size_t kMaxTeams = 1024;
inline constexpr size_t kMaxSchedules = 512;
inline constexpr size_t kMaxPolicies = 512;
inline constexpr size_t kMaxHolidays = 1024;  // of one schedule

// A whole document with these four keys and no other.
Result<OnCallConfig> ParseOnCall(std::string_view text, const std::string& file);
// A mapping inside a larger document; `path` is what leads to it ("oncall", or "" at the top).
Result<OnCallConfig> ReadOnCall(const YAML::Node& node, const std::string& file, const std::string& path);
// Who stands behind a policy's names. The configuration must outlive it.
TargetResolver ResolverOf(const OnCallConfig& config);

}  // namespace tocsin::respond
