// Runbook: what may be done about something, written down once: when it applies, what it needs to know, its
// steps with their tier, reach, expected effect and inverse. Read from YAML (docs/formats/runbook.md).
// Value types.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "act/plan/plan.h"
#include "kernel/time.h"

namespace tocsin::act {

struct RunbookInput {
  std::string name, about;
  ValueType type;
  bool required = true;
  nlohmann::json fallback;  // null: none
  std::string from;         // "incident.service": filled in from the incident when not given; untrusted
};

// Any of what is listed, all kinds of lists that are not empty.
struct RunbookTrigger {
  std::vector<std::string> kinds;  // of incidents: behavior, alert, grounding …
  std::vector<std::string> services;
  std::vector<std::string> surfaces;  // of contributing factors: model, prompt, retrieval …
  std::vector<std::string> alerts;    // alertname
  std::vector<std::string> words;     // in the incident's title
  bool empty() const {
    return kinds.empty() && services.empty() && surfaces.empty() && alerts.empty() && words.empty();
  }
};

struct RunbookStep;

// Steps side by side, which wait for nothing of one another.
struct ParallelSteps {
  std::vector<std::vector<RunbookStep>> branches;
};
struct BranchSteps {
  std::string id;  // of the decision: as given, or "if-1", "if-2" in the order of the file
  PlanCondition condition;
  std::vector<RunbookStep> then, otherwise;
};
struct SubRunbook {
  std::string id;  // of the step
  std::string runbook;
  nlohmann::json inputs = nlohmann::json::object();
};
struct RunbookStep {
  // PlanStep: an action or a manual step, `after` left empty.
  std::variant<PlanStep, ParallelSteps, BranchSteps, SubRunbook> what;
  int line = 0;
};

struct Runbook {
  std::string id, title, about, owner, file;
  Time last_validated;  // unknown: never
  Duration validate_every = Duration::Hours(24 * 90);
  bool advise_only = false;  // every step is at most `advise`
  RunbookTrigger trigger;
  std::vector<RunbookInput> inputs;
  std::vector<RunbookStep> steps;
  std::vector<nlohmann::json> stop_when;
  PlanLimits limits;
  std::string escalate_to;
  std::vector<std::string> links;  // dashboards, documents: what people on call must be able to open
  nlohmann::json outputs = nlohmann::json::object();
  std::string text;  // as it was read, for its version
};

}  // namespace tocsin::act
