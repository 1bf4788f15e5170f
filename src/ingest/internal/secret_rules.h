// The built-in rules of redaction: what a secret looks like once one of its anchors has been seen.
// Pure functions over a text and a place in it. docs/formats/redaction.md lists them.
#pragma once

#include <cstddef>
#include <string_view>

namespace tocsin::ingest::internal {

// A secret found: [begin, end) of the text, and the rule's name.
struct SecretMatch {
  size_t begin = 0, end = 0;
  std::string_view rule;
  bool found() const { return end > begin; }
};

// True when the three bytes a, b, c may start an anchor. False positives are rare, false negatives none.
// Reads text[i, i + 3).
bool MayStartSecret(const char* at);
// The first place at or after `from` where an anchor may start, or npos.
size_t NextAnchor(std::string_view text, size_t from);
// Tries every rule at one place. The match may begin later than `at` (the value of password=…).
SecretMatch MatchSecretAt(std::string_view text, size_t at, bool with_cards);

}  // namespace tocsin::ingest::internal
