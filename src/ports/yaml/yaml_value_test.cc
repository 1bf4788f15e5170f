// Places, suggestions and bounds of what is read from YAML.
#include "ports/yaml/yaml_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ports/yaml/yaml_section.h"

namespace tocsin::ports {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

YamlValue Parse(std::string_view text) {
  auto root = YamlValue::Parse(text, "dir:1/t.yaml");
  EXPECT_TRUE(root) << root.error().message();
  return *root;
}

TEST(YamlValue, EverythingWrongIsNotedAndComesByLine) {
  const YamlValue root = Parse("b: {x: 1}\na:\n  hand_over: 1\n  every: 2\n  every: 3\n  zzzz: 4\n");
  root.Note(root.Find("a")->Keys({"handover", "every"}));
  root.Note(root.Find("b")->Find("x")->Wrong("is first"));
  root.Note(root.Find("b")->Find("x")->Wrong("is first"));  // once
  std::vector<std::string> problems;
  for (const auto& problem : root.Problems()) problems.push_back(problem.message());
  EXPECT_THAT(problems, ElementsAre("dir:1/t.yaml:1: b.x: is first",
                                    "dir:1/t.yaml:3: a: unknown key 'hand_over'; is it 'handover'?",
                                    "dir:1/t.yaml:5: a: key 'every' comes twice",
                                    "dir:1/t.yaml:6: a: unknown key 'zzzz'"));
  EXPECT_EQ(root.FirstProblem().message(), problems[0]);
  EXPECT_THAT(root.known(), ElementsAre("a.every", "a.handover"));
}

TEST(YamlValue, KnownKeysHaveTheShapeOfTheDocument) {
  const YamlValue root = Parse("people: {ada: {channels: [{kind: x}, {kind: y}]}}");
  const auto people = root.Find("people")->Named(10);
  for (const auto& [name, person] : *people) {
    EXPECT_TRUE(person.Keys({"channels"}).ok());
    const auto items = person.Find("channels")->Items(10);
    for (const auto& item : *items) EXPECT_TRUE(item.Keys({"kind"}).ok());
  }
  EXPECT_THAT(root.known(), ElementsAre("people.*.channels", "people.*.channels[].kind"));
}

TEST(YamlValue, NearestWord) {
  constexpr std::string_view kWords[] = {"receiver", "routes", "group_by", "to"};
  EXPECT_EQ(NearestWord("recevier", kWords), "receiver");
  EXPECT_EQ(NearestWord("route", kWords), "routes");
  EXPECT_EQ(NearestWord("groupby", kWords), "group_by");
  EXPECT_EQ(NearestWord("matchers", kWords), "");
  EXPECT_EQ(NearestWord(std::string(100'000, 'x'), kWords), "");
}

TEST(YamlValue, ShapesThatAreNotTaken) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"a: &x b", ":1: anchors and aliases"},
           {"a:\n  - *x", ":2: "},
           {"a: 1\n---\nb: 2", "more than one document"},
           {std::string(17, '[') + std::string(17, ']'), "nested too deep"},
           {std::string(YamlValue::kMaxBytes + 1, ' '), "larger than 1 MiB"},
           {"a: [1, 2", ":"},
           {"a: \"x", ":"}}) {
    const auto root = YamlValue::Parse(text, "t.yaml");
    ASSERT_FALSE(root) << text.substr(0, 30);
    EXPECT_EQ(root.error().code(), Code::kInvalidArgument);
    EXPECT_THAT(root.error().message(), HasSubstr("t.yaml:"));
    EXPECT_THAT(root.error().message(), HasSubstr(why));
  }
  EXPECT_TRUE(YamlValue::Parse(std::string(15, '[') + std::string(15, ']'), "t.yaml"));
  // Brackets inside texts and comments are no nesting.
  EXPECT_TRUE(YamlValue::Parse("a: '[[[[[[[[[[[[[[[[[[[['  # {{{{{{{{{{{{{{{{{{{{", "t.yaml"));
}

TEST(YamlSection, AWrongValueLeavesTheDefault) {
  const YamlValue root =
      Parse("size: lots\ncount: 3\nspan: 0s\nflag: yes\nlist: [a, [b]]\nmap: {a: {b: c}}\nnull_one:\n");
  YamlSection section(root);
  size_t size = 7, count = 1;
  Duration span = Duration::Seconds(5);
  bool flag = true;
  std::vector<std::string> list{"old"};
  std::map<std::string, std::string> map;
  std::string text = "old";
  section.Bytes("size", size);
  section.Count("count", count, 1, 10);
  section.Span("span", span);
  section.Flag("flag", flag);
  section.Texts("list", list);
  section.TextMap("map", map);
  section.Text("null_one", text);
  section.Finish();
  EXPECT_EQ(size, 7u);
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(span, Duration::Seconds(5));
  EXPECT_TRUE(flag);
  EXPECT_THAT(list, ElementsAre("old"));
  EXPECT_EQ(text, "old");
  EXPECT_EQ(root.Problems().size(), 5u);
}

}  // namespace
}  // namespace tocsin::ports
