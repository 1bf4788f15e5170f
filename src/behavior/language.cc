#include "behavior/language.h"

#include <algorithm>

#include "behavior/token_scanner.h"

namespace tocsin::behavior {
namespace {

struct Row {
  Language language;
  const char* words;
};

// Function words that tell the language; a word shared by two languages votes for both.
constexpr Row kStopWords[] = {
    {Language::kEnglish,
     "the and of to is that it for with are this you your from have not which can will their they been"},
    {Language::kGerman,
     "der die das und ist nicht ein eine mit von für auf sich den dem auch werden sie ich oder zu wie"},
    {Language::kFrench,
     "le les des et est une dans pour que qui pas sur avec vous nous sont cette au du mais ou être"},
    {Language::kSpanish,
     "el los las una que por con para del como más pero su se está son es esta y lo muy también"},
    {Language::kItalian,
     "il che di è per una con non sono della del gli anche nel alla più come questo lo dei le ma"},
    {Language::kPortuguese,
     "os as um uma não para com que do da em são mais por é você dos das também ou mas ao"},
    {Language::kDutch,
     "het een van en niet dat zijn met voor op je aan ook maar bij naar worden deze kunnen wordt te ik"},
};

struct VoteTable {
  static constexpr size_t kSlots = 1024;
  std::array<uint64_t, kSlots> hash{};
  std::array<uint32_t, kSlots> languages{};  // bit set

  VoteTable() {
    for (const Row& row : kStopWords) {
      ScanTokens(row.words, [&](const Token& token) { Insert(token.hash, row.language); });
    }
  }
  void Insert(uint64_t h, Language language) {
    size_t slot = h % kSlots;
    while (hash[slot] != 0 && hash[slot] != h) slot = (slot + 1) % kSlots;
    hash[slot] = h;
    languages[slot] |= 1U << static_cast<uint32_t>(language);
  }
  uint32_t Find(uint64_t h) const {
    size_t slot = h % kSlots;
    while (hash[slot] != 0) {
      if (hash[slot] == h) return languages[slot];
      slot = (slot + 1) % kSlots;
    }
    return 0;
  }
};

const VoteTable& Votes() {
  static const VoteTable table;
  return table;
}

// The script of the first code point of a word with high bytes; kUnknown for Latin or broken UTF-8.
Language ScriptOf(std::string_view word) {
  const auto b0 = static_cast<unsigned char>(word[0]);
  const auto b1 = static_cast<unsigned char>(word.size() > 1 ? word[1] : 0);
  uint32_t cp = 0;
  if (b0 >= 0xC2 && b0 < 0xE0 && word.size() >= 2) cp = ((b0 & 0x1FU) << 6U) | (b1 & 0x3FU);
  if (b0 >= 0xE0 && b0 < 0xF0 && word.size() >= 3) {
    const auto b2 = static_cast<unsigned char>(word[2]);
    cp = ((b0 & 0x0FU) << 12U) | ((b1 & 0x3FU) << 6U) | (b2 & 0x3FU);
  }
  if (cp >= 0x370 && cp < 0x400) return Language::kGreek;
  if (cp >= 0x400 && cp < 0x530) return Language::kRussian;
  if (cp >= 0x590 && cp < 0x600) return Language::kHebrew;
  if (cp >= 0x600 && cp < 0x780) return Language::kArabic;
  if (cp >= 0x900 && cp < 0x980) return Language::kHindi;
  if (cp >= 0xE00 && cp < 0xE80) return Language::kThai;
  if (cp >= 0x3040 && cp < 0x3100) return Language::kJapanese;
  if (cp >= 0x4E00 && cp < 0xA000) return Language::kChinese;
  if (cp >= 0xAC00 && cp < 0xD7B0) return Language::kKorean;
  return Language::kUnknown;
}

// CJK text has no spaces: a "word" may hold many characters. Does it hold kana (E3 81..83)?
bool HasKana(std::string_view word) {
  for (size_t i = 0; i + 1 < word.size(); ++i) {
    const auto next = static_cast<unsigned char>(word[i + 1]);
    if (static_cast<unsigned char>(word[i]) == 0xE3 && next >= 0x81 && next <= 0x83) return true;
  }
  return false;
}

bool IsLatin(Language l) { return l <= Language::kDutch; }

}  // namespace

std::string_view LanguageCode(Language language) {
  static constexpr std::array<std::string_view, static_cast<size_t>(Language::kCount)> kCodes = {
      "und", "en", "de", "fr", "es", "it", "pt", "nl", "ru", "el", "ar", "he", "hi", "th", "zh", "ja", "ko"};
  return kCodes[static_cast<size_t>(language)];
}

void LanguageProfile::AddWord(uint64_t hash, std::string_view word) {
  ++words_;
  if (!word.empty() && static_cast<unsigned char>(word[0]) >= 0xC2) {
    Language script = ScriptOf(word);
    if (script != Language::kUnknown) {
      if (script == Language::kChinese && HasKana(word)) script = Language::kJapanese;
      const auto weight = static_cast<uint32_t>(1 + std::min<size_t>(word.size() / 6, 100));
      votes_[static_cast<size_t>(script)] += weight;
      foreign_letters_ += weight;
      return;
    }
  }
  uint32_t bits = word.size() <= 10 ? Votes().Find(hash) : 0;
  for (size_t l = 0; bits != 0; ++l, bits >>= 1U) votes_[l] += bits & 1U;
}

Language LanguageProfile::Decide() const {
  size_t best = 0;
  uint32_t second = 0;
  const bool script = foreign_letters_ * 2 > words_;
  for (size_t l = 1; l < votes_.size(); ++l) {
    if (IsLatin(static_cast<Language>(l)) == script) continue;
    if (votes_[l] > votes_[best] || best == 0) {
      second = best == 0 ? 0 : votes_[best];
      best = l;
    } else {
      second = std::max(second, votes_[l]);
    }
  }
  const uint32_t top = votes_[best];
  if (top == 0) return Language::kUnknown;
  if (script) {
    const bool kana = votes_[static_cast<size_t>(Language::kJapanese)] * 4 > top;
    return kana && static_cast<Language>(best) == Language::kChinese ? Language::kJapanese
                                                                     : static_cast<Language>(best);
  }
  if (top < 2 || top <= second) return Language::kUnknown;
  return top * 25 >= words_ ? static_cast<Language>(best) : Language::kUnknown;
}

Language DetectLanguage(std::string_view text) {
  LanguageProfile profile;
  ScanTokens(text, [&](const Token& token) {
    if (token.kind == TokenKind::kWord) profile.AddWord(token.hash, token.text);
  });
  return profile.Decide();
}

}  // namespace tocsin::behavior
