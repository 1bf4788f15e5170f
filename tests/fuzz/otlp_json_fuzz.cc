// Any bytes as OTLP/JSON: refused with a reason, or decoded into a sound Batch. The first byte chooses the
// signal.
#include "oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto kind = static_cast<tocsin::ingest::SignalKind>(data[0] % 3);
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const tocsin::ingest::DecodeOptions options;
  const auto outcome = tocsin::ingest::Decode(kind, body, tocsin::ingest::Encoding::kJson, options);
  if (outcome) {
    tocsin::fuzz::CheckBatch(outcome->batch, options.limits);
    tocsin::fuzz::Require((outcome->rejected == 0) == outcome->reason.empty(),
                          "what is rejected is explained");
  } else {
    tocsin::fuzz::Require(!outcome.error().message().empty(), "a refusal is explained");
    tocsin::fuzz::Require(tocsin::HttpStatus(outcome.error().code()) < 500, "a refusal is the caller's",
                          outcome.error().ToString());
  }
  return 0;
}
