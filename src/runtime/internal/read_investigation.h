// The `investigation` section of tocsin.yaml. What is wrong is noted at the document.
#pragma once

#include "investigate/investigation_settings.h"
#include "ports/yaml/yaml_section.h"

namespace tocsin::runtime::internal {

void ReadInvestigation(ports::YamlSection& root, investigate::InvestigationSettings& settings);

}  // namespace tocsin::runtime::internal
