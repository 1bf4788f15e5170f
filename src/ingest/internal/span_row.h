// Rows of spans and log records, with the records their attributes and events make. Thread-safety: none.
#pragma once

#include "ingest/internal/batch_builder.h"

namespace tocsin::ingest::internal {

// Throws ItemError when an id is wrong; then nothing was added.
void AddSpanRow(const RawSpan& raw, const ItemContext& context, Workbench& bench, signal::Batch& batch);
void AddLogRow(const RawLog& raw, const ItemContext& context, Workbench& bench, MessageLog& messages,
               signal::Batch& batch);

// Lower-case hex; "" for an absent or all-zero id.
std::string IdText(std::string_view bytes);

}  // namespace tocsin::ingest::internal
