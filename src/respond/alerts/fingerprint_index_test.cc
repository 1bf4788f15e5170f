// The index against the standard map, with fingerprints that collide as much as they can.
#include "respond/alerts/fingerprint_index.h"

#include <gtest/gtest.h>

#include <random>
#include <unordered_map>

namespace tocsin::respond {
namespace {

TEST(FingerprintIndex, IsAMap) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    FingerprintIndex index;
    std::unordered_map<uint64_t, uint32_t> known;
    const uint64_t spread = seed % 2 == 0 ? ~uint64_t{0} : 0xff000000000000ff;  // few places, long runs
    for (uint32_t i = 0; i < 6000; ++i) {
      const uint64_t fingerprint = random() & spread;
      if (random() % 3 == 0 && !known.empty()) {
        const uint64_t gone = random() % 2 == 0 ? fingerprint : known.begin()->first;
        index.Remove(gone);
        known.erase(gone);
      } else if (known.emplace(fingerprint, i).second) {
        index.Add(fingerprint, i);
      }
      ASSERT_EQ(index.size(), known.size());
    }
    for (const auto& [fingerprint, row] : known) ASSERT_EQ(index.Find(fingerprint), row) << seed;
    for (int i = 0; i < 1000; ++i) {
      const uint64_t other = random();
      ASSERT_EQ(index.Find(other) == FingerprintIndex::kNone, !known.contains(other));
    }
  }
}

}  // namespace
}  // namespace tocsin::respond
