// Matcher: one condition on a label, and the text they are written in.
//
//   {severity="critical", service=~"pay.*", "k8s.pod"!="x"}     braces, quotes and spaces may be left out
//
// = and != compare; =~ and !~ are RE2, matched against the whole value. A missing label has the value "".
// Parsing follows Alertmanager: names are bare or quoted (any UTF-8), values bare up to the next comma, or
// quoted with the escapes \" \\ \n \t.
// Errors: kInvalidArgument with the column, counted in bytes from 1; kOutOfRange beyond a bound.
// Ownership: value types; a compiled expression is shared by copies. Thread-safety: const methods from any
// threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "signal/alert.h"

namespace re2 {
class RE2;
}

namespace tocsin::respond {

enum class MatchOp { kEqual, kNotEqual, kRegex, kNotRegex };

std::string_view MatchOpText(MatchOp op);  // "=", "!=", "=~", "!~"

class Matcher {
 public:
  static constexpr size_t kMaxName = 4096;
  static constexpr size_t kMaxValue = 4096;

  static Result<Matcher> Make(MatchOp op, std::string name, std::string value);

  MatchOp op() const { return op_; }
  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  bool MatchesValue(std::string_view value) const;
  bool Matches(signal::Labels labels) const { return MatchesValue(signal::LabelValue(labels, name_)); }
  // name="value", parsed back to the same matcher.
  std::string ToString() const;

  friend bool operator==(const Matcher& a, const Matcher& b) {
    return a.op_ == b.op_ && a.name_ == b.name_ && a.value_ == b.value_;
  }

 private:
  Matcher() = default;
  MatchOp op_ = MatchOp::kEqual;
  std::string name_;
  std::string value_;
  std::shared_ptr<const re2::RE2> regex_;  // of =~ and !~ only
};

using Matchers = std::vector<Matcher>;

// All of them; none match everything.
bool MatchesAll(const Matchers& matchers, signal::Labels labels);
// {a="b",c=~"d"}, in the order given.
std::string FormatMatchers(const Matchers& matchers);

inline constexpr size_t kMaxMatchers = 64;           // in one text
inline constexpr size_t kMaxMatcherText = 32 << 10;  // bytes
// One or more matchers; "{}" gives none, "" is an error.
Result<Matchers> ParseMatchers(std::string_view text);
// Exactly one.
Result<Matcher> ParseMatcher(std::string_view text);

}  // namespace tocsin::respond
