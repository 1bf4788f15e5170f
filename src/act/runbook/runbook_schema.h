// The JSON Schema (2020-12) of a runbook: docs/formats/runbook.schema.json, as it was when this was built.
#pragma once

#include <string_view>

namespace tocsin::act {

std::string_view RunbookSchema();

}  // namespace tocsin::act
