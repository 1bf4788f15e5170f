// Classes of characters of a log line, and the hashes of its words. The hashes are part of template ids: they
// are the same on every machine (little-endian) and in every version.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "stats/log_shape.h"

namespace tocsin::stats::internal {

enum CharacterClass : uint8_t {
  kSpace = 1,
  kLetter = 2,
  kDigit = 4,
  kJoiner = 8,
  kHex = 16,
  kNewline = 32,
  kListing = 64
};
inline constexpr uint8_t kStarts = kLetter | kDigit;  // what a word begins and ends with
inline constexpr uint8_t kInWord = kLetter | kDigit | kJoiner;

constexpr std::array<uint8_t, 256> MakeClasses() {
  std::array<uint8_t, 256> c{};
  for (size_t i = 0; i <= 32; ++i) c[i] = kSpace | kListing;
  c['\n'] = kSpace | kNewline | kListing;
  for (size_t i = 'a'; i <= 'z'; ++i) c[i] = c[i - 32] = kLetter;
  for (size_t i = 128; i < 256; ++i) c[i] = kLetter;
  for (size_t i = '0'; i <= '9'; ++i) c[i] = kDigit | kHex;
  for (size_t i = 'a'; i <= 'f'; ++i) c[i] = c[i - 32] = kLetter | kHex;
  c['_'] = kLetter;
  for (const char j : {'.', '-', '/', '@', '$', '+', '~', '%', '#', '&', '\\', '*', '!', '?', '^'}) {
    c[static_cast<uint8_t>(j)] = kJoiner;
  }
  // What may stand between the elements of a list or the parts of a number, time or address.
  for (const char j : {',', ':', ';', '|', '.', '-', '/', '+', '&', '~', '@', '#', '=', '\'', '"', '\\'}) {
    c[static_cast<uint8_t>(j)] |= kListing;
  }
  return c;
}
inline constexpr std::array<uint8_t, 256> kClasses = MakeClasses();

inline uint8_t Class(char c) { return kClasses[static_cast<uint8_t>(c)]; }

inline uint64_t Mix(uint64_t h, uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15ULL;
  return h ^ (h >> 29);
}

inline uint64_t HashBytes(const char* s, size_t n) {
  uint64_t h = 0x1234567 + n;
  while (n >= 8) {
    uint64_t v = 0;
    std::memcpy(&v, s, 8);
    h = Mix(h, v);
    s += 8;
    n -= 8;
  }
  if (n > 0) {
    uint64_t v = 0;
    std::memcpy(&v, s, n);
    h = Mix(h, v);
  }
  return h == kVariable ? 1 : h;
}

}  // namespace tocsin::stats::internal
