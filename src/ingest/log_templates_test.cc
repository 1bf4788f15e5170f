#include "ingest/log_templates.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tocsin::ingest {
namespace {

constexpr Time kNow{1'790'000'000'000'000'000};

signal::LogRecord Log(std::string body, std::string service = "shop", int64_t severity = 9) {
  signal::LogRecord log;
  log.time = kNow;
  log.body = std::move(body);
  log.service = std::move(service);
  log.severity = severity;
  return log;
}

signal::Batch BatchOf(std::vector<signal::LogRecord> logs) {
  signal::Batch batch;
  batch.logs = std::move(logs);
  return batch;
}

TEST(LogTemplates, LinesOfOneKindShareAnIdAndOneRowSaysWhatItIs) {
  LogTemplates templates;
  signal::Batch batch = BatchOf({Log("order 17 placed"), Log("order 18 placed"), Log("cart emptied")});
  templates.Assign(batch, kNow);
  EXPECT_EQ(batch.logs[0].template_id.size(), 16u);
  EXPECT_EQ(batch.logs[0].template_id, batch.logs[1].template_id);
  EXPECT_NE(batch.logs[0].template_id, batch.logs[2].template_id);
  ASSERT_EQ(batch.log_templates.size(), 2u);
  const signal::LogTemplate& row = batch.log_templates[0];
  EXPECT_EQ(row.template_id, batch.logs[0].template_id);
  EXPECT_EQ(row.text, "order <*> placed");
  EXPECT_EQ(row.service, "shop");
  EXPECT_EQ(row.severity, 9);
  EXPECT_EQ(row.first_seen, kNow);
  EXPECT_EQ(row.merged_into, "");
  EXPECT_LT(row.time, batch.log_templates[1].time) << "strictly increasing";
}

TEST(LogTemplates, ARowForEachServiceAndForAHigherSeverityAndOnceADay) {
  LogTemplates templates;
  const auto rows = [&](signal::LogRecord log, Time at) {
    signal::Batch batch = BatchOf({std::move(log)});
    templates.Assign(batch, at);
    return batch.log_templates.size();
  };
  EXPECT_EQ(rows(Log("order 1 placed"), kNow), 1u);
  EXPECT_EQ(rows(Log("order 2 placed"), kNow), 0u);
  EXPECT_EQ(rows(Log("order 2 placed", "bank"), kNow), 1u);
  EXPECT_EQ(rows(Log("order 2 placed", "bank", 17), kNow), 1u);
  EXPECT_EQ(rows(Log("order 2 placed", "bank", 13), kNow), 0u);
  EXPECT_EQ(rows(Log("order 3 placed"), kNow + Duration::Hours(23)), 0u);
  EXPECT_EQ(rows(Log("order 3 placed"), kNow + Duration::Hours(24)), 1u);
}

TEST(LogTemplates, AMergeIsWrittenForTheOneThatIsGone) {
  LogTemplates templates;
  signal::Batch batch =
      BatchOf({Log("session opened for user ada now"), Log("session opened for user bob now")});
  templates.Assign(batch, kNow);
  EXPECT_EQ(batch.log_templates.size(), 2u) << "made, then widened";
  EXPECT_EQ(batch.log_templates[1].text, "session opened for user <*> now");

  LogTemplates cities;
  std::vector<signal::LogRecord> logs;
  for (const char* city : {"paris", "rome", "oslo", "bern", "riga", "kyiv"}) {
    logs.push_back(Log(fmt::format("weather report {} has been updated", city)));
  }
  batch = BatchOf(std::move(logs));
  cities.Assign(batch, kNow);
  const std::string survivor = batch.logs[0].template_id;
  size_t merged = 0;
  for (const signal::LogTemplate& row : batch.log_templates) merged += size_t{row.merged_into == survivor};
  EXPECT_EQ(merged, 4u);
  EXPECT_EQ(batch.logs[5].template_id, survivor);
  EXPECT_EQ(batch.log_templates.back().text, "weather report <*> has been updated");
}

TEST(LogTemplates, RestoredRowsGiveTheSameIdsAndNothingIsWrittenAgain) {
  LogTemplates before;
  signal::Batch batch;
  for (const char* city : {"paris", "rome", "oslo", "bern", "riga", "kyiv"}) {
    batch.logs.push_back(Log(fmt::format("weather report {} has been updated", city)));
  }
  batch.logs.push_back(Log("order 17 placed", "bank", 13));
  before.Assign(batch, kNow);
  LogTemplates after;
  after.Restore(batch.log_templates);
  EXPECT_EQ(after.size(), 2u);
  signal::Batch next =
      BatchOf({Log("weather report lima has been updated"), Log("order 18 placed", "bank", 13)});
  after.Assign(next, kNow + Duration::Seconds(5));
  EXPECT_EQ(next.logs[0].template_id, batch.logs[0].template_id);
  EXPECT_EQ(next.logs[1].template_id, batch.logs[6].template_id);
  EXPECT_TRUE(next.log_templates.empty());
}

TEST(LogTemplates, RowsOfABatchThatWasRefusedComeWithTheNext) {
  LogTemplates templates;
  signal::Batch refused = BatchOf({Log("order 17 placed")});
  templates.Assign(refused, kNow);
  templates.Forget(refused.log_templates);
  signal::Batch next = BatchOf({Log("order 18 placed")});
  templates.Assign(next, kNow);
  ASSERT_EQ(next.log_templates.size(), 1u);
  EXPECT_EQ(next.log_templates[0].template_id, next.logs[0].template_id);
}

TEST(LogTemplates, AnEventWithoutABodyIsKnownByItsName) {
  LogTemplates templates;
  signal::LogRecord event = Log("");
  event.event_name = "cart.emptied";
  signal::Batch batch = BatchOf({event, Log("")});
  templates.Assign(batch, kNow);
  EXPECT_EQ(batch.log_templates.size(), 1u);
  EXPECT_NE(batch.logs[0].template_id, "");
  EXPECT_EQ(batch.logs[1].template_id, "");
}

TEST(LogTemplates, ManyServicesAreBounded) {
  LogTemplates templates;
  size_t rows = 0;
  for (size_t i = 0; i < LogTemplates::kMaxServices + 500; ++i) {
    signal::Batch batch = BatchOf({Log("order 1 placed", "service-" + std::to_string(i))});
    templates.Assign(batch, kNow);
    EXPECT_NE(batch.logs[0].template_id, "");
    rows += batch.log_templates.size();
  }
  EXPECT_EQ(rows, LogTemplates::kMaxServices);
}

TEST(TemplateId, TextAndBack) {
  EXPECT_EQ(TemplateIdText(0xab), "00000000000000ab");
  EXPECT_EQ(ParseTemplateId(TemplateIdText(~uint64_t{0})), ~uint64_t{0});
  EXPECT_EQ(ParseTemplateId("00000000000000AB"), 0u);
  EXPECT_EQ(ParseTemplateId("ab"), 0u);
}

}  // namespace
}  // namespace tocsin::ingest
