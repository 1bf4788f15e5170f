#include "ports/clock.h"

#include <chrono>

namespace tocsin::ports {
namespace {

template <class C>
Time Read() {
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(C::now().time_since_epoch()).count()};
}

class SystemClockImpl final : public Clock {
 public:
  Time Now() const override { return Read<std::chrono::system_clock>(); }
  Time Monotonic() const override { return Read<std::chrono::steady_clock>(); }
};

}  // namespace

const Clock& SystemClock() {
  static const SystemClockImpl* const kClock = new SystemClockImpl;
  return *kClock;
}

}  // namespace tocsin::ports
