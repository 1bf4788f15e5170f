// Reads one place where somebody is told: of a person (a channel) or of a team (a destination). What its kind
// needs is there, what it has no use for is not. Thread-safety: as YamlValue. Errors: kInvalidArgument with
// the place; secrets are never in them.
#pragma once

#include "ports/yaml/yaml_value.h"
#include "respond/oncall/oncall_config.h"

namespace tocsin::respond::internal {

// Unknown keys are noted.
Result<PersonChannel> ReadChannel(const ports::YamlValue& yaml);

}  // namespace tocsin::respond::internal
