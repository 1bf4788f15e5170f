// The three OTLP requests in JSON, item by item into a BatchBuilder. Rules of OTLP/JSON: ids are hex in
// either case, 64-bit integers numbers or strings, enums numbers or names, bytes base64, NaN and infinities
// strings, names camelCase (snake_case is taken too), unknown names ignored, null is absent.
// An error Status means the text is not JSON (with the byte) or its frame has another shape (with the path).
#pragma once

#include <string_view>

#include "ingest/internal/batch_builder.h"

namespace tocsin::ingest::internal {

Status ReadJsonRequest(SignalKind kind, std::string_view body, BatchBuilder& builder);

}  // namespace tocsin::ingest::internal
