// Reads one channel of a person: what its kind needs is there, what it has no use for is not.
// Thread-safety: as LocatedYaml. Errors: kInvalidArgument with the place; secrets are never in them.
#pragma once

#include "respond/oncall/internal/located_yaml.h"
#include "respond/oncall/oncall_config.h"

namespace tocsin::respond::internal {

Result<PersonChannel> ReadChannel(const LocatedYaml& yaml);

}  // namespace tocsin::respond::internal
