// Inflate: undoes the Content-Encoding of a request body, streaming and bounded.
// Errors: kOutOfRange when the result would be larger than Limits::max_inflated_bytes or grow by more than
// max_inflate_ratio (a zip bomb ends there, not in memory); kInvalidArgument when the data is damaged or
// truncated, with the offset. Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>

#include "kernel/limits.h"
#include "kernel/status.h"

namespace tocsin::ingest {

enum class ContentEncoding { kIdentity, kGzip, kDeflate, kZstd };

// The value of a Content-Encoding header, in any case; "" is identity. kInvalidArgument otherwise.
Result<ContentEncoding> ParseContentEncoding(std::string_view header);
Result<std::string> Inflate(std::string_view body, ContentEncoding encoding, const Limits& limits);

}  // namespace tocsin::ingest
