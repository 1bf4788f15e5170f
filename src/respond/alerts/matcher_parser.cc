#include <optional>

#include "respond/alerts/matcher.h"

namespace tocsin::respond {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), end_(text.size()) {}

  Result<Matchers> Run() {
    if (text_.size() > kMaxMatcherText) return Error(Code::kOutOfRange, "matchers: longer than 32 KiB");
    SkipSpaces();
    if (At() == '{') {
      while (end_ > at_ && IsSpace(text_[end_ - 1])) --end_;
      if (end_ == at_ + 1 || text_[end_ - 1] != '}') return Wrong("a { without its closing }");
      --end_;
      ++at_;
      SkipSpaces();
      if (at_ == end_) return Matchers{};
    }
    Matchers out;
    while (true) {
      if (out.size() == kMaxMatchers) return Error(Code::kOutOfRange, "matchers: more than 64");
      TOCSIN_ASSIGN_OR_RETURN(Matcher one, One());
      out.push_back(std::move(one));
      SkipSpaces();
      if (at_ == end_) return out;
      if (At() != ',') return Wrong("expected a comma between matchers");
      ++at_;
      SkipSpaces();
      if (at_ == end_) return out;  // a comma may end the list
    }
  }

 private:
  static bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
  char At() const { return at_ < end_ ? text_[at_] : '\0'; }
  void SkipSpaces() {
    while (at_ < end_ && IsSpace(text_[at_])) ++at_;
  }
  tl::unexpected<Status> Wrong(const std::string& why) const {
    return Error(Code::kInvalidArgument, "matchers, column " + std::to_string(at_ + 1) + ": " + why);
  }

  Result<Matcher> One() {
    const size_t start = at_;
    TOCSIN_ASSIGN_OR_RETURN(std::string name, At() == '"' ? Quoted() : BareName());
    SkipSpaces();
    const std::optional<MatchOp> op = Operator();
    if (!op) return Wrong("expected =, !=, =~ or !~ after the label name");
    SkipSpaces();
    TOCSIN_ASSIGN_OR_RETURN(std::string value, At() == '"' ? Quoted() : BareValue());
    Result<Matcher> made = Matcher::Make(*op, std::move(name), std::move(value));
    if (!made.has_value())
      return Error(made.error().WithContext("matchers, column " + std::to_string(start + 1)));
    return made;
  }

  Result<std::string> BareName() {
    const size_t start = at_;
    static constexpr std::string_view kReserved = "{}!=~,\\\"'`";
    while (at_ < end_ && !IsSpace(text_[at_]) && kReserved.find(text_[at_]) == std::string_view::npos) ++at_;
    if (at_ == start) return Wrong(at_ == end_ ? "expected a label name" : "a label name cannot start here");
    return std::string(text_.substr(start, at_ - start));
  }

  std::optional<MatchOp> Operator() {
    const char first = At();
    const char second = at_ + 1 < end_ ? text_[at_ + 1] : '\0';
    if (first == '!' && (second == '=' || second == '~')) {
      at_ += 2;
      return second == '=' ? MatchOp::kNotEqual : MatchOp::kNotRegex;
    }
    if (first != '=') return std::nullopt;
    at_ += second == '~' ? 2 : 1;
    return second == '~' ? MatchOp::kRegex : MatchOp::kEqual;
  }

  Result<std::string> BareValue() {
    const size_t start = at_;
    size_t last = at_;  // after the last byte that is no space
    while (at_ < end_ && text_[at_] != ',') {
      if (text_[at_] == '"') return Wrong("a quote inside a value that does not start with one");
      if (!IsSpace(text_[at_])) last = at_ + 1;
      ++at_;
    }
    return std::string(text_.substr(start, last - start));
  }

  Result<std::string> Quoted() {
    const size_t start = at_++;
    std::string out;
    while (at_ < end_ && text_[at_] != '"') {
      char c = text_[at_++];
      if (c == '\\') {
        if (at_ == end_) break;
        switch (text_[at_++]) {
          case 'n':
            c = '\n';
            break;
          case 't':
            c = '\t';
            break;
          case '"':
            c = '"';
            break;
          case '\\':
            c = '\\';
            break;
          default:  // an expression's own escape: "\d" stays as written, as Alertmanager has it
            out += '\\';
            c = text_[at_ - 1];
        }
      }
      out += c;
    }
    if (at_ >= end_) {
      at_ = start;
      return Wrong("a quote without its end");
    }
    ++at_;
    return out;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t end_;
};

}  // namespace

Result<Matchers> ParseMatchers(std::string_view text) { return Parser(text).Run(); }

Result<Matcher> ParseMatcher(std::string_view text) {
  TOCSIN_ASSIGN_OR_RETURN(Matchers all, ParseMatchers(text));
  if (all.size() != 1) {
    return Error(Code::kInvalidArgument, "expected one matcher, got " + std::to_string(all.size()));
  }
  return std::move(all.front());
}

}  // namespace tocsin::respond
