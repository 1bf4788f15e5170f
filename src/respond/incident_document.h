// The evidence of a finding as the JSON document stored with its incident (docs/formats/incident.md).
// Pure; thread-safe. Bounded: exemplars are dropped, then shortened lists, until it fits `max_bytes`.
#pragma once

#include <string>

#include "detect/finding.h"

namespace tocsin::respond {

std::string DocumentOf(const detect::Finding& finding, size_t max_bytes);

}  // namespace tocsin::respond
