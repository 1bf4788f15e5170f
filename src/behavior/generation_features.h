// All behaviour features of one generation, computed in one pass over its text.
//
// Pure and deterministic: the same input gives the same bytes on every machine.
// Linear in the text; at most kMaxScannedBytes of prompt and of output are read
// (the lengths themselves are exact), so a hostile text costs a bounded amount.
// Thread-safe: no shared state. Invalid UTF-8 is data, not an error.
//
//   n-grams: unigrams and bigrams of lower-cased words, numbers, punctuation and
//   newlines; square-root counts; L2 norm 1 (0 for an empty text); 2^16 buckets,
//   ascending by bucket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behavior/generation_input.h"
#include "behavior/language.h"
#include "behavior/style_features.h"
#include "stats/online_logistic.h"

namespace tocsin::behavior {

inline constexpr std::size_t kMaxScannedBytes = std::size_t{1} << 20;
inline constexpr std::uint32_t kNgramBuckets = 1U << 16;

using NgramEntry = stats::SparseEntry;  // {uint16_t bucket; float value}
using NgramVector = std::vector<NgramEntry>;

// Remembers one readable n-gram per bucket, so that a learned weight can be
// named. Bounded: at most 2^16 strings of at most 48 bytes. Not thread-safe.
class NgramNames {
 public:
  NgramNames();
  bool Knows(std::uint16_t bucket) const { return ((known_[bucket / 64U] >> (bucket % 64U)) & 1U) != 0; }
  void Remember(std::uint16_t bucket, std::string_view first, std::string_view second);
  // The remembered n-gram (newline shown as "\n"), or "" if never seen.
  std::string_view Name(std::uint16_t bucket) const { return names_[bucket]; }

 private:
  std::vector<std::string> names_;
  std::vector<std::uint64_t> known_;  // bit set: small enough to stay in cache
};

struct GenerationFeatures {
  StyleVector style{};
  PromptVector prompt{};
  NgramVector ngrams;
  Language language = Language::kUnknown;  // of the output
  Language prompt_language = Language::kUnknown;
  std::uint32_t prompt_stratum = 0;  // see prompt_stratum.h
  // Operational, NaN when absent.
  double latency_ms = 0.0;
  double output_tokens = 0.0;
  double cost_usd = 0.0;
  std::uint32_t tool_calls = 0;
  bool truncated = false;  // finish reason says the token limit ended it

  bool refused() const { return style[static_cast<std::size_t>(Style::kRefusal)] > 0.5F; }
};

// `names`, when given, learns the n-grams of the output.
GenerationFeatures ExtractFeatures(const GenerationInput& input, NgramNames* names = nullptr);

// Names as the readable value of one style feature.
inline float StyleValue(const GenerationFeatures& features, Style feature) {
  return features.style[static_cast<std::size_t>(feature)];
}

}  // namespace tocsin::behavior
