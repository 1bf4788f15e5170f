#include "stats/log_shape.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "stats/internal/log_characters.h"
#include "stats/log_lexicon.h"

namespace tocsin::stats {
namespace {

using namespace internal;  // classes of characters, hashes

constexpr size_t kMaxPeriod = 6;  // items of one record of a list

class Reader {
 public:
  Reader(std::string_view text, bool masked, LogShape& shape)
      : s_(text.substr(0, kMaxShapeBytes)),
        masked_(masked),
        cut_(masked && text.size() > kMaxShapeBytes),
        shape_(shape) {}

  void Run() {
    shape_.items.clear();
    while (shape_.items.size() < kMaxShapeItems && Gap()) Word();
    if (shape_.items.size() == kMaxShapeItems) gap_begin_ = at_, gap_ = 0;
    if (cut_) DropCutWord();
    shape_.tail = gap_;
    shape_.tail_begin = static_cast<uint32_t>(gap_begin_);
    shape_.length = static_cast<uint32_t>(at_);
    uint64_t h = shape_.tail;
    for (const ShapeItem& item : shape_.items) h = Mix(Mix(h, item.gap), item.word);
    shape_.hash = h;
  }

 private:
  // Of a line that was cut, the last word may be a part of one.
  void DropCutWord() {
    if (shape_.items.empty()) return;
    ShapeItem& last = shape_.items.back();
    if (last.word == kVariable) {
      at_ = last.end;
    } else {
      at_ = last.gap_begin;
      shape_.items.pop_back();
    }
    gap_begin_ = at_;
    gap_ = 0;
  }
  char At(size_t i) const { return i < s_.size() ? s_[i] : ' '; }
  bool InWord(size_t i) const { return i < s_.size() && (Class(s_[i]) & kInWord) != 0; }
  bool IsHex(size_t i) const { return i < s_.size() && (Class(s_[i]) & kHex) != 0; }

  // Reads what is between words. False at the end.
  bool Gap() {
    gap_begin_ = at_;
    gap_ = 0;
    listing_ = true;
    value_begin_ = 0;
    for (; at_ < s_.size(); ++at_) {
      const char c = s_[at_];
      const uint8_t k = Class(c);
      if ((k & kStarts) != 0) break;
      if (c == '/' && (Class(At(at_ + 1)) & kStarts) != 0 && StartsPath()) break;
      if (c == '<' && s_.compare(at_, kWildcard.size(), kWildcard) == 0) break;
      if (c == ')' || c == ']') {
        if (IsEmptyValue()) break;
      }
      if ((k & kNewline) != 0 && shape_.items.size() >= 3) {
        s_ = s_.substr(0, at_);
        return false;
      }
      listing_ = listing_ && (k & kListing) != 0;
      if ((k & kSpace) != 0) continue;
      before_last_ = gap_;
      gap_ = Mix(gap_, static_cast<uint8_t>(c));
      if (c == '=' && masked_ && at_ > 0 && InWord(at_ - 1) && at_ + 1 < s_.size()) {
        const size_t equals = at_++;
        value_begin_ = at_;
        if (!IsMessageKey(equals) && Value()) return true;
        value_begin_ = 0;
        at_ = equals;
      }
    }
    return at_ < s_.size();
  }
  bool StartsPath() const { return at_ == 0 || (Class(s_[at_ - 1]) & (kStarts | kJoiner)) == 0; }

  // " ()": a value that is absent, but "f()" is a name.
  bool IsEmptyValue() const {
    return masked_ && at_ >= 2 && at_ > gap_begin_ && (s_[at_ - 1] == '(' || s_[at_ - 1] == '[') &&
           (Class(s_[at_ - 2]) & kSpace) != 0;
  }

  void Word() {
    if (value_begin_ > 0) return Variable(value_begin_);
    size_t begin = at_;
    if (s_[at_] == ')' || s_[at_] == ']') return Variable(begin);
    if (s_[at_] == '<') {
      at_ += kWildcard.size();
      return Variable(begin);
    }
    if (!masked_) return Plain();
    if ((Class(s_[at_]) & kDigit) != 0 && begin > gap_begin_ && IsSign(s_[begin - 1]) &&
        (begin == 1 || (Class(s_[begin - 2]) & kSpace) != 0)) {
      --begin;  // "<1", "-5", "#3"
      gap_ = before_last_;
    }
    const size_t word = at_;
    const uint8_t seen = Scan();
    if (IsUrl() || IsDrive(word)) {
      while (at_ < s_.size() && (Class(s_[at_]) & kSpace) == 0 && !Closes(s_[at_])) ++at_;
      return Variable(begin);
    }
    const std::string_view text = s_.substr(word, at_ - word);
    if ((seen & kDigit) != 0 && At(at_) == '=' && (Class(s_[word]) & kLetter) != 0) {
      if (SplitKey(word)) return;
    }
    if (IsAxis(word)) {
      ++at_;
      return Variable(begin);
    }
    if ((seen & kDigit) != 0 || IsVariableText(text) || IsHexPair(word)) return Variable(begin);
    if (text.size() <= 5 && AfterVariable(text)) return;
    Push(HashBytes(text.data(), text.size()), begin);
  }
  void Plain() {
    const size_t begin = at_;
    if (s_[at_] == '/') ++at_;
    Scan();
    Push(HashBytes(s_.data() + begin, at_ - begin), begin);
  }

