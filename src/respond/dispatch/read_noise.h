// What a noise report is made of, read from the ledger: the events of a range, and of the incidents paged in
// it everything that happened to them. The range is found by bisection over the events' numbers, so that old
// events are not read. Thread-safety: as the ledger's. Errors: the ledger's; kInvalidArgument for a range
// that is none; kOutOfRange when it holds more events than are read at once.
#pragma once

#include "respond/dispatch/noise_report.h"
#include "store/ledger.h"

namespace tocsin::respond {

inline constexpr size_t kMaxNoiseEvents = 200'000;  // kept
inline constexpr Duration kMaxNoiseRange = Duration::Hours(24 * 92);

Result<NoiseInput> ReadNoise(store::Ledger& ledger, Time from, Time to);

}  // namespace tocsin::respond
