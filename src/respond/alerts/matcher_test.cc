#include "respond/alerts/matcher.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"

namespace tocsin::respond {
namespace {

TEST(MatcherSyntax, ReadsWhatAlertmanagerReads) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({a="b",c=~"d.*"})", R"({a="b",c=~"d.*"})"},
      {"a=b", R"({a="b"})"},
      {" a = b c , d != e ", R"({a="b c",d!="e"})"},
      {R"({"k8s.pod ü"="x",})", R"({"k8s.pod ü"="x"})"},
      {R"(foo!~"a|b{2}")", R"({foo!~"a|b{2}"})"},
      {R"({foo=~[a-z]{2}})", R"({foo=~"[a-z]{2}"})"},
      {R"(a="say \"hi\"\n\\")", R"({a="say \"hi\"\n\\"})"},
      {R"(a=~"\d+")", R"({a=~"\\d+"})"},
      {"a=", R"({a=""})"},
      {"{}", "{}"},
  };
  for (const auto& [text, expected] : cases) {
    const auto parsed = ParseMatchers(text);
    ASSERT_TRUE(parsed.has_value()) << text << ": " << parsed.error().ToString();
    EXPECT_EQ(FormatMatchers(*parsed), expected) << text;
    EXPECT_EQ(ParseMatchers(FormatMatchers(*parsed)).value(), *parsed);
  }
}

TEST(MatcherSyntax, ErrorsNameTheColumn) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "matchers, column 1: expected a label name"},
      {"{a=b", "matchers, column 1: a { without its closing }"},
      {"a", "matchers, column 2: expected =, !=, =~ or !~ after the label name"},
      {"a=b,,c=d", "matchers, column 5: a label name cannot start here"},
      {R"(a="b)", "matchers, column 3: a quote without its end"},
      {R"(a="b" c="d")", "matchers, column 7: expected a comma between matchers"},
      {R"(a=b"c)", "matchers, column 4: a quote inside a value that does not start with one"},
  };
  for (const auto& [text, message] : cases) {
    const auto parsed = ParseMatchers(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().message(), message) << text;
  }
  EXPECT_NE(ParseMatchers(R"(ok=1,a=~"(")").error().message().find("column 6"), std::string::npos);
  EXPECT_EQ(ParseMatchers(std::string(40'000, 'a')).error().code(), Code::kOutOfRange);
}

TEST(Matcher, ExpressionsCoverTheWholeValueAndAMissingLabelIsEmpty) {
  const signal::LabelSet set = {{"a", "bar"}};
  const signal::LabelViews labels(set);
  const auto matches = [&](const std::string& text) {
    return MatchesAll(ParseMatchers(text).value(), labels);
  };
  EXPECT_TRUE(matches("a=~b.*"));
  EXPECT_FALSE(matches("a=~b"));
  EXPECT_FALSE(matches("a=~a|b"));
  EXPECT_TRUE(matches("a!~ba"));
  EXPECT_TRUE(matches("z="));
  EXPECT_TRUE(matches("z!=x"));
  EXPECT_TRUE(matches("z=~.*"));
  EXPECT_FALSE(matches("z=~.+"));
  EXPECT_TRUE(matches("a=bar,z!~x"));
  EXPECT_FALSE(matches("a=bar,z=x"));
}

// Random matchers on random labels against a plain second reading of the rules.
TEST(Matcher, AgreesWithAPlainReference) {
  Rng rng(11);
  const std::vector<std::string> values = {"", "a", "b", "ab", "ba", "aab"};
  const std::vector<std::string> sets = {"a|b", "ab|ba|a"};
  for (int round = 0; round < 20'000; ++round) {
    signal::LabelSet set;
    for (const char* name : {"x", "y"}) {
      if (const std::string& value = values[rng.Below(values.size())]; !value.empty())
        set.emplace_back(name, value);
    }
    const std::string name = rng.Below(2) == 0 ? "x" : "z";
    std::string actual;
    for (const auto& [key, value] : set) actual = key == name ? value : actual;
    const auto op = static_cast<MatchOp>(rng.Below(4));
    bool expected = false;
    std::string operand;
    if (op == MatchOp::kEqual || op == MatchOp::kNotEqual) {
      operand = values[rng.Below(values.size())];
      expected = (actual == operand) == (op == MatchOp::kEqual);
    } else {
      operand = sets[rng.Below(sets.size())];
      const std::string padded = "|" + operand + "|";
      const bool member = padded.find("|" + actual + "|") != std::string::npos && !actual.empty();
      expected = member == (op == MatchOp::kRegex);
    }
    const signal::LabelViews labels(set);
    EXPECT_EQ(Matcher::Make(op, name, operand)->Matches(labels), expected) << name << operand << actual;
  }
}

}  // namespace
}  // namespace tocsin::respond
