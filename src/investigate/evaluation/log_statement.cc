#include "investigate/evaluation/log_statement.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>
#include <vector>

#include "kernel/ascii.h"

namespace tocsin::investigate {
namespace {

constexpr size_t kScanned = 4096;
constexpr size_t kWords = 12;  // that name a statement without a position
constexpr size_t kHeader = 8;  // words among which level and position stand
constexpr int kWrappings = 3;  // JSON inside JSON

bool Digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool Word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '.';
}

bool IsBadLevel(std::string_view word) {
  static constexpr std::array<std::string_view, 8> kLevels{"error",  "warn",     "warning", "fatal",
                                                           "severe", "critical", "panic",   "emergency"};
  const std::string lower = LowerAscii(word);
  return std::find(kLevels.begin(), kLevels.end(), lower) != kLevels.end();
}

std::string_view Trim(std::string_view word) {
  while (!word.empty() && (word.front() == '[' || word.front() == '(')) word.remove_prefix(1);
  while (!word.empty() &&
         (word.back() == ']' || word.back() == ')' || word.back() == ':' || word.back() == ','))
    word.remove_suffix(1);
  return word;
}

// Class#31, or file.go:77: a name that starts with a letter, then the line.
bool IsPosition(std::string_view word) {
  const size_t mark = word.find_last_of("#:");
  if (mark == std::string_view::npos || mark == 0 || mark + 1 >= word.size() || word.size() - mark > 7)
    return false;
  if (!std::all_of(word.begin() + static_cast<std::ptrdiff_t>(mark) + 1, word.end(), Digit)) return false;
  const std::string_view name = word.substr(0, mark);
  if (Digit(name.front()) || !std::all_of(name.begin(), name.end(), Word)) return false;
  return word[mark] == '#' || name.find('.') != std::string_view::npos;
}

// Opens JSON around the message; sets `error` from its level.
std::string Unwrap(std::string_view line, bool& error) {
  std::string text(line.substr(0, kScanned));
  for (int i = 0; i < kWrappings && !text.empty() && text.front() == '{'; ++i) {
    const nlohmann::json json = nlohmann::json::parse(i == 0 ? line : std::string_view(text), nullptr, false);
    if (!json.is_object()) break;
    for (const char* key : {"severity", "level"}) {
      if (const auto v = json.find(key); v != json.end() && v->is_string()) {
        error = error || IsBadLevel(v->get_ref<const std::string&>());
      }
    }
    const char* found = nullptr;
    for (const char* key : {"log", "message", "msg"}) {
      if (const auto v = json.find(key); found == nullptr && v != json.end() && v->is_string()) found = key;
    }
    if (found == nullptr) break;
    text = json[found].get<std::string>();
  }
  text.resize(std::min(text.size(), kScanned));
  return text;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t i = 0; i < text.size();) {
    while (i < text.size() && std::isspace(static_cast<unsigned char>(text[i])) != 0) ++i;
    const size_t start = i;
    while (i < text.size() && std::isspace(static_cast<unsigned char>(text[i])) == 0) ++i;
    if (i > start) words.push_back(text.substr(start, i - start));
  }
  return words;
}

bool IsTraceLabel(std::string_view word) {
  const std::string lower = LowerAscii(Trim(word));
  return lower == "traceid" || lower == "spanid" || lower == "trace_id" || lower == "span_id";
}

}  // namespace

LogStatement StatementOf(std::string_view line) {
  LogStatement statement;
  const std::string text = Unwrap(line, statement.error);
  const std::vector<std::string_view> words = Words(text);
  std::string_view position;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = Trim(words[i]);
    if (i < kHeader && position.empty() && IsPosition(word)) position = word;
    if (i < kHeader && IsBadLevel(word)) statement.error = true;
    if (word == "error" || word == "Exception") statement.error = true;
  }
  if (!position.empty()) {
    statement.text = position;
  } else {
    size_t taken = 0;
    for (size_t i = 0; i < words.size() && taken < kWords; ++i) {
      if (IsTraceLabel(words[i])) {
        ++i;  // its value
        continue;
      }
      if (taken++ > 0) statement.text += ' ';
      statement.text +=
          std::any_of(words[i].begin(), words[i].end(), Digit) ? std::string_view("<*>") : words[i];
    }
  }
  if (statement.error) statement.text.insert(0, "! ");
  return statement;
}

}  // namespace tocsin::investigate
