// Noise: how much people are paged, and whether anybody was glad of it. From the timeline and the schedules.
//
//   * pages: "incident.paged", to a person, in the shift of a schedule in which the person was on call
//   * a paged incident was acted upon when a person acknowledged it and somebody then worked on it: a state
//     other than false alarm, a note, a task, a role, a severity, a track, a link, a factor. Otherwise it was
//     only acknowledged, a false alarm, or never touched. One paged less than an hour before the end and
//     still open is not judged yet; a merged one is judged as the one it went into.
//   * a rule is the name of an alert, or the stream of a monitor. It flaps when its incidents opened three
//     times or more; it is deaf when it paged and no such incident was acted upon
//   * the budget of behaviour pages: a stream's monitors together raise at most one false alarm in 1/alpha
//     generations on average (docs/adr/0011-rank-bets-and-the-budget.md), so all streams together at most
//     generations × alpha
//
// Pure functions of values; thread-safe. Working hours are Monday to Friday, 09:00 to 18:00, night is 22:00
// to 07:00, both in the person's zone.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "kernel/time.h"
#include "respond/dispatch/dispatch_config.h"
#include "signal/incident.h"

namespace tocsin::respond {

struct NoiseInput {
  Time from, to;
  std::vector<signal::Event> events;  // oldest first; of incidents paged in the range also what was before
  std::map<std::string, signal::Incident> incidents;  // that the events are about
  double generations = 0;                             // that the monitors may have seen in the range
  double alpha = 1e-3;
};

struct NoisyShift {
  std::string person, schedule;  // schedule "": in no shift of theirs
  Time from, to;
  uint64_t pages = 0, night = 0, incidents = 0;
  bool too_many = false;  // more than DispatchConfig::pages_per_shift
};

struct NoisyPerson {
  std::string person;
  uint64_t pages = 0, outside_hours = 0, night = 0;
};

struct NoisyRule {
  std::string kind;  // "alert", "monitor", "declared"
  std::string rule;
  uint64_t opened = 0, paged = 0, acted = 0, false_alarms = 0;
  bool flaps = false, deaf = false;
};

struct NoiseReport {
  Time from, to;
  uint64_t pages = 0, outside_hours = 0, night = 0;
  uint64_t opened = 0, paged = 0;  // incidents
  uint64_t acted = 0, acknowledged_only = 0, false_alarms = 0, untouched = 0, undecided = 0;
  std::vector<NoisyShift> shifts;   // with a page, the worst first
  std::vector<NoisyPerson> people;  // with a page, the most paged first
  std::vector<NoisyRule> rules;     // that flap or are deaf, the worst first
  double generations = 0, alpha = 0;
  double expected_false = 0;           // behaviour pages in the range, at most, on average
  double expected_false_per_week = 0;  // at this rate of generations
  uint64_t behaviour_pages = 0;  // incidents of monitors with an alpha that opened in the range and page
  uint64_t behaviour_false = 0;  // of those, called a false alarm by a person

  // Share of the judged incidents; 1 when there is none.
  double acted_share() const {
    const uint64_t judged = acted + acknowledged_only + false_alarms + untouched;
    return judged == 0 ? 1.0 : static_cast<double>(acted) / static_cast<double>(judged);
  }
};

NoiseReport MakeNoiseReport(const DispatchConfig& config, const NoiseInput& input);
nlohmann::json NoiseToJson(const NoiseReport& report);
std::string RenderNoise(const NoiseReport& report);

}  // namespace tocsin::respond
