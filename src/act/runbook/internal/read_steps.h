// The steps of a runbook from YAML, and what steps share with the rest of it. What is wrong is noted at the
// document.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "act/runbook/runbook.h"
#include "ports/yaml/yaml_section.h"

namespace tocsin::act::internal {

// What is known of the file so far.
struct StepReading {
  std::set<std::string> ids;
  int decisions = 0;
};
std::vector<RunbookStep> ReadSteps(const ports::YamlValue& list, StepReading& reading);

enum class ClaimPlace { kBefore, kExpect };  // only what is expected knows when its step began
std::vector<nlohmann::json> ReadClaimTemplates(const ports::YamlValue& list, ClaimPlace place);
// Keys type, inventory, choices, minimum, maximum.
ValueType ReadValueType(ports::YamlSection& section);
// A mapping of names to texts with placeholders.
nlohmann::json ReadTemplates(const ports::YamlValue& mapping);

}  // namespace tocsin::act::internal
