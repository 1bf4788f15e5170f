// Changes and feedback: refused with a reason, or decoded. The first byte chooses the decoder.
#include "ingest/change_decoder.h"
#include "ingest/feedback_decoder.h"
#include "oracle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  using namespace tocsin;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ingest::DecodeOptions options;
  signal::Batch batch;
  Status status;
  const auto take = [&](auto result, auto& into) {
    if (result) {
      into = std::move(*result);
    } else {
      status = result.error();
      fuzz::Require(!status.message().empty() && HttpStatus(status.code()) < 500, "a refusal is the caller's",
                    status.ToString());
    }
  };
  static const ingest::HeaderList kOne = {{"Content-Type", "application/cloudevents+json"}};
  static const ingest::HeaderList kMany = {{"Content-Type", "application/cloudevents-batch+json"}};
  switch (data[0] % 4) {
    case 0:
      take(ingest::DecodeCloudEvent(body, kOne, options), batch.changes);
      break;
    case 1:
      take(ingest::DecodeCloudEvent(body, kMany, options), batch.changes);
      break;
    case 2:
      take(ingest::DecodePagerDutyChange(body, options), batch.changes.emplace_back());
      break;
    default:
      take(ingest::DecodeFeedback(body, options), batch.feedbacks);
  }
  fuzz::CheckBatch(batch, options.limits);
  return 0;
}
