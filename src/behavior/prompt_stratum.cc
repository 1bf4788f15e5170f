#include "behavior/prompt_stratum.h"

#include <array>

#include "behavior/prompt_features.h"

namespace tocsin::behavior {

uint32_t PromptStratum(const PromptVector& prompt) {
  const auto at = [&](PromptFeature f) { return prompt[static_cast<size_t>(f)]; };
  if (at(PromptFeature::kCode) > 0.5F) return 0;
  const bool is_long = at(PromptFeature::kLogWords) > 4.1F;  // above some 60 words
  const bool lines = at(PromptFeature::kLogLines) > 1.0F;
  if (is_long) return lines ? 1 : 2;
  if (at(PromptFeature::kWrite) > 0.5F) return 3;
  if (at(PromptFeature::kList) > 0.5F) return 4;
  if (lines) return 5;
  return at(PromptFeature::kQuestion) > 0.5F ? 6 : 7;
}

std::string PromptStratumName(uint32_t stratum) {
  static constexpr std::array<const char*, kPromptStrata> kNames = {"code",
                                                                    "long material with lines",
                                                                    "long text",
                                                                    "short order to write",
                                                                    "short order for a list",
                                                                    "short with lines",
                                                                    "short question",
                                                                    "short order"};
  return stratum < kPromptStrata ? kNames[stratum] : "unknown";
}

}  // namespace tocsin::behavior
