// A state's snapshot in one file, replaced as a whole (docs/formats/state-log.md). Little-endian.
//
//   magic "TOCSINS1" │ position u64 │ length u64 │ xxh3 of the state u64 │ xxh3 of the 32 bytes before u64 │
//   state (zstd)
//
// Thread-safety: none; one writer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernel/status.h"

namespace tocsin::store::internal {

struct StateSnapshot {
  uint64_t position = 0;  // of the last record it holds
  std::string state;
};

// Durable when it returns; the old one stands until then.
Status WriteSnapshot(const std::string& path, const StateSnapshot& snapshot);
// Nothing when there is no file. kDataLoss when it is damaged.
Result<std::optional<StateSnapshot>> ReadSnapshot(const std::string& path);

}  // namespace tocsin::store::internal
