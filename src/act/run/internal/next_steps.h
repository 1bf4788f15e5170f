// What moves next in a run, and what it is when nothing does: from its state alone. Pure; the caller holds
// the run's mutex.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "act/run/internal/engine_core.h"

namespace tocsin::act::internal {

using StepTask = void (*)(EngineCore&, const RunPointer&, const std::string&);

struct NextSteps {
  std::vector<std::pair<std::string, StepTask>> give;  // to a worker, each with what it does
  std::vector<std::string> skip;                       // will not begin any more
  std::string undo;                                    // to be undone next; "" = none
  bool overtime = false;                               // the run takes longer than it may
  bool idle = false;                                   // nothing moves: OutcomeOf says what it is
};
NextSteps NextOf(const ActiveRun& run, Time now);

// What the whole run is, from its steps, and why in words; no words: as it was.
std::pair<std::string, std::string> OutcomeOf(const RunState& run);

}  // namespace tocsin::act::internal
