// Rows of metric points. Thread-safety: none.
#pragma once

#include "ingest/internal/batch_builder.h"

namespace tocsin::ingest::internal {

// Throws ItemError when the metric has no name or its kind is unknown; then nothing was added.
void AddMetricRow(const RawMetric& metric, const RawPoint& point, const ItemContext& context,
                  Workbench& bench, signal::Batch& batch);

}  // namespace tocsin::ingest::internal
