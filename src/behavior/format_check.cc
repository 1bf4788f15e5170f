#include "behavior/format_check.h"

#include <cstdint>
#include <string>

namespace tocsin::behavior {
namespace {

constexpr bool IsJsonSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// A pushdown automaton over one text; `open_` is the stack of open brackets.
class JsonValidator {
 public:
  explicit JsonValidator(std::string_view text) : text_(text) {}

  bool Run() {
    SkipSpace();
    if (!Value()) return false;
    while (true) {
      SkipSpace();
      if (open_.empty()) return at_ == text_.size();
      if (!Continue()) return false;
    }
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (Peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size() && IsJsonSpace(text_[at_])) ++at_;
  }

  // After a complete value inside an open bracket: a comma with the next value, or the close.
  bool Continue() {
    const char close = open_.back() == '{' ? '}' : ']';
    if (Take(close)) {
      open_.pop_back();
      return true;
    }
    if (!Take(',')) return false;
    SkipSpace();
    if (open_.back() == '{' && !Key()) return false;
    SkipSpace();
    return Value();
  }

  bool Key() {
    if (!String()) return false;
    SkipSpace();
    return Take(':');
  }

  // One value, or the opening of containers down to their first complete value.
  bool Value() {
    while (true) {
      const char c = Peek();
      if (c == '{' || c == '[') {
        if (open_.size() >= kMaxJsonDepth) return false;
        ++at_;
        open_.push_back(c);
        SkipSpace();
        if (Take(c == '{' ? '}' : ']')) {
          open_.pop_back();
          return true;
        }
        if (c == '{' && !Key()) return false;
        SkipSpace();
        continue;
      }
      if (c == '"') return String();
      if (c == 't') return Literal("true");
      if (c == 'f') return Literal("false");
      if (c == 'n') return Literal("null");
      return Number();
    }
  }

  bool Literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool String() {
    if (!Take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !Escape()) return false;
    }
    return false;
  }

  bool Escape() {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    for (int i = 0; i < 4; ++i) {
      if (!IsHex(Peek())) return false;
      ++at_;
    }
    return true;
  }

  bool Digits() {
    const size_t begin = at_;
    while (IsDigit(Peek())) ++at_;
    return at_ > begin;
  }

  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) return false;
    if (Take('.') && !Digits()) return false;
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_;
      if (Peek() == '+' || Peek() == '-') ++at_;
      return Digits();
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string open_;
};

struct CommentStyle {
  bool slashes = true;  // // and /* */
  bool hash = true;
  bool single_quote = true;
};

CommentStyle StyleOf(std::string_view language) {
  CommentStyle style;
  const bool c_family = language == "c" || language == "cpp" || language == "c++" || language == "java" ||
                        language == "javascript" || language == "js" || language == "typescript" ||
                        language == "ts" || language == "go" || language == "rust" || language == "csharp";
  if (c_family) style.hash = false;
  if (language == "python" || language == "py" || language == "bash" || language == "sh")
    style.slashes = false;
  if (language == "rust" || language == "lisp" || language == "haskell") style.single_quote = false;
  return style;
}

// Skips a quoted string that starts at `at`; returns the index after it. A string ends at the line end.
size_t SkipQuoted(std::string_view code, size_t at) {
  const char quote = code[at];
  const bool triple = code.substr(at, 3) == std::string(3, quote);
  if (triple) {
    const size_t end = code.find(std::string(3, quote), at + 3);
    return end == std::string_view::npos ? code.size() : end + 3;
  }
  for (size_t i = at + 1; i < code.size(); ++i) {
    if (code[i] == '\\') {
      ++i;
    } else if (code[i] == quote) {
      return i + 1;
    } else if (code[i] == '\n' && quote != '`') {
      return i;
    }
  }
  return code.size();
}

size_t SkipLine(std::string_view code, size_t at) {
  const size_t end = code.find('\n', at);
  return end == std::string_view::npos ? code.size() : end;
}

// If a comment or string starts at `at`, the index after it, else `at`.
size_t SkipOpaque(std::string_view code, size_t at, const CommentStyle& style) {
  const char c = code[at];
  if (c == '"' || c == '`' || (c == '\'' && style.single_quote)) return SkipQuoted(code, at);
  if (style.hash && c == '#') return SkipLine(code, at);
  if (style.slashes && c == '/' && at + 1 < code.size()) {
    if (code[at + 1] == '/') return SkipLine(code, at);
    if (code[at + 1] == '*') {
      const size_t end = code.find("*/", at + 2);
      return end == std::string_view::npos ? code.size() : end + 2;
    }
  }
  return at;
}

std::string_view Trim(std::string_view s) {
  while (!s.empty() && (IsJsonSpace(s.front()))) s.remove_prefix(1);
  while (!s.empty() && (IsJsonSpace(s.back()))) s.remove_suffix(1);
  return s;
}

}  // namespace

bool IsValidJson(std::string_view text) { return JsonValidator(text).Run(); }

bool BracketsBalanced(std::string_view code, std::string_view language) {
  const CommentStyle style = StyleOf(language);
  std::string open;
  for (size_t i = 0; i < code.size();) {
    const size_t after = SkipOpaque(code, i, style);
    if (after != i) {
      i = after;
      continue;
    }
    const char c = code[i++];
    if (c == '(' || c == '[' || c == '{') open.push_back(c);
    if (c == ')' || c == ']' || c == '}') {
      const char want = c == ')' ? '(' : (c == ']' ? '[' : '{');
      if (open.empty() || open.back() != want) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

std::vector<CodeBlock> FindCodeBlocks(std::string_view text, size_t limit) {
  std::vector<CodeBlock> blocks;
  bool inside = false;
  std::string_view fence;
  size_t code_begin = 0;
  for (size_t line = 0; line < text.size() && blocks.size() < limit;) {
    const size_t end = SkipLine(text, line);
    const std::string_view body = Trim(text.substr(line, end - line));
    const bool is_fence = body.starts_with("```") || body.starts_with("~~~");
    if (!inside && is_fence) {
      inside = true;
      fence = body.substr(0, 3);
      blocks.push_back({Trim(body.substr(3)), {}, false});
      code_begin = end < text.size() ? end + 1 : end;
    } else if (inside && is_fence && body.starts_with(fence)) {
      inside = false;
      blocks.back().code = text.substr(code_begin, line - code_begin);
      blocks.back().closed = true;
    }
    line = end + 1;
  }
  if (inside) blocks.back().code = text.substr(code_begin);
  return blocks;
}

}  // namespace tocsin::behavior
