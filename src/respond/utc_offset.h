// UtcOffset: a zone's wall clock as a function of the instant, so that daylight saving is somebody else's
// table: +1 h in Berlin in winter. Null means UTC.
#pragma once

#include <functional>

#include "kernel/time.h"

namespace tocsin::respond {

using UtcOffset = std::function<Duration(Time)>;

}  // namespace tocsin::respond
