// What a metric measures, by the words in its name: latency and duration; errors and failures; success and
// availability; requests, operations, packets and bytes; anything else is a resource.
#pragma once

#include <string_view>

#include "investigate/root_cause/root_cause_input.h"

namespace tocsin::investigate {

SeriesKind SeriesKindOf(std::string_view name);

}  // namespace tocsin::investigate
