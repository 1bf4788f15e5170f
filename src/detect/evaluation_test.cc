// Reading recorded answers, and the two evaluations on answers made up here.
#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "detect/answer_file.h"
#include "detect/mix_evaluation.h"
#include "detect/swap_evaluation.h"
#include "kernel/rng.h"

namespace tocsin::detect {
namespace {

std::string WriteFile(const std::string& name, const std::string& bytes) {
  const std::string path = ::testing::TempDir() + name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string Pack(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

TEST(AnswerFile, ReadsTheThreeSchemasPlainAndPacked) {
  const std::string text =
      R"({"prompt_id": 3, "dataset": "koala", "prompt": "p", "output": "o"})"
      "\n\n"
      R"({"task": "prime", "model": "m1", "prompt_id": "7", "prompt": "q", "output": "a", "latency_s": 1.5})"
      "\n"
      R"({"segment": "chat", "prompt": "r", "output": "b"})"
      "\n"
      R"({"segment": "chat", "prompt": "r", "output": "again"})";
  for (const std::string& path : {WriteFile("a.jsonl", text), WriteFile("a.jsonl.zst", Pack(text))}) {
    const auto rows = ReadAnswerFile(path);
    ASSERT_TRUE(rows.has_value()) << rows.error().ToString();
    ASSERT_EQ(rows->size(), 3U);
    EXPECT_EQ((*rows)[0].segment, "koala");
    EXPECT_EQ((*rows)[1].latency_ms, 1500.0);
    EXPECT_EQ((*rows)[2].output, "b");
  }
  AnswerFileOptions only;
  only.model = "m1";
  EXPECT_EQ(ReadAnswerFile(::testing::TempDir() + "a.jsonl", only)->size(), 1U);
}

TEST(AnswerFile, SaysWhatIsWrong) {
  EXPECT_EQ(ReadAnswerFile("/nonexistent").error().code(), Code::kNotFound);
  const auto bad =
      ReadAnswerFile(WriteFile("b.jsonl", "{\"prompt\":\"p\",\"output\":\"o\"}\n{\"prompt\":1}\n"));
  EXPECT_EQ(bad.error().code(), Code::kInvalidArgument);
  EXPECT_NE(bad.error().message().find("b.jsonl:2"), std::string::npos);
  const std::string packed = Pack("{\"prompt\":\"p\",\"output\":\"o\"}\n");
  EXPECT_FALSE(ReadAnswerFile(WriteFile("c.zst", packed.substr(0, packed.size() - 3))).has_value());
  AnswerFileOptions small;
  small.max_bytes = 1'000;
  EXPECT_EQ(ReadAnswerFile(WriteFile("d.zst", Pack(std::string(100'000, ' '))), small).error().code(),
            Code::kOutOfRange);
}

std::vector<AnswerRow> Rows(uint64_t seed, size_t n, bool changed) {
  Rng rng(seed);
  std::vector<AnswerRow> rows;
  for (size_t i = 0; i < n; ++i) {
    const std::string segment = i % 3 == 0 ? "long" : "short";
    AnswerRow row{std::to_string(i), segment, "m", "", "", 0.0, 0.0, 0.0};
    row.prompt = segment == "long" ? "Write a long and detailed essay about number " + std::to_string(i)
                                   : "What is it?";
    for (uint64_t w = (segment == "long" ? 80 : 20) + rng.Below(30); w > 0; --w) {
      row.output += "w" + std::to_string(rng.Below(80)) + (w % 9 == 0 ? ". " : " ");
      if (changed && w % 20 == 0) row.output += "\n1. ";
    }
    rows.push_back(row);
  }
  return rows;
}

TEST(SwapEvaluation, FindsASwapAndKeepsTheNull) {
  const auto before = Rows(1, 400, false);
  const auto prompts = JoinAnswers(before, before, Rows(2, 400, true), nullptr);
  ASSERT_EQ(prompts.size(), 400U);
  SwapOptions options;
  options.reference_size = 200;
  options.change_at = 50;
  options.shuffles = 8;
  options.null_generations = 600;
  const auto result = EvaluateSwap(prompts, options, nullptr, false);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->runs, 8U);
  EXPECT_EQ(result->found + result->false_alarms + result->missed, 8U);
  EXPECT_GE(result->found, 7U);
  EXPECT_LE(*result->median_delay, 80.0);
  EXPECT_EQ(result->null_generations, 4'800U);
  EXPECT_GE(*result->mean_run_length_null, 500.0);
  const auto again = EvaluateSwap(prompts, options, nullptr, false);
  EXPECT_EQ(result->delays, again->delays);
  options.seed = 2;
  EXPECT_NE(result->delays, EvaluateSwap(prompts, options, nullptr, false)->delays);
}

TEST(SwapEvaluation, RefusesTooFewPrompts) {
  const auto rows = Rows(1, 50, false);
  EXPECT_EQ(EvaluateSwap(JoinAnswers(rows, rows, rows, nullptr), {}, nullptr, true).error().code(),
            Code::kInvalidArgument);
}

TEST(MixEvaluation, ReportsTheMixAndNotTheBehaviour) {
  const auto rows = Rows(3, 700, false);
  const auto prompts = JoinAnswers(rows, rows, rows, nullptr);
  MixOptions options;
  options.reference_size = 300;
  options.shuffles = 6;
  options.live_size = 220;
  const auto result = EvaluateMix(prompts, options);
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->segments, 2U);
  EXPECT_GE(result->mix_reported, 5U);
  EXPECT_LE(result->behaviour_alarms, 1U);
  EXPECT_GT(result->mean_share_moved, 0.1);
}

}  // namespace
}  // namespace tocsin::detect
