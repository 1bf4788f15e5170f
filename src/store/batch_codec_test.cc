#include "store/batch_codec.h"

#include <gtest/gtest.h>

#include "store/testing/random_batch.h"

namespace tocsin::store {
namespace {

TEST(BatchCodec, EmptyBatch) {
  const auto decoded = DecodeBatch(EncodeBatch({}));
  ASSERT_TRUE(decoded) << decoded.error().ToString();
  EXPECT_TRUE(decoded->empty());
}

TEST(BatchCodec, RandomBatchesComeBackIdentical) {
  Rng rng(1);
  for (int i = 0; i < 300; ++i) {
    const signal::Batch batch = testing::RandomBatch(rng, 6);
    const auto decoded = DecodeBatch(EncodeBatch(batch));
    ASSERT_TRUE(decoded) << decoded.error().ToString();
    ASSERT_EQ(testing::Describe(batch), testing::Describe(*decoded));
  }
}

TEST(BatchCodec, CutBytesAreDataLoss) {
  Rng rng(2);
  const std::string bytes = EncodeBatch(testing::RandomBatch(rng, 3));
  for (size_t n = 0; n < bytes.size(); ++n) {
    const auto decoded = DecodeBatch(std::string_view(bytes).substr(0, n));
    ASSERT_FALSE(decoded) << n;
    ASSERT_EQ(decoded.error().code(), Code::kDataLoss) << n;
  }
  EXPECT_EQ(DecodeBatch(bytes + "x").error().code(), Code::kDataLoss);
}

TEST(BatchCodec, FlippedBytesNeverCrashNorGrow) {
  Rng rng(3);
  const std::string bytes = EncodeBatch(testing::RandomBatch(rng, 3));
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = bytes;
    for (uint64_t flips = 1 + rng.Below(4); flips > 0; --flips) {
      damaged[rng.Below(damaged.size())] = static_cast<char>(rng.Below(256));
    }
    const auto decoded = DecodeBatch(damaged);  // any outcome but a crash; asan watches
    if (decoded) {
      EXPECT_LT(MemoryBytes(*decoded), 200 * damaged.size() + 4096);
    }
  }
}

TEST(BatchCodec, NewerFormatsAreNamedSo) {
  Rng rng(4);
  std::string bytes = EncodeBatch(testing::RandomBatch(rng, 2));
  bytes[0] = 2;
  EXPECT_EQ(DecodeBatch(bytes).error().code(), Code::kFailedPrecondition);
  // Kind 200, and a span with 99 fields.
  const char kind[] = {1, 1, static_cast<char>(200), 1, 0, 0, 0, 0, 0};
  EXPECT_EQ(DecodeBatch({kind, sizeof kind}).error().code(), Code::kFailedPrecondition);
  const char fields[] = {1, 1, 0, 99, 0, 0, 0, 0, 0};
  EXPECT_EQ(DecodeBatch({fields, sizeof fields}).error().code(), Code::kFailedPrecondition);
}

TEST(BatchCodec, HugeCountsDoNotAllocate) {
  // One block of spans that claims 2^60 rows.
  std::string bytes("\x01\x01\x00\x0f", 4);
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(0xff);
  bytes += '\x0f';
  bytes += std::string(64, '\0');
  EXPECT_EQ(DecodeBatch(bytes).error().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace tocsin::store
