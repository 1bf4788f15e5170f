// TextCleaner: what every stored text goes through: valid UTF-8, redacted, bounded.
// Order matters: redaction before the cut, so that no half of a secret is left at the edge.
// Ownership: borrows the redactor. Thread-safety: none; one decoder owns it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ingest/redaction.h"

namespace tocsin::ingest::internal {

inline constexpr std::string_view kCutMark = "\xE2\x80\xA6[cut]";

class TextCleaner {
 public:
  explicit TextCleaner(const Redactor& redactor) : redactor_(redactor) {}

  // The text itself when nothing is wrong with it, else a corrected copy, valid until the next call.
  std::string_view Clean(std::string_view text, size_t max_bytes,
                         Redactor::Kind kind = Redactor::Kind::kText);

  int64_t redactions() const { return redactions_; }
  int64_t shortened() const { return shortened_; }
  void CountRedaction() { ++redactions_; }

 private:
  const Redactor& redactor_;
  std::string scratch_;
  int64_t redactions_ = 0, shortened_ = 0;
};

// Each byte that is not part of a valid sequence becomes U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);
// The largest prefix of at most max bytes that ends between characters.
std::string_view Utf8Prefix(std::string_view text, size_t max);

}  // namespace tocsin::ingest::internal
