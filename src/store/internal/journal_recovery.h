// Reading a segment back: which records are good, and what a bad place is: a write that a crash cut short
// (never acknowledged), or damage to something that was durable.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kernel/status.h"

namespace tocsin::store::internal {

struct SegmentEnd {
  size_t good_bytes = 0;       // up to here everything is good
  uint64_t last_position = 0;  // 0 = no record
};

// Calls each(position, payload) for the good records. kDataLoss names `name` and the offset. `last`: it is
// the newest segment, the only one whose end may be torn. `expected`: the first position, and then one more
// each.
Result<SegmentEnd> ReadSegment(const std::string& name, std::string_view bytes, uint64_t expected, bool last,
                               const std::function<Status(uint64_t, std::string_view)>& each);

}  // namespace tocsin::store::internal
