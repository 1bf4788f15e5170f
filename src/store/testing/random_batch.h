// Random batches that exercise every field, and a text of a batch that tells any difference. For tests and
// benchmarks only. Stateless.
#pragma once

#include <string>

#include "kernel/rng.h"
#include "signal/batch.h"

namespace tocsin::store::testing {

// Up to `most` records of each kind: empty and long texts, other scripts, control characters, absent values,
// extreme numbers.
signal::Batch RandomBatch(Rng& rng, uint64_t most);

// `rows` generations with about 1 KB of text each, and their spans, as a chat feature sends them.
signal::Batch ChatBatch(Rng& rng, size_t rows);

// Every field of every record; equal texts mean equal batches.
std::string Describe(const signal::Batch& batch);

}  // namespace tocsin::store::testing
