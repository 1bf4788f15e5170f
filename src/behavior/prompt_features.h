// Features of the prompt alone: what decides the shape of a good answer. They are the covariates
// the style of an answer is judged given. Same rules as style_features.h: finite, of order one.
#pragma once

#include <string_view>

#include "behavior/style_features.h"

namespace tocsin::behavior {

enum class PromptFeature : size_t {
  kLogChars,
  kLogWords,
  kLogLines,
  kQuestion,
  kWhWord,
  kHow,
  kWrite,
  kList,
  kExplain,
  kCode,
  kDigits,
  kQuotes,
  kExamples,
  kTransform,
  kMath,
  kShortAnswer,
  kCount
};
static_assert(static_cast<size_t>(PromptFeature::kCount) == kPromptCount);

std::string_view PromptFeatureName(PromptFeature feature);

PromptVector PromptFeatures(std::string_view prompt);

}  // namespace tocsin::behavior
