// Sketch: a short vector for a text, so that like prompts are near each other: the sparse signed random
// projection of its lower-cased words (feature hashing, Weinberger et al. 2009), square-root of length
// removed. Deterministic; pure; thread-safe; about 1 us per 30 words; at most 8 KB of the text are read.
#pragma once

#include <array>
#include <string_view>

#include "behavior/generation_features.h"

namespace tocsin::detect {

inline constexpr size_t kSketchSize = 64;
using Sketch = std::array<float, kSketchSize>;

Sketch SketchText(std::string_view text);
// Of an answer, from n-grams already hashed.
Sketch SketchNgrams(const behavior::NgramVector& ngrams);
double SquaredDistance(const Sketch& a, const Sketch& b);

}  // namespace tocsin::detect
