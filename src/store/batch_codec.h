// The binary form of a Batch in the journal, driven by signal/fields.h (docs/formats/journal.md gives the
// bytes).
//
//   version u8 │ blocks varint │ block…        block: kind u8 │ fields varint │ rows varint │ bytes u32 │
//   row…
//
// A block states how many fields each of its rows has, so bytes written before a field was appended to
// fields.h decode with that field at its default. Speed: one pass over the batch each way, no reflection.
//
// Stateless functions, safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "kernel/status.h"
#include "signal/batch.h"

namespace tocsin::store {

std::string EncodeBatch(const signal::Batch& batch);

// Any bytes may be given: damaged ones are kDataLoss (with the offset), those of a newer version
// kFailedPrecondition; memory taken is bounded by a constant times bytes.size().
Result<signal::Batch> DecodeBatch(std::string_view bytes);

// What the batch holds in memory, near enough to bound a queue by.
size_t MemoryBytes(const signal::Batch& batch);

}  // namespace tocsin::store
