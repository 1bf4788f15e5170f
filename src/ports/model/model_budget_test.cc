#include "ports/model/model_budget.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace tocsin::ports {
namespace {

class HandClock final : public Clock {
 public:
  Time Now() const override { return now; }
  Time Monotonic() const override { return now; }
  Time now{1'000};
};

constexpr ModelPrices kPrices{3.0, 0.3, 15.0};

ModelUsage Usage(int64_t input, int64_t output, int64_t cached = 0) {
  ModelUsage usage;
  usage.input_tokens = input;
  usage.output_tokens = output;
  usage.cached_tokens = cached;
  usage.reported = true;
  return usage;
}

TEST(ModelPrices, PerMillionAndCachedInputIsCheaper) {
  EXPECT_DOUBLE_EQ(kPrices.Cost(Usage(1'000'000, 0)), 3.0);
  EXPECT_DOUBLE_EQ(kPrices.Cost(Usage(1'000'000, 0, 1'000'000)), 0.3);
  EXPECT_DOUBLE_EQ(kPrices.Cost(Usage(0, 200'000)), 3.0);
  EXPECT_DOUBLE_EQ((ModelPrices{3.0, -1, 0}.Cost(Usage(1'000'000, 0, 500'000))), 3.0);
}

TEST(ModelBudget, ACallThatCouldExceedTokensIsRefused) {
  ModelBudget budget({.max_tokens = 1'000});
  const auto first = budget.Reserve(400, 700, kPrices);  // 200 + 700
  ASSERT_TRUE(first) << first.error().ToString();
  EXPECT_EQ(budget.Reserve(400, 700, kPrices).error().code(), Code::kFailedPrecondition)
      << "one is under way";
  budget.Settle(*first, Usage(150, 50), kPrices);
  EXPECT_TRUE(budget.Reserve(200, 700, kPrices));  // 200 spent + 800
  EXPECT_FALSE(budget.Reserve(2, 1, kPrices));
  EXPECT_EQ(budget.Spent().input_tokens, 150);
  EXPECT_EQ(budget.Spent().refused, 2);
  EXPECT_FALSE(budget.Reserve(2, INT64_MAX, kPrices)) << "no overflow";
}

TEST(ModelBudget, MoneyAndTime) {
  HandClock clock;
  ModelBudget budget({.max_usd = 0.02, .max_time = Duration::Seconds(60)}, clock);
  EXPECT_FALSE(budget.Reserve(0, 2'000, kPrices)) << "could cost 0.03";
  const auto call = budget.Reserve(0, 1'000, kPrices);
  ASSERT_TRUE(call);
  budget.SettleAsReserved(*call);
  EXPECT_DOUBLE_EQ(budget.Spent().usd, 0.015);
  const auto next = budget.Reserve(0, 300, kPrices);
  ASSERT_TRUE(next);
  budget.Release(*next);
  EXPECT_DOUBLE_EQ(budget.Spent().usd, 0.015);
  clock.now = clock.now + Duration::Seconds(60);
  EXPECT_EQ(budget.TimeLeft().ns, 0);
  EXPECT_EQ(budget.Reserve(0, 1, kPrices).error().code(), Code::kDeadlineExceeded);
}

TEST(ModelBudget, SharedByThreadsItIsNeverExceeded) {
  ModelBudget budget({.max_tokens = 10'000});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) {
        const auto call = budget.Reserve(20, 15, {});
        if (call) budget.Settle(*call, Usage(10, 15), {});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const ModelSpent spent = budget.Spent();
  EXPECT_LE(spent.input_tokens + spent.output_tokens, 10'000);
  EXPECT_GT(spent.input_tokens + spent.output_tokens, 9'900);
}

}  // namespace
}  // namespace tocsin::ports
