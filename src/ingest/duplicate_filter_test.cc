#include "ingest/duplicate_filter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

namespace tocsin::ingest {
namespace {

std::string Name(int i) { return "span" + std::to_string(i); }

TEST(DuplicateFilter, KnowsAtLeastItsCapacityAndForgetsInTheEnd) {
  constexpr int kCapacity = 20'000;
  DuplicateFilter filter(kCapacity);
  const size_t memory = filter.memory_bytes();
  for (int i = 0; i < 10 * kCapacity; ++i) ASSERT_TRUE(filter.Insert("t", Name(i)));
  int known = 0;
  // Shards fill unevenly by chance: a twentieth less than the capacity is sure.
  for (int i = 10 * kCapacity - kCapacity * 19 / 20; i < 10 * kCapacity; ++i)
    known += filter.Insert("t", Name(i)) ? 0 : 1;
  EXPECT_EQ(known, kCapacity * 19 / 20);
  EXPECT_TRUE(filter.Insert("t", Name(0)));
  EXPECT_EQ(filter.memory_bytes(), memory);
}

TEST(DuplicateFilter, ForgottenIdsAreNewAgain) {
  DuplicateFilter filter(1000);
  for (int i = 0; i < 300; ++i) filter.Seed("t", Name(i));
  for (int i = 0; i < 300; i += 2) filter.Forget("t", Name(i));
  for (int i = 0; i < 300; ++i) EXPECT_EQ(filter.Insert("t", Name(i)), i % 2 == 0) << i;
}

signal::Batch BatchOf(std::initializer_list<int> spans) {
  signal::Batch batch;
  for (const int i : spans) {
    batch.spans.emplace_back().span_id = Name(i);
    batch.generations.emplace_back().span_id = Name(i);
    batch.evaluations.emplace_back().span_id = Name(i);
  }
  batch.logs.emplace_back();
  return batch;
}

TEST(DuplicateFilter, ARetriedBatchLosesWhatWasSeen) {
  DuplicateFilter filter(1000);
  auto first = BatchOf({1, 2, 3});
  EXPECT_EQ(filter.RemoveSeen(first), 0u);
  auto retry = BatchOf({2, 3, 4});
  EXPECT_EQ(filter.RemoveSeen(retry), 2u);
  ASSERT_EQ(retry.spans.size(), 1u);
  ASSERT_EQ(retry.generations.size(), 1u);
  EXPECT_EQ(retry.generations[0].span_id, Name(4));
  EXPECT_EQ(retry.evaluations.size(), 1u);
  EXPECT_EQ(retry.logs.size(), 1u);
  filter.Forget(retry);
  auto again = BatchOf({4});
  EXPECT_EQ(filter.RemoveSeen(again), 0u);
}

TEST(DuplicateFilter, TheSameSpanTwiceInOneBatchStaysOnce) {
  DuplicateFilter filter(1000);
  auto batch = BatchOf({7, 7, 8});
  EXPECT_EQ(filter.RemoveSeen(batch), 1u);
  EXPECT_EQ(batch.spans.size(), 2u);
  EXPECT_EQ(batch.generations.size(), 2u);
}

TEST(DuplicateFilter, EachIdIsNewToOneThreadOnly) {
  DuplicateFilter filter(100'000);
  std::atomic<int> fresh = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) fresh += filter.Insert("t", Name(i)) ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(fresh, 20'000);
}

}  // namespace
}  // namespace tocsin::ingest
