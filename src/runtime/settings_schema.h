// The JSON Schema of tocsin.yaml: docs/formats/tocsin.schema.json, as it was when this was built.
#pragma once

#include <string_view>

namespace tocsin::runtime {

std::string_view SettingsSchema();

}  // namespace tocsin::runtime
