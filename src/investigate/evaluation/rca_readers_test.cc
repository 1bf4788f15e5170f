// The two data sets' formats on small texts, and the ranking on the recordings themselves where they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "investigate/evaluation/csv_rows.h"
#include "investigate/evaluation/log_statement.h"
#include "investigate/evaluation/nezha_files.h"
#include "investigate/evaluation/nezha_reader.h"
#include "investigate/evaluation/petshop_reader.h"
#include "investigate/evaluation/rca_evaluation.h"

namespace tocsin::investigate {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class Folder : public testing::Test {
 protected:
  Folder() : dir_(fs::temp_directory_path() / ("tocsin_rca_" + std::to_string(getpid()))) {
    fs::remove_all(dir_);
    fs::create_directories(dir_);
  }
  ~Folder() override { fs::remove_all(dir_); }
  fs::path Write(const fs::path& name, const std::string& text) {
    fs::create_directories((dir_ / name).parent_path());
    std::ofstream(dir_ / name) << text;
    return dir_ / name;
  }
  fs::path dir_;
};

using RcaReaders = Folder;

TEST(CsvRows, QuotesDoubledQuotesAndLineBreaks) {
  CsvRows rows("a,b\r\n\"x,\"\"y\"\"\nz\",\n\n1,2");
  std::vector<std::string_view> fields;
  ASSERT_TRUE(*rows.Next(fields));
  EXPECT_THAT(fields, ElementsAre("a", "b"));
  ASSERT_TRUE(*rows.Next(fields));
  EXPECT_THAT(fields, ElementsAre("x,\"y\"\nz", ""));
  ASSERT_TRUE(*rows.Next(fields));
  EXPECT_THAT(fields, ElementsAre("1", "2"));
  EXPECT_FALSE(*rows.Next(fields));
}

TEST(CsvRows, AnOpenQuoteIsAnErrorWithItsRow) {
  CsvRows rows("a\n\"b");
  std::vector<std::string_view> fields;
  ASSERT_TRUE(*rows.Next(fields));
  EXPECT_THAT(rows.Next(fields).error().message(), HasSubstr("row 2"));
}

TEST(LogStatement, PositionsNameStatementsAndLevelsTellThemApart) {
  const LogStatement info =
      StatementOf(R"({"log":"16:42:22.382 INFO  t.s.Travel#532 TraceID: ab SpanID: 1 [x]\n"})");
  EXPECT_EQ(info.text, "t.s.Travel#532");
  EXPECT_FALSE(info.error);
  const LogStatement error = StatementOf("16:42:22.382 ERROR  t.s.Travel#532 no seat");
  EXPECT_EQ(error.text, "! t.s.Travel#532");
  EXPECT_TRUE(error.error);
}

TEST(LogStatement, OtherwiseWordsWithWhatVariesMasked) {
  EXPECT_EQ(StatementOf("order 17 of user 4711 placed").text, StatementOf("order 18 of user 12 placed").text);
  const LogStatement nested = StatementOf(
      R"({"log":"{\"message\":\"TraceID: ff SpanID: 0a Convert done\",\"severity\":\"error\"}\n"})");
  EXPECT_EQ(nested.text, "! Convert done");
  EXPECT_EQ(StatementOf("{\"log\": broken").text, "{\"log\": broken");
}

TEST(ServiceOfPod, GeneratedPartsAreLeftOut) {
  EXPECT_EQ(ServiceOfPod("ts-order-service-5b67c48447-mv5hb"), "ts-order-service");
  EXPECT_EQ(ServiceOfPod("cartservice-579f59597d-wc2lz"), "cartservice");
  EXPECT_EQ(ServiceOfPod("ts-admin-order-service-admin"), "ts-admin-order-service-admin");
  EXPECT_EQ(ServiceOfPod("frontend"), "frontend");
}

TEST_F(RcaReaders, NezhaSpansNeedTheirColumnsAndWholeNumbers) {
  NezhaMinute minute;
  const fs::path good =
      Write("good.csv",
            "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano,Duration\n"
            "t,s,root,web-6cdbf9b4cc-h7mqk,GET /,1000,3000,2\n");
  ASSERT_TRUE(ReadNezhaSpans(good, minute).ok());
  ASSERT_EQ(minute.spans.size(), 1U);
  EXPECT_EQ(minute.spans[0].service, "web");
  EXPECT_EQ(minute.spans[0].end_ns, 3000);
  const Status missing = ReadNezhaSpans(Write("bad.csv", "TraceID,SpanID\nt,s\n"), minute);
  EXPECT_THAT(missing.message(), HasSubstr("no column ParentID"));
  const std::string header =
      "TraceID,SpanID,ParentID,PodName,OperationName,StartTimeUnixNano,EndTimeUnixNano\n";
  const Status time =
      ReadNezhaSpans(Write("time.csv", header + "t,s,root,p,o,x,1\nt,s,root,p,o,y,1\n"), minute);
  EXPECT_THAT(time.message(), HasSubstr("row 2"));
  EXPECT_TRUE(ReadNezhaSpans(Write("cut.csv", header + "t,a,root,p,o,1,1\nt,b,ro"), minute).ok());
}

TEST_F(RcaReaders, NezhaMetricsLeaveTheHostOut) {
  std::vector<NezhaSeries> series;
  const fs::path path =
      Write("m.csv",
            "Time,TimeStamp,PodName,CpuUsageRate(%),PodServerLatencyP90(s),NodeCpuUsageRate(%)\n"
            "x,1674981669,web-6cdbf9b4cc-h7mqk,2.5,NaN,9\n");
  ASSERT_TRUE(ReadNezhaMetrics(path, series).ok());
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[0].service, "web");
  EXPECT_EQ(series[0].kind, SeriesKind::kResource);
  EXPECT_EQ(series[0].points.at(0).at_ns, 1674981669LL * 1'000'000'000);
  EXPECT_EQ(series[1].kind, SeriesKind::kLatency);
  ASSERT_TRUE(ReadNezhaMetrics(Write("front.csv", "Time,TimeStamp,ServiceName\nx,1,F\n"), series).ok());
  EXPECT_EQ(series.size(), 2U);
}

std::string PetshopTable(int rows, int faulty_from) {
  std::string text = "microservice,web,db\nmetric,latency,latency\nstatistic,p99,p99\nunix_timestamp,,\n";
  for (int i = 0; i < rows; ++i) {
    const double noise = 0.001 * ((i * 7919) % 13);
    const double more = faulty_from >= 0 && i >= faulty_from ? 1.0 : 0.0;
    text += std::to_string(300 * i) + "," + std::to_string(0.2 + noise + more) + "," +
            std::to_string(0.05 + noise + more) + "\n";
  }
  return text;
}

TEST_F(RcaReaders, PetshopFaultsAndHealthyWindows) {
  Write("low/graph.csv", ",web,db\nweb,0.0,1.0\ndb,0.0,0.0\n");
  Write("low/noissue/metrics.csv", PetshopTable(400, -1));
  Write("low/train/issue_0/metrics.csv", PetshopTable(5, 2));
  Write("low/train/issue_0/target.json",
        R"({"target":{"node":"web","metric":"latency"},"root_cause":{"node":"db"}})");
  const auto cases = ReadPetshop(dir_);
  ASSERT_TRUE(cases.has_value()) << cases.error().ToString();
  ASSERT_EQ(cases->size(), 81U);
  EXPECT_EQ(cases->front().cause, "db");
  EXPECT_EQ(cases->front().input.symptom, "web");
  const auto summary = EvaluateRca(*cases);
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->cases, 1U);
  EXPECT_EQ(summary->as1, 1.0);
  EXPECT_EQ(summary->declared, 1.0);
  EXPECT_EQ(summary->healthy_cases, 80U);
  EXPECT_GE(summary->specificity, 0.8);
}

TEST_F(RcaReaders, PetshopErrorsNameFileAndRow) {
  Write("low/graph.csv", ",web,db\nweb,0.0,1.0\ndb,0.0,0.0\n");
  Write("low/noissue/metrics.csv", PetshopTable(10, -1) + "3000,1.0\n");
  EXPECT_THAT(ReadPetshop(dir_).error().message(), HasSubstr("metrics.csv: row 15"));
  EXPECT_EQ(ReadPetshop(dir_ / "nowhere").error().code(), Code::kNotFound);
}

// TOCSIN_DATA holds nezha/ and petshop/, unpacked.
fs::path Recordings(const char* name) {
  const char* given = std::getenv("TOCSIN_DATA");
  return fs::path(given != nullptr ? given : "../shared/data") / name;
}

TEST(RcaOnRecordings, TrainTicket) {
  const fs::path dir = Recordings("nezha");
  if (!fs::exists(dir / "rca_data"))
    GTEST_SKIP() << "no unpacked recordings at " << dir << " (set TOCSIN_DATA)";
  const auto cases = ReadNezha(dir);
  ASSERT_TRUE(cases.has_value()) << cases.error().ToString();
  const auto summary = EvaluateRca(*cases);
  ASSERT_TRUE(summary.has_value());
  EXPECT_GE(summary->as1, 0.87);
  EXPECT_GE(summary->as3, 0.97);
  EXPECT_LT(summary->seconds_per_case, 1.0);
}

TEST(RcaOnRecordings, Petshop) {
  const fs::path dir = Recordings("petshop");
  if (!fs::exists(dir / "dataset"))
    GTEST_SKIP() << "no unpacked recordings at " << dir << " (set TOCSIN_DATA)";
  const auto cases = ReadPetshop(dir);
  ASSERT_TRUE(cases.has_value()) << cases.error().ToString();
  const auto summary = EvaluateRca(*cases);
  ASSERT_TRUE(summary.has_value());
  EXPECT_GE(summary->as1_declared, 0.75);
  EXPECT_GE(summary->specificity, 0.8);
}

}  // namespace
}  // namespace tocsin::investigate
