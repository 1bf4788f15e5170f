// Reads one person: who it is, where it is told, and when it is not to be. What is wrong is noted and reading
// goes on, so that the person is known to whoever names it. Thread-safety: as YamlValue.
#pragma once

#include "ports/yaml/yaml_value.h"
#include "respond/oncall/oncall_config.h"

namespace tocsin::respond::internal {

Person ReadPerson(const std::string& id, const ports::YamlValue& yaml);

}  // namespace tocsin::respond::internal
