// Changes from outside: CloudEvents 1.0 (structured, binary, batch) and PagerDuty change events to
// signal::Change. docs/formats/changes.md has the fields and examples.
// Errors: kInvalidArgument naming the field ("events[2].specversion: must be \"1.0\", got \"0.3\"");
// kOutOfRange beyond a bound. All or nothing: a batch with one bad event changes nothing.
// Thread-safety: pure; options are only read. Texts are redacted and bounded.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/decoder.h"
#include "kernel/status.h"
#include "signal/verdicts.h"

namespace tocsin::ingest {

// Header names in any case, values as received.
using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Chooses the mode by Content-Type: application/cloudevents+json, application/cloudevents-batch+json, else
// binary, with the attributes in ce-* headers.
Result<std::vector<signal::Change>> DecodeCloudEvent(std::string_view body, const HeaderList& headers,
                                                     const DecodeOptions& options);
// The body of POST /v2/change/enqueue.
Result<signal::Change> DecodePagerDutyChange(std::string_view body, const DecodeOptions& options);

}  // namespace tocsin::ingest
