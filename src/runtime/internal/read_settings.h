// Reads a whole tocsin.yaml into Settings; everything wrong is noted at the root.
//
// Thread-safety: as YamlValue. For settings.cc, the reloader, and the test that holds the schema to the
// reader.
#pragma once

#include "ports/yaml/yaml_value.h"
#include "runtime/settings.h"

namespace tocsin::runtime::internal {

Settings ReadSettings(const ports::YamlValue& root);

}  // namespace tocsin::runtime::internal