  static bool IsSign(char c) {
    return c == '<' || c == '>' || c == '-' || c == '+' || c == '~' || c == '#' || c == '$';
  }
  static bool Closes(char c) {
    return c == ')' || c == ']' || c == '}' || c == '>' || c == '"' || c == '\'' || c == ',';
  }

  // Moves past a word; two joiners in a row end it, and none is left at its end.
  uint8_t Scan() {
    uint8_t seen = 0;
    size_t end = at_;
    slashes_ = dots_ = ats_ = 0;
    for (; at_ < s_.size(); ++at_) {
      const char c = s_[at_];
      const uint8_t k = Class(c);
      if ((k & kInWord) == 0) break;
      if ((k & kStarts) != 0) {
        seen |= k;
        end = at_ + 1;
        continue;
      }
      if (at_ > end) break;
      slashes_ += c == '/' || c == '\\' ? 1 : 0;
      dots_ += c == '.' ? 1 : 0;
      ats_ += c == '@' ? 1 : 0;
    }
    at_ = end;
    return seen;
  }

  bool IsUrl() const { return At(at_) == ':' && At(at_ + 1) == '/' && At(at_ + 2) == '/'; }

  // "C:\\dir": a path of Windows.
  bool IsDrive(size_t word) const { return at_ == word + 1 && At(at_) == ':' && At(at_ + 1) == '\\'; }
  // "x+": a direction.
  bool IsAxis(size_t word) const {
    return at_ == word + 1 && (At(at_) == '+' || At(at_) == '-') && (Class(At(at_ + 1)) & kInWord) == 0;
  }
  // "r12=": a numbered name of a value is a name and a number, so that "r0=1 r1=5" is a list.
  bool SplitKey(size_t word) {
    size_t stem = word;
    while (stem < at_ && (Class(s_[stem]) & kDigit) == 0) ++stem;
    if (!std::all_of(s_.begin() + static_cast<std::ptrdiff_t>(stem),
                     s_.begin() + static_cast<std::ptrdiff_t>(at_),
                     [](char c) { return (Class(c) & kDigit) != 0; })) {
      return false;
    }
    const size_t end = std::exchange(at_, stem);
    Push(HashBytes(s_.data() + word, stem - word), word);
    at_ = end;
    gap_begin_ = stem;
    gap_ = 0;
    listing_ = false;
    Push(kVariable, stem);
    return true;
  }

  bool IsVariableText(std::string_view text) const {
    if (text[0] == '/' || slashes_ >= 2 || (ats_ == 1 && dots_ >= 1)) return true;
    if (dots_ >= 1 && IsHostName(text)) return true;
    return text.size() <= 5 &&
           std::find(kPrintedValues.begin(), kPrintedValues.end(), text) != kPrintedValues.end();
  }

  // A domain name, by its last label.
  static bool IsHostName(std::string_view text) {
    const std::string_view label = text.substr(text.rfind('.') + 1);
    return IsOneOf(label, kHostLabels);
  }

  // "FF:" and ":EA" of an address of bytes in hex without a digit.
  bool IsHexPair(size_t word) const {
    const size_t n = at_ - word;
    if (n <= 4 && word >= 1 && s_[word - 1] == ':' && !shape_.items.empty() &&
        shape_.items.back().word == kVariable && shape_.items.back().end == word - 1) {
      bool hex = true;
      for (size_t i = word; i < at_; ++i) hex = hex && IsHex(i);
      if (hex) return true;
    }
    if (n != 2 || !IsHex(word) || !IsHex(word + 1)) return false;
    const auto pair = [&](size_t i) { return IsHex(i) && IsHex(i + 1) && !InWord(i + 2); };
    const char after = At(at_);
    if ((after == ':' || after == '-') && pair(at_ + 1)) return true;
    return word >= 3 && s_[word - 1] == ':' && IsHex(word - 2) && IsHex(word - 3);
  }

  // At what follows `key=`: moves past the value, quoted or with balanced brackets. False when there is none.
  bool Value() {
    const char first = s_[at_];
    if (first == '"' || first == '\'') {
      const size_t close = s_.find(first, at_ + 1);
      if (close == std::string_view::npos || close == at_ + 1) return false;
      at_ = close + 1;
      return true;
    }
    if (first == '<' || first == '=' || Ends(first)) return false;
    size_t space = 0;  // where the value ends when its brackets do not close
    int depth = 0;
    size_t i = at_;
    for (; i < s_.size(); ++i) {
      const char c = s_[i];
      const bool blank = (Class(c) & kSpace) != 0;
      if (blank && space == 0) space = i;
      if (depth == 0 && (blank || c == '"' || c == '\'' || Ends(c))) break;
      if (c == '(' || c == '[' || c == '{') ++depth;
      if (c == ')' || c == ']' || c == '}') --depth;
    }
    if (depth > 0 && space != 0) i = space;
    while (i > at_ + 1 && (s_[i - 1] == '.' || s_[i - 1] == ':' || s_[i - 1] == '!')) --i;
    at_ = i;
    return true;
  }
  // `msg="failed to connect"`: what a structured line says, not a parameter of it.
  bool IsMessageKey(size_t equals) const {
    size_t begin = equals;
    while (begin > 0 && equals - begin < 9 && (Class(s_[begin - 1]) & kLetter) != 0) --begin;
    return IsOneOf(s_.substr(begin, equals - begin), kMessageKeys);
  }
  static bool Ends(char c) {
    return c == ')' || c == ']' || c == '}' || c == ',' || c == ';' || c == '>' || (Class(c) & kSpace) != 0;
  }

