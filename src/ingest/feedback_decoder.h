// Feedback: the body of POST /api/v1/feedback to signal::Feedback. docs/formats/feedback.md has the fields.
// Errors: kInvalidArgument naming the field ("[3].csat: must be 1 to 5, got 9"). All or nothing.
// Thread-safety: pure; options are only read. Texts are redacted and bounded.
#pragma once

#include <string_view>
#include <vector>

#include "ingest/decoder.h"
#include "kernel/status.h"
#include "signal/verdicts.h"

namespace tocsin::ingest {

Result<std::vector<signal::Feedback>> DecodeFeedback(std::string_view body, const DecodeOptions& options);

}  // namespace tocsin::ingest
