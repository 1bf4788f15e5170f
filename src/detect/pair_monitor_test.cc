// The learned monitor on a made-up model whose style and words are known exactly.
#include "detect/pair_monitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "behavior/generation_features.h"
#include "detect/mix_watch.h"
#include "kernel/rng.h"

namespace tocsin::detect {
namespace {

using behavior::NgramNames;

// Prompts of two lengths; the answer's length follows the prompt's. `changed` adds an apology and lists.
MonitorItem Make(Rng& rng, uint64_t id, bool changed, NgramNames* names = nullptr) {
  const bool is_long = rng.Below(2) == 1;
  std::string prompt =
      is_long ? "Please write about the history of the harbour town and the people who lived there. "
              : "Where is my parcel?";
  if (is_long) prompt += prompt;
  std::string output = changed && rng.Uniform() < 0.6 ? "I apologize for the delay. " : "";
  const uint64_t sentences = (is_long ? 8 : 2) + rng.Below(4);
  for (uint64_t s = 0; s < sentences; ++s) {
    output += changed && rng.Uniform() < 0.3 ? "\n- item " : "The ";
    for (uint64_t w = rng.Below(8) + 3; w > 0; --w) output += "word" + std::to_string(rng.Below(60)) + " ";
    output += ". ";
  }
  behavior::GenerationInput input;
  input.prompt = prompt;
  input.output = output;
  return {id, 0, behavior::ExtractFeatures(input, names)};
}

std::vector<MonitorItem> MakeMany(Rng& rng, size_t n, NgramNames* names = nullptr) {
  std::vector<MonitorItem> items;
  for (size_t i = 0; i < n; ++i) items.push_back(Make(rng, 1'000'000 + i, false, names));
  return items;
}

TEST(PairMonitor, FindsAChangeNamesItAndDatesIt) {
  Rng rng(51);
  NgramNames names;
  PairMonitor monitor(PairMonitorOptions{});
  monitor.AddReference(MakeMany(rng, 600, &names));
  uint64_t alarm = 0;
  for (uint64_t t = 0; t < 400 && alarm == 0; ++t) {
    if (monitor.Observe(Make(rng, t, t >= 150, &names)) == ObserveOutcome::kAlarm) alarm = t;
  }
  ASSERT_GE(alarm, 150U);
  EXPECT_LE(alarm, 250U);
  const MonitorState state = monitor.state();
  EXPECT_TRUE(state.alarmed);
  EXPECT_EQ(state.alarm_index, alarm);
  EXPECT_EQ(state.run_length_guarantee, 1000.0);

  const auto words = monitor.Explain(&names, 20);
  const bool apology = std::any_of(words.begin(), words.end(), [](const ChangeInWords& c) {
    return c.words == "more apologies" && c.live_mean > c.reference_mean;
  });
  EXPECT_TRUE(apology);
  const Onset onset = monitor.EstimateOnset();
  ASSERT_TRUE(onset.known);
  EXPECT_LE(onset.low, onset.live_index);
  EXPECT_GE(onset.high, onset.live_index);
  EXPECT_NEAR(static_cast<double>(onset.live_index), 150.0, 25.0);
  EXPECT_EQ(onset.id, onset.live_index);
  const auto exemplars = monitor.Exemplars(5);
  ASSERT_EQ(exemplars.size(), 5U);
  EXPECT_GE(exemplars[0].score, exemplars[4].score);
  EXPECT_GE(exemplars[0].reference_id, 1'000'000U);
}

TEST(PairMonitor, LatchesUntilRebased) {
  Rng rng(52);
  PairMonitor monitor(PairMonitorOptions{});
  monitor.AddReference(MakeMany(rng, 400));
  int alarms = 0;
  for (uint64_t t = 0; t < 300; ++t)
    alarms += monitor.Observe(Make(rng, t, true)) == ObserveOutcome::kAlarm ? 1 : 0;
  EXPECT_EQ(alarms, 1);
  EXPECT_EQ(monitor.Observe(Make(rng, 1, true)), ObserveOutcome::kLatched);
  monitor.Rebase();
  EXPECT_FALSE(monitor.alarmed());
  EXPECT_TRUE(monitor.needs_reference());
  EXPECT_EQ(monitor.Observe(Make(rng, 1, true)), ObserveOutcome::kNoReference);
}

TEST(PairMonitor, MeanRunLengthUnderNullIsAtLeastPromised) {
  // Independent generations, fresh reference: the guarantee as stated, at alpha = 1/50 to see many alarms.
  Rng rng(53);
  PairMonitorOptions options;
  options.alpha = 0.02;
  options.kept_pairs = 16;
  uint64_t generations = 0;
  uint64_t alarms = 0;
  while (generations < 12'000) {
    options.seed = rng.Next();
    PairMonitor monitor(options);
    monitor.AddReference(MakeMany(rng, 300));
    for (int t = 0; t < 400; ++t) {
      ++generations;
      if (monitor.needs_reference()) monitor.AddReference(MakeMany(rng, 150));
      if (monitor.Observe(Make(rng, 0, false)) != ObserveOutcome::kAlarm) continue;
      ++alarms;
      break;
    }
  }
  EXPECT_GE(static_cast<double>(generations) / static_cast<double>(std::max<uint64_t>(alarms, 1)),
            0.85 * 50.0);
}

TEST(PairMonitor, RestoredMonitorContinuesToTheDigit) {
  Rng rng(54);
  PairMonitor whole(PairMonitorOptions{});
  whole.AddReference(MakeMany(rng, 300));
  for (uint64_t t = 0; t < 60; ++t) whole.Observe(Make(rng, t, t > 40));
  const std::string bytes = whole.Save();
  Result<PairMonitor> restored = PairMonitor::Restore(bytes);
  ASSERT_TRUE(restored.has_value()) << restored.error().ToString();
  EXPECT_EQ(restored->Save(), bytes);
  for (uint64_t t = 60; t < 150; ++t) {
    const MonitorItem item = Make(rng, t, true);
    EXPECT_EQ(whole.Observe(item), restored->Observe(item));
    EXPECT_EQ(whole.state().log_e_value, restored->state().log_e_value);
  }
  EXPECT_EQ(whole.EstimateOnset().live_index, restored->EstimateOnset().live_index);
}

TEST(PairMonitor, DamagedStateIsRefused) {
  Rng rng(55);
  PairMonitor monitor(PairMonitorOptions{});
  monitor.AddReference(MakeMany(rng, 30));
  const std::string bytes = monitor.Save();
  EXPECT_EQ(PairMonitor::Restore("").error().code(), Code::kInvalidArgument);
  EXPECT_EQ(PairMonitor::Restore(std::string(100, 'x')).error().code(), Code::kInvalidArgument);
  std::string flipped = bytes;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  EXPECT_EQ(PairMonitor::Restore(flipped).error().code(), Code::kDataLoss);
  EXPECT_FALSE(PairMonitor::Restore(std::string_view(bytes).substr(0, bytes.size() - 9)).has_value());
}

TEST(PairMonitor, PairsWithinSegmentsOnly) {
  Rng rng(56);
  PairMonitor monitor(PairMonitorOptions{});
  std::vector<MonitorItem> reference = MakeMany(rng, 200);
  for (MonitorItem& item : reference) item.segment = 1;
  monitor.AddReference(std::move(reference));
  MonitorItem other = Make(rng, 0, false);
  other.segment = 2;
  EXPECT_EQ(monitor.Observe(other), ObserveOutcome::kNoReference);
  other.segment = 1;
  EXPECT_EQ(monitor.Observe(other), ObserveOutcome::kPaired);
  EXPECT_EQ(monitor.state().skipped, 1U);
}

TEST(PairMonitor, CautionOnlyDelays) {
  Rng rng(57);
  PairMonitorOptions options;
  PairMonitor bold(options);
  PairMonitor careful(options);
  const auto reference = MakeMany(rng, 500);
  bold.AddReference(reference);
  careful.AddReference(reference);
  careful.SetCaution(3.0);
  uint64_t first = 0;
  uint64_t second = 0;
  for (uint64_t t = 1; t <= 400; ++t) {
    const MonitorItem item = Make(rng, t, t > 50);
    if (bold.Observe(item) == ObserveOutcome::kAlarm) first = t;
    if (careful.Observe(item) == ObserveOutcome::kAlarm) second = t;
  }
  ASSERT_GT(first, 0U);
  EXPECT_GT(second, first);
}

MixItem Mix(Rng& rng, double long_share) {
  MonitorItem item = Make(rng, 0, false);
  const bool want_long = rng.Uniform() < long_share;
  while ((item.features.prompt[0] > 4.0F) != want_long) item = Make(rng, 0, false);
  return {item.features.prompt, item.features.prompt_stratum, 0};
}

TEST(MixWatch, ReportsADriftingMixAndItsCells) {
  Rng rng(58);
  MixWatch watch(0.001, 1);
  std::vector<MixItem> reference;
  for (int i = 0; i < 600; ++i) reference.push_back(Mix(rng, 0.5));
  watch.AddReference(std::move(reference));
  for (int t = 0; t < 100; ++t) EXPECT_FALSE(watch.Observe(Mix(rng, 0.5)));
  EXPECT_LT(CautionFromMix(watch.log_e_value()), 3.0);
  for (int t = 0; t < 200 && !watch.reported(); ++t) watch.Observe(Mix(rng, 0.95));
  ASSERT_TRUE(watch.reported());
  EXPECT_EQ(CautionFromMix(watch.log_e_value()), 3.0);
  const auto shares = watch.Shares(2);
  ASSERT_FALSE(shares.empty());
  EXPECT_GT(std::abs(shares[0].live_share - shares[0].reference_share), 0.2);
  stats::StateWriter out;
  watch.Save(out);
  const std::string bytes = out.Take();
  stats::StateReader in(bytes);
  MixWatch back(0.001, 9);
  ASSERT_TRUE(back.Restore(in));
  EXPECT_EQ(back.log_e_value(), watch.log_e_value());
}

}  // namespace
}  // namespace tocsin::detect
