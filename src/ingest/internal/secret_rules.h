// The built-in rules of redaction: what a secret looks like once one of its anchors has been seen.
// docs/formats/redaction.md lists them. Ownership: borrows the text. Thread-safety: none.
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

// Finds the secrets of one text from left to right, in linear time whatever the text.
class SecretScanner {
 public:
  SecretScanner(std::string_view text, bool with_cards) : text_(text), with_cards_(with_cards) {}
  // The first secret that begins at or after `from`. Calls with growing `from` only.
  SecretMatch Next(size_t from);

 private:
  SecretMatch MatchAt(size_t at);
  SecretMatch MatchJwt(size_t at);

  std::string_view text_;
  bool with_cards_;
  size_t no_jwt_before_ = 0;  // starts inside a run already refused are refused
};

}  // namespace tocsin::ingest::internal
