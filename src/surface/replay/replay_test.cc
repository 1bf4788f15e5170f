#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "surface/replay/otlp_encoder.h"
#include "surface/replay/recorded_answer.h"
#include "surface/replay/replay_plan.h"

namespace tocsin::surface {
namespace {

using ::testing::HasSubstr;

RecordedAnswer Row(const std::string& task, const std::string& model, int n) {
  RecordedAnswer answer;
  answer.task = task;
  answer.model = model;
  answer.prompt = "p" + std::to_string(n);
  answer.output = "o";
  return answer;
}

TEST(RecordedAnswer, ReadsTheThreeSchemas) {
  const auto alpaca = ParseRecordedAnswer(R"({"prompt_id":3,"dataset":"koala","prompt":"p","output":"o"})");
  ASSERT_TRUE(alpaca);
  EXPECT_EQ(alpaca->prompt_id, "3");
  EXPECT_EQ(alpaca->dataset, "koala");
  const auto drift =
      ParseRecordedAnswer(R"({"task":"prime","model":"m","prompt":"p","output":"o","latency_s":2.5})");
  ASSERT_TRUE(drift);
  EXPECT_EQ(drift->task, "prime");
  EXPECT_EQ(drift->latency_s, 2.5);
  const auto generic = ParseRecordedAnswer(
      R"({"time":"2026-01-01T00:00:00Z","prompt":"p","output":"o","tool_calls":[{"name":"f","arguments":{"a":1}}],"feedback":"thumbs_down"})");
  ASSERT_TRUE(generic);
  EXPECT_EQ(generic->tool_calls.front().arguments, R"({"a":1})");
  EXPECT_FALSE(generic->tool_calls.front().executed);
  EXPECT_EQ(generic->feedback->label, "thumbs_down");
}

TEST(RecordedAnswer, NamesTheMemberThatIsWrong) {
  for (const auto& [row, named] : std::map<std::string, std::string>{
           {"nonsense", "not a JSON object"},
           {"[]", "not an object"},
           {R"({"output":"o"})", "'prompt' is missing"},
           {R"({"prompt":"p"})", "'output' is missing"},
           {R"({"prompt":"p","output":{}})", "'output' is object"},
           {R"({"prompt":"p","output":"o","documents":[{"score":"x"}]})", "documents[0].score"},
           {R"({"prompt":"p","output":"o","time":"noon"})", "'time'"},
       }) {
    const auto parsed = ParseRecordedAnswer(row);
    ASSERT_FALSE(parsed) << row;
    EXPECT_THAT(parsed.error().message(), HasSubstr(named));
  }
}

TEST(ReplayPlan, ASwapHappensAtOneMomentForEveryTask) {
  std::vector<RecordedAnswer> rows;
  for (int i = 0; i < 30; ++i) {
    rows.push_back(Row("a", "new", i));
    rows.push_back(Row("a", "old", i));
    if (i < 5) rows.push_back(Row("b", "old", i));
    if (i < 5) rows.push_back(Row("b", "new", i));
    rows.push_back(Row("a", "other", i));
  }
  ReplayOptions options;
  options.before_model = "old";
  options.after_model = "new";
  options.shuffle_seed = 7;
  options.every = Duration::Seconds(10);
  options.start = Time{1'000'000'000'000};
  const auto plan = PlanReplay({rows}, options, Time{});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->total, 70u);
  for (size_t i = 0; i < plan->answers.size(); ++i) {
    EXPECT_EQ(plan->answers[i].answer.model, i < 35 ? "old" : "new") << i;
    EXPECT_EQ(plan->answers[i].answer.prompt_name, plan->answers[i].answer.task);
    EXPECT_EQ(plan->answers[i].time.ns, 1'000'000'000'000 + static_cast<int64_t>(i) * 10'000'000'000);
  }
}

TEST(ReplayPlan, AResumedReplayIsTheRestOfTheFirst) {
  std::vector<RecordedAnswer> rows;
  for (int i = 0; i < 50; ++i) rows.push_back(Row("a", "m", i));
  ReplayOptions options;
  options.shuffle_seed = 3;
  options.start = Time{5'000'000'000};
  const auto whole = PlanReplay({rows}, options, Time{});
  options.offset = 20;
  options.limit = 10;
  const auto part = PlanReplay({rows}, options, Time{99});
  ASSERT_TRUE(whole && part);
  ASSERT_EQ(part->answers.size(), 10u);
  for (size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(part->answers[i].answer.prompt, whole->answers[20 + i].answer.prompt);
    EXPECT_EQ(part->answers[i].time, whole->answers[20 + i].time);
    EXPECT_EQ(IdsOf("k", part->answers[i].index).trace_id, IdsOf("k", 20 + i).trace_id);
  }
}

TEST(ReplayPlan, HidingTheModelReportsTheRequestedOne) {
  ReplayOptions options;
  options.model = "gpt-3.5-turbo";
  auto shown = PlanReplay({{Row("a", "gpt-3.5-turbo-0613", 1)}}, options, Time{1});
  EXPECT_EQ(shown->answers[0].answer.reported_model, "gpt-3.5-turbo-0613");
  options.hide_model = true;
  auto hidden = PlanReplay({{Row("a", "gpt-3.5-turbo-0613", 1)}}, options, Time{1});
  EXPECT_EQ(hidden->answers[0].answer.reported_model, "gpt-3.5-turbo");
  EXPECT_FALSE(PlanReplay({{}}, options, Time{1}));
  // Regression: without a name for it, each row's own model was still asked for and gave the swap away.
  options.model.clear();
  auto silent = PlanReplay({{Row("a", "old", 1)}, {Row("a", "new", 2)}}, options, Time{1});
  for (const auto& planned : silent->answers) {
    EXPECT_EQ(planned.answer.model, "old");
    EXPECT_EQ(planned.answer.reported_model, "old");
  }
}

TEST(OtlpEncoder, IdsAreDistinctAndJsonIsHex) {
  std::set<std::string> ids;
  for (uint64_t i = 0; i < 10'000; ++i) {
    const AnswerIds one = IdsOf("run", i);
    ASSERT_EQ(one.trace_id.size(), 16u);
    ASSERT_EQ(one.span_id.size(), 8u);
    ids.insert(one.trace_id);
  }
  EXPECT_EQ(ids.size(), 10'000u);
  PlannedAnswer planned{0, Time{1'000}, Row("a", "m", 1)};
  const auto json = nlohmann::json::parse(ToOtlpJson(EncodeAnswers(std::span(&planned, 1), "run", Time{})));
  const auto& span = json["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
  EXPECT_EQ(span["traceId"].get<std::string>().size(), 32u);
  EXPECT_EQ(span["startTimeUnixNano"], "1000");
}

}  // namespace
}  // namespace tocsin::surface
