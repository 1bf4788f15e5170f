// The few word lists by which a token of a log line is told to be a variable or the message itself. General
// words of programs and of English, none of one system; short, because each entry is a rule to defend.
// Lists hold words of at most eight characters in lower case, packed into integers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tocsin::stats {

constexpr size_t kMaxPackedWord = 8;

// The word, lower-cased, as one number. Longer words lose their beginning: check the length first.
constexpr uint64_t PackWord(std::string_view s) {
  uint64_t v = 0;
  for (const char c : s) v = v << 8 | static_cast<uint8_t>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return v;
}

template <size_t N>
constexpr std::array<uint64_t, N> PackWords(const char* const (&words)[N]) {
  std::array<uint64_t, N> list{};
  for (size_t i = 0; i < N; ++i) list[i] = PackWord(words[i]);
  return list;
}

template <size_t N>
bool IsOneOf(std::string_view word, const std::array<uint64_t, N>& list) {
  if (word.size() > kMaxPackedWord) return false;
  return std::find(list.begin(), list.end(), PackWord(word)) != list.end();
}

// Values as languages print them, in these spellings only: "none" alone is a word.
inline constexpr std::array<std::string_view, 12> kPrintedValues = {
    "true", "false", "True", "False", "TRUE", "FALSE", "null", "NULL", "nil", "None", "NaN", "nan"};

// What may follow a number and belong to it.
inline constexpr auto kUnits = PackWords(
    {"ns",   "us",   "ms",   "s",   "sec", "secs", "min", "mins", "h",   "hr",  "hrs", "b",   "kb",  "mb",
     "gb",   "tb",   "kib",  "mib", "gib", "tib",  "k",   "m",    "g",   "hz",  "khz", "mhz", "ghz", "bps",
     "kbps", "mbps", "gbps", "am",  "pm",  "utc",  "gmt", "est",  "edt", "pst", "pdt", "cet", "cest"});

// Next to a number: parts of a date.
inline constexpr auto kCalendar =
    PackWords({"mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun",
               "jul", "aug", "sep", "oct", "nov", "dec"});

// Last labels by which a dotted name is a host and not a class or file.
inline constexpr auto kHostLabels =
    PackWords({"com",   "net", "org", "edu", "gov", "mil", "io", "local", "internal", "lan", "info", "biz",
               "cloud", "dev", "app", "cn",  "hk",  "tw",  "jp", "kr",    "in",       "uk",  "de",   "fr",
               "it",    "nl",  "pl",  "ru",  "br",  "au",  "us", "eu",    "ch",       "se"});

// `msg="failed to connect"`: keys whose value is what the line says, not a parameter of it.
inline constexpr auto kMessageKeys =
    PackWords({"msg", "message", "event", "level", "lvl", "severity", "err", "error", "reason", "detail"});

// Words after which a name is expected: "from X"; and with a noun between, "for user X".
inline constexpr auto kPrepositions = PackWords({"for", "from", "by", "of", "on", "at", "with", "via", "in"});
inline constexpr auto kNamedNouns =
    PackWords({"user", "username", "account", "group", "host", "hostname", "client", "server", "node",
               "domain", "device", "service", "job", "task", "topic", "queue", "tenant", "pod"});

}  // namespace tocsin::stats
