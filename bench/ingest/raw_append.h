// The peer of the ingest benchmark: how fast DuckDB itself takes the same rows.
//
// Rows of the batches are appended chunk by chunk (2,048 rows, column by column) to tables of the same
// columns in a new file database with DuckDB's default settings, and committed: no network, no decoding, no
// journal, no monitors. Stateless.
#pragma once

#include <span>
#include <string>

#include "kernel/status.h"
#include "signal/batch.h"

namespace tocsin::bench {

struct RawAppend {
  double rows_per_s = 0;
  double generations_per_s = 0;
  double seconds = 0;
};

// Appends the batches `repeat` times in transactions of at least `commit_rows` rows, and checkpoints at the
// end when `checkpoint`. `path` must not exist; it is left for the caller to delete.
Result<RawAppend> RawAppendRate(std::span<const signal::Batch> batches, const std::string& path,
                                int repeat = 1, size_t commit_rows = 50'000, bool checkpoint = false);

}  // namespace tocsin::bench
