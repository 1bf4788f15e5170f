// The three OTLP requests in protobuf, item by item into a BatchBuilder. An error Status means the frame of
// the request is damaged; a damaged item inside it is rejected alone.
#pragma once

#include <string_view>

#include "ingest/internal/batch_builder.h"

namespace tocsin::ingest::internal {

Status ReadProtobufRequest(SignalKind kind, std::string_view body, BatchBuilder& builder);

}  // namespace tocsin::ingest::internal
