// RankDetector: has a bounded feature of a stream moved? An e-detector that bets on the rank of each new
// value among all earlier ones.
//
// Value t is ranked, ties broken by chance, among the earlier values of its own stratum: a smoothed
// conformal p-value. While generations of a stratum are exchangeable these are independent and uniform
// (Vovk, Gammerman & Shafer, "Algorithmic Learning in a Random World", 2005; Mondrian taxonomies by
// stratum), so for any bet f with mean 1 on [0,1]
//     M_t = (M_{t-1} + 1) f(p_t)
// is an e-detector (Shin, Ramdas, Rinaldo 2022): alarm at M >= 1/alpha has average run length >= 1/alpha for
// any distribution. No reference is used up, and a value never seen before is strong evidence (its p is at
// most 1/n), which a comparison of pairs cannot give: five hits instead of seventeen for a rare event.
// Bets, each side: linear 1 + l(1-2p) for shifts, and (1-w) + (w/e)[p <= e] for rare values; averaged.
//
// Of a binary feature the rank of a hit fades as hits join the earlier values; so a second e-detector bets on
// the difference to a fresh earlier value of the stratum (pairs of ties cost nothing). Each has half the
// monitor's share: the value given is the larger of the two, halved. Delay from 0.1 % to 4 % after 450
// values: 395 instead of 2,158 (docs/adr/0011).
//
// Values are binned first (64 bins): exact for the binned feature. Not thread-safe. Add is ~60 ns.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "detect/internal/codec.h"
#include "stats/change_point.h"

namespace tocsin::detect {

inline constexpr size_t kBets = 8;

class RankDetector {
 public:
  RankDetector(size_t strata, size_t bins)
      : bins_(bins), counts_(strata * bins, 0), totals_(strata, 0), fresh_(bins == 2 ? strata : 0) {}

  // Ranks, then remembers, a value; `tie` is uniform in [0,1). Returns p: small when the value is high.
  double Add(size_t stratum, size_t bin, double tie);
  // Remembers without betting (the first values of a stream).
  void Learn(size_t stratum, size_t bin);

  // ln of the mean wealth: of both sides, or of one (+1 up, -1 down).
  double log_e_value(int side = 0) const;
  // Is any bet worth this much? Cheap; false means log_e_value is below ln(wealth) for either side.
  bool rich(double wealth) const;
  bool leans_up() const;
  uint64_t count() const { return count_; }
  // ln f(p) of the leading bet, for the onset.
  double LeadingLogBet(double p) const;
  void ResetWealth();
  void Forget();  // wealth and values

  void Save(ByteWriter& out) const;
  bool Restore(ByteReader& in);
  size_t bins() const { return bins_; }

 private:
  void BetOnPair(size_t stratum, bool value);
  std::pair<size_t, bool> Leading() const;  // index of the richest bet, is it an upward one

  size_t bins_;
  std::vector<uint32_t> counts_;  // [stratum][bin]
  std::vector<uint32_t> totals_;
  std::array<double, kBets> up_{};  // wealth
  std::array<double, kBets> down_{};
  uint64_t count_ = 0;
  // Binary features: earlier values never paired, by stratum, oldest first; wealth of the paired bets.
  std::vector<std::deque<uint8_t>> fresh_;
  std::array<double, 2> pair_up_{}, pair_down_{};
  uint8_t turn_ = 0;
  uint64_t boost_ = 0;
};

// The bets themselves: factor of bet `index` at p.
double BetFactor(size_t index, double p);

// Where a change began, from the p-values of the last generations: the start from which betting would have
// earned most, and a 90 % interval by resampling within the two sides (METHODS: restarted log-wealth path).
using stats::OnsetIndex;
OnsetIndex RestartedPathOnset(std::span<const double> log_bets, uint64_t seed, size_t resamples = 100);

}  // namespace tocsin::detect
