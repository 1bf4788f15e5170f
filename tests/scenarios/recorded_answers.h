// Recorded answers (JSONL, plain or zstd) under TOCSIN_DATA, default ../shared/data beside the checkout.
#pragma once

#include <string>
#include <vector>

#include "kernel/status.h"

namespace tocsin::scenarios {

struct RecordedAnswer {
  std::string prompt, output;
};
// `where`: "task:prime,model:gpt-3.5-turbo-0301". kNotFound says where it was looked for.
Result<std::vector<RecordedAnswer>> ReadRecorded(const std::string& file, const std::string& where);

}  // namespace tocsin::scenarios
