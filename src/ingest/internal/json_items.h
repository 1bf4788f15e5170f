// One span, log record or metric of OTLP/JSON. Throw ItemError.
#pragma once

#include "ingest/internal/json_fields.h"

namespace tocsin::ingest::internal {

void ReadJsonSpan(const JsonElement& element, RawSpan& span, BatchBuilder& builder);
void ReadJsonLog(const JsonElement& element, RawLog& log, BatchBuilder& builder);
// Adds every point of one metric to the builder itself, rejecting points alone.
void ReadJsonMetric(const JsonElement& element, BatchBuilder& builder);

}  // namespace tocsin::ingest::internal
