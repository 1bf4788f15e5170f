// The envelope of CloudEvents 1.0: structured, batch or binary, as one JSON object an event with its data
// under "data". What an event means is for the decoders of changes and alerts. Errors: kInvalidArgument,
// kOutOfRange beyond a bound. Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/change_decoder.h"
#include "ingest/internal/json_document.h"

namespace tocsin::ingest::internal {

struct CloudEvents {
  std::vector<Json> events;
  bool batch = false;
  // "events[2]" in a batch, "" for a single event.
  std::string PathOf(size_t index) const { return batch ? "events[" + std::to_string(index) + "]" : ""; }
};

// The mode is chosen by Content-Type; without a CloudEvents one it is binary, attributes in ce-* headers.
Result<CloudEvents> ReadCloudEvents(std::string_view body, const HeaderList& headers,
                                    const DecodeOptions& options);

}  // namespace tocsin::ingest::internal
