#include "detect/template_evaluation.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "detect/internal/csv.h"

namespace tocsin::detect {
namespace {

TEST(GroupingAccuracy, AGroupIsRightOnlyWhenItIsTheWholeTrueGroup) {
  EXPECT_EQ(GroupingAccuracy({1, 1, 2, 2}, {"a", "a", "b", "b"}), 1.0);
  EXPECT_EQ(GroupingAccuracy({1, 1, 1, 2}, {"a", "a", "b", "b"}), 0.0) << "one too many and one too few";
  EXPECT_EQ(GroupingAccuracy({1, 1, 2, 3}, {"a", "a", "b", "b"}), 0.5) << "split";
  EXPECT_EQ(GroupingAccuracy({1, 1, 1, 2}, {"a", "b", "b", "c"}), 0.25) << "merged";
  EXPECT_EQ(GroupingAccuracy({}, {}), 0.0);
}

TEST(ParseCsv, QuotesCommasAndLineBreaks) {
  using Rows = std::vector<std::vector<std::string>>;
  EXPECT_EQ(internal::ParseCsv("a,b\r\n\"x,\"\"y\"\"\n\",\n"), (Rows{{"a", "b"}, {"x,\"y\"\n", ""}}));
  EXPECT_EQ(internal::ParseCsv("a"), (Rows{{"a"}}));
  EXPECT_EQ(internal::ParseCsv(""), Rows{});
  EXPECT_EQ(internal::ParseCsv("\"open").size(), 1u);
}

class LoghubTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tocsin-loghub-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void Put(const std::string& path, const std::string& text) {
    const auto full = folder_ / path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary) << text;
  }
  std::filesystem::path folder_;
};

TEST_F(LoghubTest, ReadsBothKindsOfLabels) {
  Put("a/X/X_2k.log_structured.csv", "LineId,Content,EventId\n1,\"up, 1\",E1\n2,down,E2\n3,\"up, 2\",E1\n");
  Put("b/X/X_2k.log_structured_corrected.csv",
      "LineId,Content,EventTemplate\n1,\"up, 1\",\"up, <*>\"\n2,down,down\n3,\"up, 2\",\"up, <*>\"\n");
  const auto logs = ReadLoghub(folder_.string());
  ASSERT_TRUE(logs) << logs.error().ToString();
  ASSERT_EQ(logs->size(), 1u);
  EXPECT_EQ((*logs)[0].lines[2], "up, 2");
  const TemplateResult result = EvaluateTemplates(*logs);
  EXPECT_EQ(result.grouping_accuracy, 1.0);
  EXPECT_EQ(result.grouping_accuracy_original, 1.0);
  EXPECT_EQ(result.systems[0].groups, 2u);
  EXPECT_GT(result.lines_per_s, 0);
}

TEST_F(LoghubTest, SaysWhatIsWrong) {
  EXPECT_EQ(ReadLoghub(folder_.string()).error().code(), Code::kNotFound);
  EXPECT_EQ(ReadLoghub((folder_ / "none").string()).error().code(), Code::kNotFound);
  Put("X_2k.log_structured.csv", "LineId,Text\n1,a\n");
  EXPECT_EQ(ReadLoghub(folder_.string()).error().code(), Code::kInvalidArgument);
  Put("X_2k.log_structured.csv", "Content,EventId\na\n");
  EXPECT_NE(ReadLoghub(folder_.string()).error().message().find("row 2"), std::string::npos);
  EXPECT_EQ(ReadLoghub(folder_.string(), 3).error().code(), Code::kOutOfRange);
}

// On the real lines. One configuration for all systems; a fall below this is a regression.
TEST(TemplatesOnLoghub, AreGroupedAsPeopleGroupedThem) {
  const char* root = getenv("TOCSIN_DATA");
  const std::string archive = std::string(root == nullptr ? "../shared/data" : root) + "/loghub/dev8.tar.zst";
  if (!std::filesystem::exists(archive))
    GTEST_SKIP() << archive << " is not there: TOCSIN_DATA names the data";
  std::string folder = (std::filesystem::temp_directory_path() / "tocsin-loghub-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string command = "tar --zstd -xf '" + archive + "' -C '" + folder + "'";
  ASSERT_EQ(system(command.c_str()), 0);
  const auto logs = ReadLoghub(folder);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(logs) << logs.error().ToString();
  const TemplateResult result = EvaluateTemplates(*logs);
  EXPECT_GE(result.grouping_accuracy, 0.98);
  for (const TemplateScore& s : result.systems) EXPECT_GE(s.grouping_accuracy, 0.9) << s.name;
}

}  // namespace
}  // namespace tocsin::detect
