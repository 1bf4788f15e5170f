// Reads `act`: what may be done, by whom, how far (docs/formats/configuration.md). What is wrong is noted.
// Thread-safety: as YamlSection.
#pragma once

#include "act/act_settings.h"
#include "ports/yaml/yaml_section.h"

namespace tocsin::runtime::internal {

// The keys of `act` that only a restart changes.
inline constexpr std::string_view kFixedActKeys[] = {"runbooks", "executors", "workers", "max_runs",
                                                     "switch"};

void ReadAct(ports::YamlSection& root, act::ActSettings& settings);

}  // namespace tocsin::runtime::internal
