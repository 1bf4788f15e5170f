// The word and phrase lists behind the style features, as a hash lookup.
//
// Words and phrases are tokenised by token_scanner.h when the table is first used; after that
// it is immutable and any thread may read it. Lookup is O(1) for words; a phrase costs one
// comparison per phrase that ends in the present token.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tocsin::behavior {

// Classes a single word may belong to (bit set).
enum WordClass : uint32_t {
  kFunctionWord = 1U << 0,
  kFirstPersonWord = 1U << 1,
  kSecondPersonWord = 1U << 2,
  kHedgeWord = 1U << 3,
  kStepWord = 1U << 4,
  kConnectorWord = 1U << 5,
  kEmphasisWord = 1U << 6,
  kApologyWord = 1U << 7,
  kWhWord = 1U << 8,
  kWriteWord = 1U << 9,
  kListWord = 1U << 10,
  kExplainWord = 1U << 11,
  kTransformWord = 1U << 12,
  kMathWord = 1U << 13,
  kShortWord = 1U << 14,
  kYesNoWord = 1U << 15,
  kCodeWord = 1U << 16,
  kExampleWord = 1U << 17,
};

// Classes of phrases (bit set).
enum PhraseClass : uint32_t {
  kRefusalPhrase = 1U << 0,
  kHedgePhrase = 1U << 1,
  kFlatteryPhrase = 1U << 2,
  kSelfAiPhrase = 1U << 3,
  kConclusionPhrase = 1U << 4,
  kOfferPhrase = 1U << 5,
  kStepPhrase = 1U << 6,
  kApologyPhrase = 1U << 7,
};

inline constexpr size_t kMaxPhraseTokens = 8;

class Lexicon {
 public:
  static const Lexicon& Instance();

  // Classes of the word with this hash, 0 if none.
  uint32_t Word(uint64_t hash) const;
  // Classes of all phrases that end here. `recent[k]` is the hash k tokens back; `available` of them are set.
  uint32_t Phrases(std::span<const uint64_t, kMaxPhraseTokens> recent, size_t available) const;

 private:
  Lexicon();
  void AddWords(uint32_t cls, const char* words);
  void AddPhrases(uint32_t cls, std::span<const char* const> phrases);

  static constexpr size_t kSlots = 4096;
  struct Slot {
    uint64_t hash = 0;
    uint32_t word_classes = 0;
    uint16_t phrase_begin = 0;  // phrases that end with this token: [begin, begin+count)
    uint16_t phrase_count = 0;
  };
  struct Phrase {
    std::array<uint64_t, kMaxPhraseTokens> reversed{};
    uint32_t size = 0;
    uint32_t cls = 0;
  };
  static constexpr size_t kMaxPhrases = 512;

  const Slot* Find(uint64_t hash) const;
  Slot& FindOrInsert(uint64_t hash);
  void IndexPhrases();

  std::array<Slot, kSlots> slots_{};
  std::array<Phrase, kMaxPhrases> phrases_{};
  size_t phrase_count_ = 0;
};

}  // namespace tocsin::behavior
