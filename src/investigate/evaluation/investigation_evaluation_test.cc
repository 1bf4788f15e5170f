// The scoring rule, the reader's bounds, and the recorded incidents when they are there.
#include "investigate/evaluation/investigation_evaluation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "investigate/evaluation/opensre_reader.h"

namespace tocsin::investigate {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "tocsin-investigate-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code error;
    fs::remove_all(root_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void Write(const std::string& name, const std::string& text) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  std::string Path(const std::string& name = "") const { return (root_ / name).string(); }

 private:
  fs::path root_;
};

constexpr const char* kAlert = R"({"title": "CPU high on a-db", "state": "alerting",
  "commonLabels": {"alertname": "CPUHigh", "severity": "critical"},
  "commonAnnotations": {"db_instance_identifier": "a-db", "rds_failure_mode": "cpu_saturation"}})";

TEST(Scoring, AsksForEveryKeywordWhateverItsCaseAndSpacing) {
  const AnswerKey key{"resource_exhaustion", {"Free  Space", "insert"}, {"not CPU"}, {}, {}, {}};
  const CaseScore right =
      ScoreConclusion({"resource_exhaustion", "", "free\nspace gone after an INSERT", 1}, key, {});
  EXPECT_TRUE(right.right_cause);
  EXPECT_TRUE(right.passed);
  EXPECT_FALSE(right.strict);
  const CaseScore partial = ScoreConclusion({"resource_exhaustion", "", "free space", 1}, key, {});
  EXPECT_TRUE(partial.right_category);
  EXPECT_FALSE(partial.right_cause);
  EXPECT_EQ(partial.missing, std::vector<std::string>{"insert"});
  EXPECT_FALSE(ScoreConclusion({"unknown", "", "free space insert", 1}, key, {}).right_cause);
}

TEST(Scoring, CountsForbiddenCategoriesAndWords) {
  const AnswerKey key{
      "healthy", {}, {}, {"resource_exhaustion"}, {"two causes"}, {"aws_performance_insights"}};
  EXPECT_EQ(ScoreConclusion({"resource_exhaustion", "", "Two  causes", 1}, key, {}).forbidden.size(), 2u);
  const CaseScore without_source = ScoreConclusion({"healthy", "", "fine", 1}, key, {});
  EXPECT_TRUE(without_source.right_cause);
  EXPECT_FALSE(without_source.passed);  // the key asks for a source that was not read
}

TEST(OpensreReader, TakesWhatIsMissingFromTheBaseAndNotesTheRest) {
  const Folder folder;
  folder.Write("base/scenario.yml",
               "scenario_id: base\ninstance_class: db.m6g.large\navailable_evidence: [aws_rds_events]\n");
  folder.Write(
      "base/aws_rds_events.json",
      R"({"events": [{"date": "2026-01-01T00:00:00Z", "message": "Backup done", "source_identifier": "a-db"}]})");
  folder.Write("one/scenario.yml",
               "base: base\navailable_evidence: [aws_rds_events, aws_performance_insights]\n");
  folder.Write("one/alert.json", kAlert);
  folder.Write("base/aws_cloudwatch_metrics.json", R"({"metric_data_results": []})");
  const auto e = ReadOpensreScenario(folder.Path("one"));
  ASSERT_TRUE(e.has_value()) << e.error().ToString();
  EXPECT_EQ(e->events.size(), 1u);
  EXPECT_TRUE(e->missing.contains("aws_performance_insights"));
  EXPECT_FALSE(e->seen.contains("metrics"));  // not among what the investigator is given
  EXPECT_EQ(e->databases.front().instance_class, "db.m6g.large");
}

TEST(OpensreReader, DoesNotReadTheAnswerFromTheAlert) {
  const Folder folder;
  folder.Write("one/alert.json", kAlert);
  const auto e = ReadOpensreScenario(folder.Path("one"));
  ASSERT_TRUE(e.has_value());
  EXPECT_FALSE(e->alert.labels.contains("rds_failure_mode"));
}

TEST(OpensreReader, NamesTheFileThatIsWrongAndLeavesOddFieldsOut) {
  const Folder folder;
  EXPECT_EQ(ReadOpensreScenario(folder.Path("none")).error().code(), Code::kNotFound);
  folder.Write("one/alert.json", kAlert);
  folder.Write("one/eks_pods.json",
               "{\"pods\": [1, {\"name\": 7, \"containers\": \"x\", \"conditions\": [null]}]}");
  EXPECT_TRUE(ReadOpensreScenario(folder.Path("one")).has_value());
  folder.Write("one/eks_pods.json", "{\"pods\": [");
  const auto broken = ReadOpensreScenario(folder.Path("one"));
  ASSERT_FALSE(broken.has_value());
  EXPECT_EQ(broken.error().code(), Code::kInvalidArgument);
  EXPECT_NE(broken.error().message().find("eks_pods.json"), std::string::npos);
  folder.Write("one/eks_pods.json", std::string(100'000, '['));
  EXPECT_FALSE(ReadOpensreScenario(folder.Path("one")).has_value());
}

TEST(Evaluation, GivesTheInvestigatorNoAnswer) {
  const Folder folder;
  folder.Write("s/one/alert.json", kAlert);
  folder.Write("s/one/answer.yml", "root_cause_category: unknown\nrequired_keywords: [nothing]\n");
  size_t asked = 0;
  const auto score = EvaluateOpensre(folder.Path(), [&](const Evidence& e) -> Result<Conclusion> {
    ++asked;
    EXPECT_EQ(e.instances, std::vector<std::string>{"a-db"});
    return Conclusion{"unknown", "unknown", "nothing was seen", 0};
  });
  ASSERT_TRUE(score.has_value()) << score.error().ToString();
  EXPECT_EQ(asked, 1u);
  EXPECT_EQ(score->right_cause, 1u);
  EXPECT_EQ(score->cases.front().name, "s/one");
  EXPECT_EQ(EvaluateOpensre(folder.Path("s/one/none"), CatalogueInvestigator).error().code(),
            Code::kNotFound);
}

// The recorded incidents of the OpenSRE suites: the right cause in at least eight of ten, never a forbidden
// one.
TEST(Evaluation, OnRecordedIncidents) {
  const char* given = std::getenv("TOCSIN_DATA");
  const char* source = std::getenv("TOCSIN_SOURCE_DIR");
  const fs::path data =
      given != nullptr ? fs::path(given) : fs::path(source != nullptr ? source : ".") / "../shared/data";
  const fs::path packed = data / "opensre/dev10.tar.zst";
  if (!fs::exists(packed)) GTEST_SKIP() << "no recorded incidents at " << packed << " (set TOCSIN_DATA)";
  const Folder folder;
  const std::string command =
      "tar --zstd -xf '" + packed.string() + "' -C '" + folder.Path() + "' 2>/dev/null";
  if (std::system(command.c_str()) != 0) GTEST_SKIP() << "cannot unpack " << packed;
  const auto score = EvaluateOpensre(folder.Path(), CatalogueInvestigator);
  ASSERT_TRUE(score.has_value()) << score.error().ToString();
  EXPECT_GE(10 * score->right_cause, 8 * score->cases.size());
  EXPECT_EQ(score->forbidden, 0u);
  EXPECT_EQ(score->healthy_left_alone, score->healthy_cases);
}

}  // namespace
}  // namespace tocsin::investigate