  // A short word that belongs to the variable before it: a unit, a weekday, a month, a time zone.
  bool AfterVariable(std::string_view text) {
    if (shape_.items.empty()) return false;
    ShapeItem& last = shape_.items.back();
    if (last.word != kVariable || gap_ != 0 || text.data() - s_.data() > last.end + 2) return false;
    const bool number = (Class(s_[last.end - 1]) & kDigit) != 0;
    if (!(number && IsOneOf(text, kUnits)) && !(text.size() == 3 && IsOneOf(text, kCalendar))) return false;
    last.end = static_cast<uint32_t>(at_);
    return true;
  }

  void Push(uint64_t word, size_t begin) {
    shape_.items.push_back({word, gap_, static_cast<uint32_t>(gap_begin_), static_cast<uint32_t>(begin),
                            static_cast<uint32_t>(at_)});
    if (masked_) FoldRepetition();
  }

  // "<*> ok <*> ok": records of the same words and variables are one record, however many there are.
  void FoldRepetition() {
    auto& items = shape_.items;
    for (size_t period = 2; period <= kMaxPeriod && 2 * period <= items.size(); ++period) {
      const ShapeItem* second = items.data() + items.size() - period;
      const ShapeItem* first = second - period;
      size_t variables = 0;
      bool same = true;
      for (size_t i = 0; i < period && same; ++i) {
        same = first[i].word == second[i].word && (i == 0 || first[i].gap == second[i].gap);
        variables += first[i].word == kVariable ? 1 : 0;
      }
      if (!same || variables == 0) continue;
      items.resize(items.size() - period);
      if (items.back().word == kVariable) items.back().end = static_cast<uint32_t>(at_);
      return;
    }
  }

  void Variable(size_t begin) {
    auto& items = shape_.items;
    if (!masked_ || items.empty()) return Push(kVariable, begin);
    // "Sun Dec 4": the words before a number that are part of the date.
    if (gap_ == 0 && (Class(s_[begin]) & kDigit) != 0) {
      while (!items.empty() && items.back().word != kVariable && IsCalendar(items.back())) {
        gap_ = items.back().gap;
        gap_begin_ = items.back().gap_begin;
        begin = items.back().begin;
        items.pop_back();
        listing_ = IsListing(gap_begin_, begin);
        if (gap_ != 0) break;
      }
      if (items.empty()) return Push(kVariable, begin);
    }
    ShapeItem* last = &items.back();
    // host.name:port
    if (last->word != kVariable && begin == last->end + 1 && s_[last->end] == ':' && IsDotted(*last)) {
      last->word = kVariable;
      last->end = static_cast<uint32_t>(at_);
      if (items.size() < 2 || items[items.size() - 2].word != kVariable) return;
      gap_begin_ = last->gap_begin;
      begin = last->begin;
      gap_ = last->gap;
      listing_ = IsListing(last->gap_begin, last->begin);
      if (!listing_) return;
      items.pop_back();
      last = &items.back();
    }
    if (last->word == kVariable && listing_) {
      last->end = static_cast<uint32_t>(at_);
      return;
    }
    Push(kVariable, begin);
  }
  bool IsCalendar(const ShapeItem& item) const {
    return item.end - item.begin == 3 && IsOneOf(s_.substr(item.begin, 3), kCalendar);
  }
  bool IsDotted(const ShapeItem& item) const {
    return s_.substr(item.begin, item.end - item.begin).find('.') != std::string_view::npos;
  }
  bool IsListing(size_t begin, size_t end) const {
    return std::all_of(s_.begin() + static_cast<std::ptrdiff_t>(begin),
                       s_.begin() + static_cast<std::ptrdiff_t>(end),
                       [](char c) { return (Class(c) & kListing) != 0; });
  }

  std::string_view s_;
  bool masked_;
  bool cut_;
  LogShape& shape_;
  size_t at_ = 0;
  size_t gap_begin_ = 0;
  size_t value_begin_ = 0;  // of the value the gap ended with, 0 when it did not
  uint64_t gap_ = 0;
  uint64_t before_last_ = 0;
  bool listing_ = true;
  int slashes_ = 0, dots_ = 0, ats_ = 0;
};

}  // namespace

void LogShape::Read(std::string_view line) { Reader(line, true, *this).Run(); }
void LogShape::ReadTemplate(std::string_view text) { Reader(text, false, *this).Run(); }

}  // namespace tocsin::stats
