#include "surface/simulate/support_traffic.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "surface/replay/recorded_answer.h"

namespace tocsin::surface {
namespace {

constexpr Time kStart{1'770'000'000'000'000'000};

std::vector<RecordedAnswer> Draw(TrafficChange change, uint64_t answers, uint64_t change_after,
                                 uint64_t seed = 7) {
  TrafficOptions options;
  options.change = change;
  options.change_after = change_after;
  options.start = kStart;
  options.seed = seed;
  SupportTraffic traffic(options);
  std::vector<RecordedAnswer> rows;
  for (uint64_t i = 0; i < answers; ++i) {
    auto row = ParseRecordedAnswer(traffic.NextLine());
    EXPECT_TRUE(row.has_value()) << row.error().ToString();
    if (row) rows.push_back(std::move(*row));
  }
  return rows;
}

// Every "NW-123456" of the answer that neither question nor tool results hold.
size_t InventedOrders(const RecordedAnswer& row) {
  std::string context = row.prompt;
  for (const auto& call : row.tool_calls) context += call.result;
  size_t invented = 0;
  for (size_t at = row.output.find("NW-"); at != std::string::npos; at = row.output.find("NW-", at + 1))
    invented += context.find(row.output.substr(at, 9)) == std::string::npos ? 1u : 0u;
  return invented;
}

double MeanLength(const std::vector<RecordedAnswer>& rows, size_t from, size_t to) {
  double sum = 0;
  for (size_t i = from; i < to; ++i) sum += static_cast<double>(rows[i].output.size());
  return sum / static_cast<double>(to - from);
}

TEST(SupportTraffic, EveryLineIsReadableByReplayAndTimeGoesForward) {
  Time last;
  for (const RecordedAnswer& row : Draw(TrafficChange::kNone, 500, 0)) {
    EXPECT_FALSE(row.prompt.empty());
    EXPECT_FALSE(row.output.empty());
    EXPECT_FALSE(row.documents.empty());
    EXPECT_EQ(row.output.find('{'), std::string::npos) << row.output;
    EXPECT_EQ(row.prompt.find('{'), std::string::npos) << row.prompt;
    EXPECT_GE(row.time, last);
    last = row.time;
  }
}

TEST(SupportTraffic, TheSameSeedGivesTheSameBytesAndAnotherSeedDoesNot) {
  TrafficOptions options;
  options.start = kStart;
  SupportTraffic first(options);
  SupportTraffic second(options);
  options.seed = 2;
  SupportTraffic other(options);
  bool differs = false;
  for (int i = 0; i < 50; ++i) {
    const std::string line = first.NextLine();
    EXPECT_EQ(line, second.NextLine());
    differs = differs || line != other.NextLine();
  }
  EXPECT_TRUE(differs);
}

TEST(SupportTraffic, OnlyTheHallucinatingOneInventsOrders) {
  const auto count = [](const std::vector<RecordedAnswer>& rows, size_t from) {
    size_t bad = 0;
    for (size_t i = from; i < rows.size(); ++i) bad += InventedOrders(rows[i]) > 0 ? 1u : 0u;
    return bad;
  };
  EXPECT_LE(count(Draw(TrafficChange::kModel, 1000, 500), 0), 8u);
  EXPECT_GE(count(Draw(TrafficChange::kHallucinate, 1000, 500), 500), 40u);
}

TEST(SupportTraffic, ChangesMoveWhatTheySayAndNotBefore) {
  const auto none = Draw(TrafficChange::kNone, 1000, 500);
  const auto model = Draw(TrafficChange::kModel, 1000, 500);
  const auto prompt = Draw(TrafficChange::kPrompt, 1000, 500);
  for (size_t i = 0; i < 500; ++i) EXPECT_EQ(none[i].output, model[i].output);
  EXPECT_GT(MeanLength(model, 500, 1000), 1.2 * MeanLength(none, 500, 1000));
  EXPECT_LT(MeanLength(prompt, 500, 1000), 0.9 * MeanLength(none, 500, 1000));
  EXPECT_EQ(model[999].reported_model, model[0].reported_model);
  EXPECT_NE(prompt[999].prompt_version, prompt[0].prompt_version);
}

TEST(SupportTraffic, PretendingSaysDoneWithoutTheTool) {
  size_t pretended = 0;
  for (const RecordedAnswer& row : Draw(TrafficChange::kPretend, 600, 0)) {
    bool refunded = false;
    for (const auto& call : row.tool_calls) refunded = refunded || call.name == "issue_refund";
    const bool says = row.output.find("I have issued the refund") != std::string::npos ||
                      row.output.find("I have just refunded") != std::string::npos;
    pretended += says && !refunded ? 1u : 0u;
    EXPECT_TRUE(says || !refunded);
  }
  EXPECT_GE(pretended, 30u);
}

TEST(SupportTraffic, TopicSharesSumToOne) {
  double share = 0;
  double shifted = 0;
  for (const Topic& topic : SupportTopics()) {
    share += topic.share;
    shifted += topic.shifted;
  }
  EXPECT_NEAR(share, 1.0, 1e-9);
  EXPECT_NEAR(shifted, 1.0, 1e-9);
}

TEST(SupportTraffic, AnUnknownChangeIsRefusedWithTheKnownOnes) {
  const auto change = ParseTrafficChange("weather");
  ASSERT_FALSE(change.has_value());
  EXPECT_NE(change.error().message().find("hallucinate"), std::string::npos);
}

}  // namespace
}  // namespace tocsin::surface
