// Counts what the style features are made of while an answer is scanned, and turns the counts into
// the StyleVector at the end. One instance per answer; not thread-safe; bounded memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "behavior/lexicon.h"
#include "behavior/style_features.h"
#include "behavior/token_scanner.h"

namespace tocsin::behavior {

// A fixed-size set of 64-bit hashes; forgets nothing, merges on collision of 15 bits. Reusable.
class HashBitmap {
 public:
  HashBitmap() : bits_(kBits / 64, 0) {}
  // True if it was not there before.
  bool Insert(uint64_t hash) {
    const size_t bit = (hash >> 17U) % kBits;
    uint64_t& word = bits_[bit / 64];
    const uint64_t mask = uint64_t{1} << (bit % 64);
    const bool fresh = (word & mask) == 0;
    if (fresh) {
      if (word == 0) touched_.push_back(static_cast<uint32_t>(bit / 64));
      word |= mask;
    }
    return fresh;
  }
  bool Contains(uint64_t hash) const {
    const size_t bit = (hash >> 17U) % kBits;
    return (bits_[bit / 64] >> (bit % 64)) & 1U;
  }
  void Clear() {
    for (uint32_t w : touched_) bits_[w] = 0;
    touched_.clear();
  }

 private:
  static constexpr size_t kBits = size_t{1} << 17U;
  std::vector<uint64_t> bits_;
  std::vector<uint32_t> touched_;
};

// Buffers that outlive one answer, so that a steady state allocates nothing.
struct StyleScratch {
  HashBitmap words;
  HashBitmap trigrams;
  HashBitmap prompt_words;
  size_t prompt_content_words = 0;
};

class StyleCounter {
 public:
  StyleCounter(std::string_view text, StyleScratch& scratch);
  void Add(const Token& token);
  // `language_differs`: the answer is in another language than the prompt.
  StyleVector Finish(bool language_differs);

 private:
  class Writer;
  void FinishLayout(Writer& w) const;
  void FinishWords(Writer& w) const;
  void FinishEnds(Writer& w, std::string_view format_text) const;

  void AddWord(const Token& token);
  void AddPunct(const Token& token);
  void AddNewline(const Token& token);
  void StartLine(const Token& token);
  void NotePhrases();

  std::string_view text_;
  StyleScratch& scratch_;
  const Lexicon& lexicon_;
  std::array<uint64_t, kMaxPhraseTokens> recent_{};
  size_t tokens_ = 0;

  size_t words_ = 0, word_bytes_ = 0, distinct_ = 0, trigrams_ = 0, repeated_ = 0, capitalised_ = 0;
  size_t function_ = 0, first_person_ = 0, second_person_ = 0, contractions_ = 0, hedges_ = 0, steps_ = 0;
  size_t connectors_ = 0, emphasis_ = 0, adverbs_ = 0, gerunds_ = 0, apologies_ = 0;
  size_t sentences_ = 0, paragraphs_ = 1, lines_ = 1, blank_lines_ = 0;
  size_t numbered_ = 0, bullets_ = 0, tight_items_ = 0, headings_ = 0, bold_ = 0, fences_ = 0, ticks_ = 0;
  size_t table_rows_ = 0, math_ = 0, commas_ = 0, periods_ = 0, colons_ = 0, semicolons_ = 0, bangs_ = 0;
  size_t questions_ = 0, parens_ = 0, quotes_ = 0, dashes_ = 0, numbers_ = 0, non_ascii_words_ = 0;
  size_t prompt_hits_ = 0, opening_hits_ = 0, opening_words_ = 0;
  size_t first_sentence_words_ = 0, first_line_chars_ = 0, last_line_begin_ = 0;
  size_t line_tokens_ = 0, newlines_in_row_ = 0;
  bool line_is_number_ = false, previous_blank_ = true, refusal_ = false, flattery_ = false, self_ai_ = false;
  bool conclusion_ = false, offer_ = false, yes_no_ = false, boxed_ = false, apology_ = false;
  char last_punct_ = 0;
  char line_mark_ = 0;
  const char* last_punct_at_ = nullptr;
};

}  // namespace tocsin::behavior
