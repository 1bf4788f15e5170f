// Clock: the only way to learn what time it is. Implementations are thread-safe.
#pragma once

#include "kernel/time.h"

namespace tocsin::ports {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time; may jump.
  virtual Time Now() const = 0;
  // For measuring intervals; never goes back. The origin is arbitrary.
  virtual Time Monotonic() const = 0;
};

// The machine's clock. A process-wide singleton, never destroyed.
const Clock& SystemClock();

}  // namespace tocsin::ports
