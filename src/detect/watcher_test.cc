// Watcher: assembly, bounds, state; what incidents say is tested by tests/scenarios.
#include "detect/watcher.h"

#include <gtest/gtest.h>

#include "detect/internal/model_inventory.h"
#include "detect/internal/stream_monitors.h"
#include "detect/internal/trace_assembler.h"
#include "kernel/rng.h"

namespace tocsin::detect {
namespace {

constexpr int64_t kStart = 1'772'000'000;

signal::Generation Answer(int64_t second, const std::string& output, const std::string& service = "bot") {
  signal::Generation g;
  g.time = {(kStart + second) * 1'000'000'000};
  g.trace_id = "t" + std::to_string(second);
  g.service = service;
  g.operation = "chat";
  g.input = "Where is my parcel " + std::to_string(100000 + second) + "?";
  g.output = output;
  return g;
}

store::JournalEntry Entry(uint64_t position, std::vector<signal::Generation> generations) {
  auto batch = std::make_shared<signal::Batch>();
  batch->generations = std::move(generations);
  return {position, batch};
}

std::string Text(Rng& rng, bool changed) {
  static const char* const kUsual[] = {"Your parcel is on its way", "The carrier has it",
                                       "It will arrive soon"};
  static const char* const kOther[] = {"Sure! Absolutely!", "Great question!", "Happy to help!"};
  std::string text;
  for (int i = 0; i < 4; ++i)
    text += std::string(changed ? kOther[rng.Below(3)] : kUsual[rng.Below(3)]) + ". ";
  return text;
}

void Feed(Watcher& watcher, uint64_t from, uint64_t to, uint64_t change, std::vector<Finding>& findings) {
  for (uint64_t i = from; i < to; ++i) {
    Rng rng(i);
    watcher.Consume(Entry(i, {Answer(static_cast<int64_t>(i) * 10, Text(rng, i >= change))}));
    for (auto& f : watcher.TakeFindings()) findings.push_back(std::move(f));
  }
}

TEST(Watcher, FindsASwapOnceAndNamesTheOnset) {
  WatcherOptions options;
  options.reference_size = 200;
  Watcher watcher(options);
  std::vector<Finding> findings;
  Feed(watcher, 1, 450, 350, findings);
  size_t opened = 0;
  for (const auto& f : findings) opened += f.update ? 0 : 1;
  ASSERT_EQ(opened, 1U);
  EXPECT_EQ(findings[0].kind, FindingKind::kBehavior);
  EXPECT_NEAR(static_cast<double>(findings[0].onset.time.ns) * 1e-9, static_cast<double>(kStart) + 3500, 120);
  EXPECT_LE(findings[0].generation, 450U);
  EXPECT_FALSE(findings[0].exemplars.empty());
}

// The promise for the whole stream, all monitors together: at most one false alarm in 1/alpha answers.
TEST(Watcher, KeepsThePromisedRunLengthUnderNoChange) {
  WatcherOptions options;
  options.reference_size = 100;
  options.alpha = 1.0 / 200;
  constexpr uint64_t kRuns = 16, kCut = 600;
  double total = 0;
  for (uint64_t run = 0; run < kRuns; ++run) {
    Watcher watcher(options);
    uint64_t length = kCut;
    for (uint64_t i = 1; i <= kCut && length == kCut; ++i) {
      Rng rng(run * 10'000 + i);
      watcher.Consume(Entry(i, {Answer(static_cast<int64_t>(i) * 10, Text(rng, rng.Uniform() < 0.3))}));
      if (!watcher.TakeFindings().empty()) length = i;
    }
    total += static_cast<double>(length);
  }
  EXPECT_GE(total / kRuns, 200);
}

TEST(Watcher, ARestartChangesNothing) {
  WatcherOptions options;
  options.reference_size = 100;
  Watcher whole(options);
  std::vector<Finding> expected;
  Feed(whole, 1, 400, 250, expected);
  // The same, restarted every 23 entries, two of them lost and read again.
  auto parts = std::make_unique<Watcher>(options);
  std::vector<Finding> found;
  std::vector<store::MonitorState> states;
  for (uint64_t i = 1; i < 400; i += 23) {
    Feed(*parts, parts->position() + 1, std::min<uint64_t>(i + 21, 400), 250, found);
    states = parts->Save(true);
    std::vector<Finding> lost;
    Feed(*parts, parts->position() + 1, std::min<uint64_t>(i + 23, 400), 250, lost);
    parts = std::make_unique<Watcher>(options);
    ASSERT_TRUE(parts->Restore(states).ok());
  }
  Feed(*parts, parts->position() + 1, 400, 250, found);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].title, expected[i].title);
    EXPECT_EQ(found[i].generation, expected[i].generation);
    EXPECT_EQ(found[i].log_e_value, expected[i].log_e_value);
  }
}

TEST(Watcher, DamagedStateIsAnErrorAndTheWatcherStillWorks) {
  WatcherOptions options;
  Watcher watcher(options);
  std::vector<Finding> findings;
  Feed(watcher, 1, 60, 1000, findings);
  auto states = watcher.Save(true);
  for (auto& state : states) {
    if (state.id.starts_with("stream:")) state.state[state.state.size() / 2] ^= 1;
  }
  Watcher other(options);
  const auto status = other.Restore(states);
  EXPECT_EQ(status.code(), Code::kDataLoss) << status.ToString();
  EXPECT_EQ(other.position(), 0U);
  Feed(other, 1, 60, 1000, findings);
  EXPECT_EQ(other.Status().streams.size(), 1U);
}

TEST(StreamMonitors, AStateOfTheOldFormatKeepsItsKeyAndLearnsAnew) {
  const WatcherOptions options;
  behavior::NgramNames names;
  std::deque<signal::Change> changes;
  const SharedContext context{&options, &names, &changes};
  std::string state = StreamMonitors({"shop", "chat", "returns"}, context).Save();
  state[0] = 1;  // the format's number, little-endian
  StreamMonitors old({}, context);
  ASSERT_TRUE(old.Restore(state).ok());
  EXPECT_EQ(old.key().Name(), StreamKey({"shop", "chat", "returns"}).Name());
  EXPECT_EQ(old.Status().state, "learning");
  state[0] = 9;
  EXPECT_EQ(old.Restore(state).code(), Code::kInvalidArgument);
}

TEST(Watcher, StreamsAreBounded) {
  WatcherOptions options;
  options.max_streams = 5;
  Watcher watcher(options);
  for (uint64_t i = 1; i <= 400; ++i) {
    watcher.Consume(Entry(i, {Answer(static_cast<int64_t>(i), "yes", "service-" + std::to_string(i))}));
  }
  watcher.Flush();
  EXPECT_LE(watcher.Status().streams.size(), 5U + 16U + 1U);
  EXPECT_EQ(watcher.Status().generations, 400U);
  EXPECT_EQ(watcher.Status().overflow_generations, 395U);
}

TEST(Watcher, SaysThatItLearns) {
  Watcher watcher({});
  std::vector<Finding> findings;
  Feed(watcher, 1, 121, 1000, findings);
  watcher.Flush();
  EXPECT_EQ(watcher.Status().streams[0].words, "learning, 120 of 400");
}

TEST(TraceAssembler, WaitsForSiblingsInEventTime) {
  TraceAssembler assembler(Duration::Seconds(5), 100);
  auto g = Answer(0, "I have refunded it.");
  g.trace_id = "trace";
  assembler.Add(g);
  EXPECT_TRUE(assembler.Release(false).empty());
  signal::ToolExecution tool;
  tool.trace_id = "trace";
  tool.name = "refund";
  tool.time = g.time + Duration::Seconds(2);
  assembler.Add(tool);
  EXPECT_TRUE(assembler.Release(false).empty());
  assembler.Add(Answer(6, "later"));
  const auto released = assembler.Release(false);
  ASSERT_EQ(released.size(), 1U);
  ASSERT_EQ(released[0].generation.tool_calls.size(), 1U);
  EXPECT_EQ(released[0].generation.tool_calls[0].name, "refund");
}

TEST(TraceAssembler, TheMachinesTimeReleasesWhenTrafficPauses) {
  TraceAssembler assembler(Duration::Seconds(5), 100);
  assembler.Tick({1'000'000'000'000});
  assembler.Add(Answer(0, "x"));
  assembler.Tick({1'004'000'000'000});
  EXPECT_TRUE(assembler.Release(false).empty());
  assembler.Tick({1'005'000'000'000});
  EXPECT_EQ(assembler.Release(false).size(), 1U);
}

TEST(ModelInventory, KnowsAliasesFromOtherModels) {
  EXPECT_TRUE(SameModel("gpt-4o", "gpt-4o-2024-08-06"));
  EXPECT_TRUE(SameModel("gpt-3.5-turbo", "gpt-3.5-turbo-0613"));
  EXPECT_TRUE(SameModel("openai/gpt-4o", "gpt-4o"));
  EXPECT_TRUE(SameModel("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"));
  EXPECT_FALSE(SameModel("gpt-4o", "gpt-4o-mini"));
  EXPECT_FALSE(SameModel("gpt-4o", "gpt-4o-mini-2024-07-18"));
  EXPECT_FALSE(SameModel("gpt-4", "gpt-4o"));
}

}  // namespace
}  // namespace tocsin::detect
