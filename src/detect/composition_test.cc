// Composition: mix against behaviour, on synthetic records.
#include "detect/internal/composition.h"

#include <gtest/gtest.h>

#include "kernel/rng.h"

namespace tocsin::detect {
namespace {

// Questions of two kinds with an answer length of their own.
std::vector<Record> Make(uint64_t seed, size_t n, double share_b, double longer) {
  Rng rng(seed);
  std::vector<Record> out;
  for (size_t i = 0; i < n; ++i) {
    Record r;
    const bool b = rng.Uniform() < share_b;
    r.prompt_sketch =
        SketchText(b ? "reset password account login mail" : "parcel delivery shipment carrier late");
    for (float& v : r.prompt_sketch) v += static_cast<float>(rng.Uniform() * 0.05);
    r.values.fill(0);
    const double length = (b ? 100 : 300) + 40 * rng.Uniform() + longer;
    At(r.values, Named::kLength) = static_cast<float>(length);
    r.style[0] = static_cast<float>(length / 300);
    r.style[1] = static_cast<float>(rng.Uniform());
    out.push_back(r);
  }
  return out;
}

Composition DecomposeAll(const std::vector<Record>& before, const std::vector<Record>& after, uint64_t seed) {
  RecordSpan a, b;
  for (const auto& r : before) a.push_back(&r);
  for (const auto& r : after) b.push_back(&r);
  return Decompose(a, b, {std::nullopt, seed, 99});
}

TEST(Composition, CallsAMixAMix) {
  int mix = 0, behaviour = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto c = DecomposeAll(Make(seed, 300, 0.2, 0), Make(seed + 1000, 120, 0.7, 0), seed);
    mix += c.verdict == "traffic_mix" ? 1 : 0;
    behaviour += c.verdict == "behaviour" ? 1 : 0;
  }
  EXPECT_GE(mix, 17);
  EXPECT_EQ(behaviour, 0);
}

TEST(Composition, CallsBehaviourBehaviour) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const auto c = DecomposeAll(Make(seed, 300, 0.4, 0), Make(seed + 1000, 120, 0.4, 60), seed);
    EXPECT_TRUE(c.verdict == "behaviour" || c.verdict == "both") << c.verdict;
  }
}

TEST(Composition, PartsAddUpToTheShift) {
  const auto c = DecomposeAll(Make(1, 300, 0.2, 0), Make(2, 200, 0.6, 30), 1);
  ASSERT_FALSE(c.lines.empty());
  const auto& line = c.lines[0];
  EXPECT_EQ(line.metric, "length.chars");
  EXPECT_NEAR(line.mix + line.behaviour, line.after - line.before, 1e-6);
  EXPECT_NEAR(line.behaviour, 30, 8);
  EXPECT_LT(line.mix, -50);
}

TEST(Composition, SaysNothingOfTooLittle) {
  EXPECT_EQ(DecomposeAll(Make(1, 5, 0.2, 0), Make(2, 5, 0.6, 30), 1).verdict, "unknown");
}

}  // namespace
}  // namespace tocsin::detect
