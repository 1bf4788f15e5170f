// Expectations: compares incidents and events in the ledger with an `expect` line.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/time.h"
#include "scenario_file.h"
#include "signal/incident.h"

namespace tocsin::scenarios {

struct World {
  std::vector<signal::Incident> incidents;
  std::vector<signal::Event> events;
  std::map<std::string, Time> marks;
};

// "" when it holds, else what is wrong.
std::string Check(const Statement& expect, const World& world);

}  // namespace tocsin::scenarios
