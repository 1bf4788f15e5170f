// `act.executors` of tocsin.yaml read (docs/formats/configuration.md): everything wrong is noted at the
// document, with its line; unknown keys too. Secrets come from the file itself, a file of their own
// (KEY_file) or the environment (KEY_env). Thread-safety: as YamlSection.
#pragma once

#include "act/execute/executor_settings.h"
#include "ports/yaml/yaml_section.h"

namespace tocsin::act {

// `section` is the mapping under act.executors; its caller finishes it.
void ReadExecutors(ports::YamlSection& section, ExecutorSettings& settings);

}  // namespace tocsin::act
