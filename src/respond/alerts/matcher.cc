#include "respond/alerts/matcher.h"

#include <re2/re2.h>

namespace tocsin::respond {
namespace {

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  }
  out += '"';
}

bool BareName(std::string_view name) {
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && !(i > 0 && c >= '0' && c <= '9')) return false;
  }
  return !name.empty();
}

}  // namespace

std::string_view MatchOpText(MatchOp op) {
  switch (op) {
    case MatchOp::kEqual:
      return "=";
    case MatchOp::kNotEqual:
      return "!=";
    case MatchOp::kRegex:
      return "=~";
    case MatchOp::kNotRegex:
      return "!~";
  }
  return "";
}

Result<Matcher> Matcher::Make(MatchOp op, std::string name, std::string value) {
  if (name.empty()) return Error(Code::kInvalidArgument, "a matcher needs a label name");
  if (name.size() > kMaxName || value.size() > kMaxValue) {
    return Error(Code::kOutOfRange, "a matcher's name and value have at most 4096 bytes");
  }
  Matcher made;
  made.op_ = op;
  if (op == MatchOp::kRegex || op == MatchOp::kNotRegex) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(1 << 20);
    auto regex = std::make_shared<re2::RE2>(value, options);
    if (!regex->ok()) {
      return Error(Code::kInvalidArgument,
                   "the expression of " + name.substr(0, 64) + " does not compile: " + regex->error());
    }
    made.regex_ = std::move(regex);
  }
  made.name_ = std::move(name);
  made.value_ = std::move(value);
  return made;
}

bool Matcher::MatchesValue(std::string_view value) const {
  switch (op_) {
    case MatchOp::kEqual:
      return value == value_;
    case MatchOp::kNotEqual:
      return value != value_;
    case MatchOp::kRegex:
      return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
    case MatchOp::kNotRegex:
      return !re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *regex_);
  }
  return false;
}

std::string Matcher::ToString() const {
  std::string out;
  if (BareName(name_)) {
    out = name_;
  } else {
    AppendQuoted(name_, out);
  }
  out += MatchOpText(op_);
  AppendQuoted(value_, out);
  return out;
}

bool MatchesAll(const Matchers& matchers, signal::Labels labels) {
  for (const Matcher& matcher : matchers) {
    if (!matcher.Matches(labels)) return false;
  }
  return true;
}

std::string FormatMatchers(const Matchers& matchers) {
  std::string out = "{";
  for (const Matcher& matcher : matchers) {
    if (out.size() > 1) out += ',';
    out += matcher.ToString();
  }
  return out + "}";
}

}  // namespace tocsin::respond
