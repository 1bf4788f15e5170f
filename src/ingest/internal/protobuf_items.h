// One span, log record or metric from protobuf bytes. Throw as protobuf_value.h.
#pragma once

#include <protozero/pbf_reader.hpp>

#include "ingest/internal/batch_builder.h"

namespace tocsin::ingest::internal {

void ReadSpan(protozero::pbf_reader message, RawSpan& span, BatchBuilder& builder);
void ReadLog(protozero::pbf_reader message, RawLog& log, BatchBuilder& builder);
// Adds every point of one Metric to the builder itself, rejecting points alone.
void ReadMetric(protozero::pbf_reader message, BatchBuilder& builder);
void ReadExemplar(protozero::pbf_reader message, RawExemplar& exemplar, BatchBuilder& builder);

}  // namespace tocsin::ingest::internal
