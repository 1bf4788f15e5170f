#include "behavior/generation_features.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "behavior/prompt_features.h"
#include "behavior/prompt_stratum.h"
#include "behavior/style_counter.h"
#include "behavior/token_scanner.h"

namespace tocsin::behavior {
namespace {

constexpr size_t kMaxName = 48;

// Counts per bucket for one text. A two-level bitmap of the buckets touched gives them back in order without
// a sort; both levels and the counts fit the second-level cache. Counts stop at 65,535.
class BucketCounter {
 public:
  BucketCounter() : counts_(kNgramBuckets, 0), words_(kNgramBuckets / 64, 0) {}
  void Add(uint64_t hash) {
    const auto bucket = static_cast<uint16_t>(hash >> 48U);
    uint16_t& count = counts_[bucket];
    if (count == 0) {
      words_[bucket / 64U] |= uint64_t{1} << (bucket % 64U);
      summary_[bucket / 4096U] |= uint64_t{1} << (bucket / 64U % 64U);
      ++touched_;
    }
    count = static_cast<uint16_t>(count + (count < 65'535 ? 1 : 0));
  }
  // Takes the normalised vector and clears the counter.
  NgramVector Take() {
    NgramVector out;
    out.reserve(touched_);
    double total = 0.0;
    for (size_t s = 0; s < summary_.size(); ++s) {
      for (uint64_t group = std::exchange(summary_[s], 0); group != 0; group &= group - 1) {
        const size_t w = s * 64 + static_cast<size_t>(std::countr_zero(group));
        for (uint64_t bits = std::exchange(words_[w], 0); bits != 0; bits &= bits - 1) {
          const auto bucket = static_cast<uint16_t>(w * 64 + static_cast<size_t>(std::countr_zero(bits)));
          const double count = std::exchange(counts_[bucket], uint16_t{0});
          total += count;  // (sqrt count)^2
          out.push_back({bucket, static_cast<float>(count)});
        }
      }
    }
    const double scale = total > 0.0 ? 1.0 / std::sqrt(total) : 0.0;
    for (NgramEntry& e : out) e.value = static_cast<float>(std::sqrt(static_cast<double>(e.value)) * scale);
    touched_ = 0;
    return out;
  }

 private:
  std::vector<uint16_t> counts_;
  std::vector<uint64_t> words_;
  std::array<uint64_t, kNgramBuckets / 4096> summary_{};
  size_t touched_ = 0;
};

struct Scratch {
  StyleScratch style;
  BucketCounter buckets;
};

// Buffers only; no state survives a call in them.
Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

Language ScanPrompt(std::string_view prompt, StyleScratch& scratch) {
  const Lexicon& lexicon = Lexicon::Instance();
  scratch.prompt_words.Clear();
  scratch.prompt_content_words = 0;
  LanguageProfile profile;
  ScanTokens(prompt, [&](const Token& token) {
    if (token.kind != TokenKind::kWord) return;
    profile.AddWord(token.hash, token.text);
    if (lexicon.Word(token.hash) & kFunctionWord) return;
    if (scratch.prompt_words.Insert(token.hash)) ++scratch.prompt_content_words;
  });
  return profile.Decide();
}

bool IsTruncation(std::string_view reason) {
  return reason == "length" || reason == "max_tokens" || reason == "MAX_TOKENS" || reason == "model_length";
}

}  // namespace

NgramNames::NgramNames() : names_(kNgramBuckets), known_(kNgramBuckets / 64, 0) {}

void NgramNames::Remember(uint16_t bucket, std::string_view first, std::string_view second) {
  std::string& name = names_[bucket];
  if (Knows(bucket)) return;
  known_[bucket / 64U] |= uint64_t{1} << (bucket % 64U);
  const auto append = [&](std::string_view part) {
    if (part == "\n") {
      name += "\\n";
      return;
    }
    for (char c : part.substr(0, kMaxName / 2)) {
      name += (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
    }
  };
  append(first);
  if (!second.empty()) {
    name += ' ';
    append(second);
  }
}

GenerationFeatures ExtractFeatures(const GenerationInput& input, NgramNames* names) {
  Scratch& scratch = ThreadScratch();
  const std::string_view prompt = input.prompt.substr(0, kMaxScannedBytes);
  const std::string_view output = input.output.substr(0, kMaxScannedBytes);
  GenerationFeatures out;
  out.prompt = PromptFeatures(prompt);
  out.prompt_stratum = PromptStratum(out.prompt);
  out.prompt_language = ScanPrompt(prompt, scratch.style);

  StyleCounter counter(output, scratch.style);
  LanguageProfile profile;
  uint64_t previous = 0;
  std::string_view previous_text;
  ScanTokens(output, [&](const Token& token) {
    if (token.kind == TokenKind::kWord) profile.AddWord(token.hash, token.text);
    counter.Add(token);
    const uint64_t unigram = MixHash(token.hash * 0x9E3779B97F4A7C15ULL);
    scratch.buckets.Add(unigram);
    const uint64_t bigram = previous != 0 ? CombineHash(previous, token.hash) : 0;
    if (previous != 0) scratch.buckets.Add(bigram);
    if (names != nullptr) {
      const auto one = static_cast<uint16_t>(unigram >> 48U);
      if (!names->Knows(one)) names->Remember(one, token.text, {});
      const auto two = static_cast<uint16_t>(bigram >> 48U);
      if (previous != 0 && !names->Knows(two)) names->Remember(two, previous_text, token.text);
    }
    previous = token.hash;
    previous_text = token.text;
  });
  out.language = profile.Decide();
  const bool differs = out.language != Language::kUnknown && out.prompt_language != Language::kUnknown &&
                       out.language != out.prompt_language;
  out.style = counter.Finish(differs);
  out.style[static_cast<size_t>(Style::kLogChars)] =
      static_cast<float>(std::log1p(static_cast<double>(input.output.size())));
  out.ngrams = scratch.buckets.Take();
  out.latency_ms = input.latency_ms;
  out.output_tokens = input.output_tokens;
  out.cost_usd = input.cost_usd;
  out.tool_calls = static_cast<uint32_t>(input.tool_calls.size());
  out.truncated = IsTruncation(input.finish_reason);
  return out;
}

}  // namespace tocsin::behavior
