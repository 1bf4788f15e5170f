// LogShape: a log line as words and variables, before any template is known of it.
//
// Words are runs of letters, digits and what joins them (. _ - / @ …); what is between is the gap. A word
// that a person would not expect twice becomes a variable at once, by rules about the token alone, the same
// for every system: anything with a digit, paths, URLs, e-mail addresses, MAC and hex pairs, values after
// `key=` (quoted or with balanced brackets), true/false/null, a number with its unit, dates, host:port.
// Variables that follow each other with only separators between them are one, so that a list has one shape
// whatever its length.
//
// Bounded: only the first kMaxShapeBytes bytes and kMaxShapeItems items are read; of a text of several lines,
// the first lines until three items are found. Any bytes may be given. One pass, no allocation once the
// vector has grown. Thread-safety: none, one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tocsin::stats {

inline constexpr size_t kMaxShapeBytes = 2048;
inline constexpr size_t kMaxShapeItems = 192;
inline constexpr uint64_t kVariable = 0;  // ShapeItem::word of a variable
inline constexpr std::string_view kWildcard = "<*>";

struct ShapeItem {
  uint64_t word;       // hash of the word, kVariable for a variable
  uint64_t gap;        // hash of the punctuation before it; spaces do not count
  uint32_t gap_begin;  // the gap is [gap_begin, begin), the word [begin, end)
  uint32_t begin;
  uint32_t end;
};

struct LogShape {
  std::vector<ShapeItem> items;
  uint64_t tail = 0;  // hash of the punctuation after the last item
  uint32_t tail_begin = 0;
  uint32_t length = 0;  // bytes read
  uint64_t hash = 0;    // of all words and gaps

  void Read(std::string_view line);
  // Reads a text made of a template: only <*> is a variable, everything else is as it stands.
  void ReadTemplate(std::string_view text);
};

}  // namespace tocsin::stats
