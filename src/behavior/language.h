// The language of a text, from its script and a stop-word profile.
//
// Scripts decide outright for non-Latin text; Latin text is decided by which
// language's function words it uses most. Short or mixed text is kUnknown rather
// than guessed. O(bytes), no allocation, thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin::behavior {

enum class Language : std::uint8_t {
  kUnknown,
  kEnglish,
  kGerman,
  kFrench,
  kSpanish,
  kItalian,
  kPortuguese,
  kDutch,
  kRussian,
  kGreek,
  kArabic,
  kHebrew,
  kHindi,
  kThai,
  kChinese,
  kJapanese,
  kKorean,
  kCount
};

std::string_view LanguageCode(Language language);  // "en", "de", …, "und"

// Accumulates evidence while a text is scanned.
class LanguageProfile {
 public:
  // A word token: its hash (token_scanner.h) and its bytes.
  void AddWord(std::uint64_t hash, std::string_view word);
  Language Decide() const;

 private:
  std::array<std::uint32_t, static_cast<std::size_t>(Language::kCount)> votes_{};
  std::uint32_t words_ = 0;
  std::uint32_t foreign_letters_ = 0;
};

Language DetectLanguage(std::string_view text);

}  // namespace tocsin::behavior
