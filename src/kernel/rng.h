// Rng: the only source of randomness (xoshiro256**, Blackman & Vigna 2018), seeded, the same on every
// platform. Value type; not thread-safe: one per owner. Not for secrets (OpenSSL's RAND_bytes is, in the
// surface).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace tocsin {

// gcc and clang both have it; -Wpedantic does not.
__extension__ using Uint128 = unsigned __int128;

class Rng {
 public:
  explicit Rng(uint64_t seed) {
    for (auto& word : state_) {  // splitmix64
      seed += 0x9e3779b97f4a7c15ULL;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
      z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
      word = z ^ (z >> 31);
    }
  }
  static Rng FromState(const std::array<uint64_t, 4>& state) {
    Rng rng(0);
    rng.state_ = state;
    return rng;
  }
  const std::array<uint64_t, 4>& state() const { return state_; }

  uint64_t Next() {
    const uint64_t result = Rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = Rotl(state_[3], 45);
    return result;
  }
  // Uniform in [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  // Uniform in [0, n); n > 0 (Lemire 2019).
  uint64_t Below(uint64_t n) {
    auto product = static_cast<Uint128>(Next()) * n;
    if (static_cast<uint64_t>(product) < n) {
      const uint64_t floor = (0 - n) % n;
      while (static_cast<uint64_t>(product) < floor) product = static_cast<Uint128>(Next()) * n;
    }
    return static_cast<uint64_t>(product >> 64);
  }
  template <class Container>
  void Shuffle(Container& c) {
    for (size_t i = c.size(); i > 1; --i) std::swap(c[i - 1], c[Below(i)]);
  }

 private:
  static uint64_t Rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::array<uint64_t, 4> state_{};
};

}  // namespace tocsin
