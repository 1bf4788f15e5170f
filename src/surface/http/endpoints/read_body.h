// What the endpoints that take telemetry share: the body, inflated, and a batch of one kind made durable.
// Thread-safety: pure, but for the writer. Errors: kInvalidArgument, kOutOfRange.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "kernel/status.h"
#include "signal/batch.h"
#include "surface/http/api_dependencies.h"
#include "surface/http/message.h"

namespace tocsin::surface {

// Inflates request.body by its Content-Encoding, in place.
Status InflateBody(Request& request, const Limits& limits);
// Decoding options of a request that arrives now.
ingest::DecodeOptions DecodeNow(const ApiDependencies& api);
// Appends and answers `success` once durable, else the problem.
void StoreThen(const ApiDependencies& api, signal::Batch batch, Response success, const Responder& respond);

}  // namespace tocsin::surface
