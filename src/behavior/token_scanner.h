// Splits text into lower-cased word, number, punctuation and newline tokens in
// one linear pass, hashing as it goes.
//
// This is the only tokenizer of the behaviour features: n-grams, style counts,
// phrases and language profiles all read the same token stream, so a text is
// walked once. Bytes >= 0x80 count as letters (UTF-8 words stay whole, invalid
// UTF-8 is harmless). An apostrophe between letters belongs to the word and the
// typographic apostrophe (E2 80 99) hashes as the plain one.
//
// Ownership: tokens point into the caller's text. Thread-safe (no state).
// Cost: O(bytes), no allocation, no recursion.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin::behavior {

enum class TokenKind : std::uint8_t { kWord, kNumber, kPunct, kNewline };

struct Token {
  std::string_view text;   // as written
  std::uint64_t hash = 0;  // of the lower-cased, apostrophe-normalised token
  TokenKind kind = TokenKind::kPunct;
  bool capitalised = false;  // first letter is A-Z
  bool has_apostrophe = false;
  bool space_before = false;  // a blank, tab or newline precedes
};

namespace token_internal {

enum CharClass : std::uint8_t { kSpace, kLetter, kDigit, kPunctuation, kLineEnd };

constexpr std::array<std::uint8_t, 256> MakeClasses() {
  std::array<std::uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    std::uint8_t cls = kPunctuation;
    if (c == '\n')
      cls = kLineEnd;
    else if (c <= ' ' || c == 127)
      cls = kSpace;
    else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 128)
      cls = kLetter;
    else if (c >= '0' && c <= '9')
      cls = kDigit;
    table[static_cast<std::size_t>(c)] = cls;
  }
  return table;
}

inline constexpr std::array<std::uint8_t, 256> kClass = MakeClasses();
inline constexpr std::uint64_t kSeed = 0x9E3779B97F4A7C15ULL;
inline constexpr std::uint64_t kMul = 0xD6E8FEB86659FD93ULL;

constexpr std::uint64_t Step(std::uint64_t h, unsigned char c) { return (h ^ c) * kMul; }

constexpr unsigned char Lower(unsigned char c) {
  return (c >= 'A' && c <= 'Z') ? static_cast<unsigned char>(c + 32) : c;
}

constexpr bool IsCurlyApostrophe(std::string_view s, std::size_t i) {
  return i + 2 < s.size() && static_cast<unsigned char>(s[i]) == 0xE2 &&
         static_cast<unsigned char>(s[i + 1]) == 0x80 && static_cast<unsigned char>(s[i + 2]) == 0x99;
}

}  // namespace token_internal

// Spreads a running hash over all 64 bits.
constexpr std::uint64_t MixHash(std::uint64_t h) {
  h ^= h >> 32;
  h *= 0xE7037ED1A0B428DBULL;
  h ^= h >> 29;
  return h;
}

// The hash ScanTokens gives a single-token string; for building tables.
constexpr std::uint64_t HashToken(std::string_view token) {
  namespace ti = token_internal;
  std::uint64_t h = ti::kSeed;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (ti::IsCurlyApostrophe(token, i)) {
      h = ti::Step(h, '\'');
      i += 2;
    } else {
      h = ti::Step(h, ti::Lower(static_cast<unsigned char>(token[i])));
    }
  }
  return MixHash(h);
}

// Hash of two tokens in order, the key of a bigram.
constexpr std::uint64_t CombineHash(std::uint64_t first, std::uint64_t second) {
  return MixHash(first * 0x2545F4914F6CDD1DULL + (second ^ 0x632BE59BD9B4E019ULL));
}

// Calls sink(const Token&) for every token of `text`, in order.
template <class Sink>
void ScanTokens(std::string_view text, Sink&& sink) {
  namespace ti = token_internal;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t n = text.size();
  std::size_t i = 0;
  bool space = true;
  while (i < n) {
    const std::uint8_t cls = ti::kClass[byte(i)];
    if (cls == ti::kSpace) {
      space = true;
      ++i;
      continue;
    }
    Token token;
    token.space_before = space;
    const std::size_t begin = i;
    std::uint64_t h = ti::kSeed;
    if (cls == ti::kLetter) {
      token.kind = TokenKind::kWord;
      token.capitalised = byte(i) >= 'A' && byte(i) <= 'Z';
      while (i < n) {
        const unsigned char c = byte(i);
        const std::uint8_t k = ti::kClass[c];
        if (k == ti::kLetter) {
          if (c == 0xE2 && ti::IsCurlyApostrophe(text, i)) {
            const bool inside = i > begin && i + 3 < n && ti::kClass[byte(i + 3)] == ti::kLetter;
            if (!inside && i > begin) break;
            h = ti::Step(h, '\'');
            token.has_apostrophe = inside;
            i += 3;
            if (!inside) break;
            continue;
          }
          h = ti::Step(h, ti::Lower(c));
          ++i;
        } else if (k == ti::kDigit) {
          h = ti::Step(h, c);
          ++i;
        } else if (c == '\'' && i + 1 < n && ti::kClass[byte(i + 1)] == ti::kLetter) {
          h = ti::Step(h, c);
          token.has_apostrophe = true;
          ++i;
        } else {
          break;
        }
      }
    } else if (cls == ti::kDigit) {
      token.kind = TokenKind::kNumber;
      while (i < n && ti::kClass[byte(i)] == ti::kDigit) h = ti::Step(h, byte(i++));
    } else {
      token.kind = cls == ti::kLineEnd ? TokenKind::kNewline : TokenKind::kPunct;
      h = ti::Step(h, byte(i++));
    }
    token.hash = MixHash(h);
    token.text = text.substr(begin, i - begin);
    sink(static_cast<const Token&>(token));
    space = cls == ti::kLineEnd;
  }
}

}  // namespace tocsin::behavior
