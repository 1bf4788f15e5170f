// IncidentView: where the work on an incident stands. Made from the timeline and nothing else: Fold takes one
// event further, FoldTimeline all of them. The ledger keeps the last view beside the incident so that lists
// need not fold; the timeline is the record.
//
// Value type; pure functions; thread-safe. An event of a kind it does not know changes nothing.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "kernel/time.h"
#include "respond/lifecycle/harm_severity.h"
#include "signal/incident.h"

namespace tocsin::respond {

struct IncidentTask {
  int64_t number = 0;  // from 1
  std::string text;
  std::string track;  // engineering, communication
  std::string assignee;
  bool done = false;
  Time created, finished;
  bool operator==(const IncidentTask&) const = default;
};

// Diagnosis and trust run side by side, each with its own owner and clock.
struct IncidentTrack {
  std::string owner;
  std::string status;  // the last words
  Time updated;
  Time next_due;  // of the next update; not known: none promised
  bool operator==(const IncidentTrack&) const = default;
};

struct IncidentLink {
  std::string url, title;
  bool operator==(const IncidentLink&) const = default;
};

struct ContributingFactor {
  std::string surface;  // model, prompt, retrieval, tools, sampling, traffic, evaluator, dependency, data
  std::string text;
  std::string claim;  // what proves it; "" = not proven
  bool operator==(const ContributingFactor&) const = default;
};

struct IncidentView {
  std::string state;     // open, triaged, mitigating, monitoring, closed, merged, false_alarm
  std::string severity;  // by a person; "" = as the incident's own
  Harm harm;
  std::string acknowledged_by;
  std::map<std::string, std::string> roles;     // commander, engineering, communication, scribe -> person
  std::map<std::string, IncidentTrack> tracks;  // engineering, communication
  std::map<std::string, Time>
      clocks;  // detected, acknowledged, context_ready, runbook_chosen, mitigated, recovered, closed
  std::vector<IncidentTask> tasks;
  std::vector<IncidentLink> links;
  std::vector<ContributingFactor> factors;
  std::string merged_into;
  std::vector<std::string> merged_from;
  int64_t notes = 0;
  bool operator==(const IncidentView&) const = default;
};

void Fold(IncidentView& view, const signal::Event& event);
IncidentView FoldTimeline(std::span<const signal::Event> events);

nlohmann::json ViewToJson(const IncidentView& view);
// Of what ViewToJson gave; missing members keep their defaults.
IncidentView ViewFromJson(const nlohmann::json& json);
// A few lines for the incident's page; "" when nobody has done anything yet.
std::string RenderView(const IncidentView& view, Time now, size_t columns = 80);

}  // namespace tocsin::respond
