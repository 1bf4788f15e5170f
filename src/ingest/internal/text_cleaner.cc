#include "ingest/internal/text_cleaner.h"

#include <simdjson.h>

#include <algorithm>

namespace tocsin::ingest::internal {
namespace {

// Length of the valid sequence at the start of `s`, 0 when there is none (Unicode 15, table 3-7).
size_t SequenceLength(std::string_view s) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char a = at(0);
  const auto tail = [&](size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < s.size() && at(i) >= low && at(i) <= high;
  };
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return tail(1) ? 2 : 0;
  if (a >= 0xE0 && a <= 0xEF) {
    const unsigned low = a == 0xE0 ? 0xA0 : 0x80, high = a == 0xED ? 0x9F : 0xBF;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (a >= 0xF0 && a <= 0xF4) {
    const unsigned low = a == 0xF0 ? 0x90 : 0x80, high = a == 0xF4 ? 0x8F : 0xBF;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

std::string_view Utf8Prefix(std::string_view text, size_t max) {
  if (text.size() <= max) return text;
  size_t end = max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string_view TextCleaner::Clean(std::string_view text, size_t max_bytes, Redactor::Kind kind) {
  if (text.empty()) return text;
  const bool valid = simdjson::validate_utf8(text.data(), text.size());
  const bool suspect = !valid || redactor_.MayMatch(text);
  if (!suspect && text.size() <= max_bytes) return text;
  if (text.data() != scratch_.data()) scratch_ = valid ? std::string(text) : ReplaceInvalidUtf8(text);
  if (suspect) redactions_ += redactor_.Apply(scratch_, kind);
  if (scratch_.size() > max_bytes) {
    ++shortened_;
    scratch_.resize(Utf8Prefix(scratch_, max_bytes - std::min(max_bytes, kCutMark.size())).size());
    scratch_ += kCutMark;
  }
  return scratch_;
}

}  // namespace tocsin::ingest::internal
