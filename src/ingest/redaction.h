// Redactor: takes secrets out of texts before anything is stored, leaving "[redacted:NAME]".
//
// Built in: keys and tokens of common providers, JWTs, PEM private keys, Bearer tokens, password=… and its
// relatives, payment card numbers (Luhn). Configured: named RE2 patterns. docs/formats/redaction.md lists
// them. Cost: a clean text is read once, three table look-ups a byte (about 1 ns a byte); rules run only
// where one of their anchors occurs. A configured pattern costs one RE2 scan of each text. Ownership:
// immutable after Make. Thread-safety: all methods, from any threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"

namespace tocsin::ingest {

struct RedactionPattern {
  std::string name;   // [a-z0-9_-]{1,40}, appears in the marker
  std::string regex;  // RE2 syntax
};

struct RedactionSettings {
  bool built_in = true;
  std::vector<RedactionPattern> patterns;  // at most kMaxPatterns
};

class Redactor {
 public:
  static constexpr size_t kMaxPatterns = 64;
  static constexpr int64_t kMaxProgram = 10'000;  // RE2 instructions of one pattern

  // What a text is: an identifier keeps digits that look like a card number, because joins need it.
  enum class Kind { kText, kIdentifier };

  // kInvalidArgument naming the pattern that does not compile, is too large, or matches the empty text.
  static Result<std::shared_ptr<const Redactor>> Make(const RedactionSettings& settings);
  // The built-in rules alone.
  static std::shared_ptr<const Redactor> BuiltIn();

  // Replaces what it finds in `text`; returns how many. 0 leaves the text untouched.
  int64_t Apply(std::string& text, Kind kind = Kind::kText) const;
  // True when Apply would (very likely) change the text: the cheap scan.
  bool MayMatch(std::string_view text) const;

  ~Redactor();
  Redactor(const Redactor&) = delete;
  Redactor& operator=(const Redactor&) = delete;

 private:
  struct Compiled;
  Redactor();
  std::unique_ptr<Compiled> compiled_;
};

// True when a value under this key is a credential whatever it looks like: authorization, x-api-key,
// db.password, client_secret, access_token …; not max_tokens, token_count, prompt_tokens.
bool IsCredentialKey(std::string_view key);
// What is stored in place of such a value.
inline constexpr std::string_view kCredentialMarker = "[redacted:credential]";

}  // namespace tocsin::ingest
