// Did retrieval hold the answer? The share of the answer's content words and content
// bigrams that the retrieved passages contain.
//
// Content words are those outside the English function-word list and outside the prompt
// (repeating the question is no evidence). 1 means everything the answer adds is in the
// passages, 0 nothing; NaN when there is no passage or no content. O(text), thread-safe.
#pragma once

#include <cstddef>
#include <string>

#include "behavior/generation_input.h"

namespace tocsin::behavior {

struct PassageSupport {
  double share = 0.0;  // (word share + bigram share) / 2, NaN if undefined
  double word_share = 0.0;
  double bigram_share = 0.0;
  std::size_t content_words = 0;
  std::string best_document;  // id of the passage that covers most words
};

PassageSupport AnswerInPassages(const GenerationInput& input);

}  // namespace tocsin::behavior
