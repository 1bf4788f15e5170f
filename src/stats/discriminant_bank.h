// DiscriminantBank: an e-detector whose bets come from regularised linear discriminants, one for each time
// the change may have begun.
//
// For a candidate start k the live vectors since k are one class, everything earlier (all reference vectors
// and the live ones before k) the other. With pooled covariance C (ridge towards the identity) and prior N(0,
// tau C) on the shift, the posterior-mean discriminant of a pair difference d = live - reference is
//     m_k = shrink_k (mu1_k - mu0_k)' C^-1 d,   shrink_k = n tau / (1 + n tau),  1/n = 1/n1 + 1/n0
// and the stake S_k = tanh(m_k / (2 sqrt(1 + pi v_k / 8))), v_k = shrink_k d' C^-1 d / n, the
// probit-moderated posterior predictive (MacKay 1992). All candidates share one solve C^-1 d, so each costs
// O(dim).
//
//     M_t = spacing * sum_k average_lambda prod_{i = k..t} (1 + lambda S_k,i)
//
// Validity: m_k uses vectors of earlier pairs only and is odd in d. If the pair is exchangeable given the
// past, E[S_k,t | past] = 0, each product is a martingale of mean 1, one is started every `spacing` pairs, so
// E[M_tau] <= E[tau] + spacing - 1 at any stopping time: M_t >= 1/alpha + spacing gives an average run length
// of at least 1/alpha (Shin, Ramdas, Rinaldo 2022). log_e_value() is scaled so that the bar is 1/alpha. When
// more than max_starts candidates live, the poorest neighbour bequeaths its wealth to the one beside it: a
// change of strategy by past information, which keeps the martingale.
//
// Why not one online learner: what it learnt before the change is noise, and a pair difference carries twice
// the noise of an item. Using all reference vectors for mu0 and C nearly halves the delay on real model
// swaps.
//
// Value type, not thread-safe, deterministic. Add is O(dim^2 + starts * dim), memory likewise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stats/state_codec.h"

namespace tocsin::stats {

struct DiscriminantOptions {
  double prior_count = 1000.0;  // weight of the identity in C, in vectors
  double tau = 0.015;           // prior variance of the shift, per whitened dimension
  size_t spacing = 10;          // pairs between candidate starts
  size_t max_starts = 48;
  double max_stake = 0.85;  // lambda grid is max_stake * {1, 1/2, 1/4}
  double alpha = 1e-3;      // only scales log_e_value, see above
};

class DiscriminantBank {
 public:
  DiscriminantBank(size_t dim, const DiscriminantOptions& options);

  // A reference vector that will never be paired (warm-up of mu0 and C).
  void AddUnpaired(std::span<const double> reference);
  // Bets on the pair with what is known so far, then learns from it. Values must be finite.
  void AddPair(std::span<const double> live, std::span<const double> reference);

  double log_e_value() const { return log_e_value_; }
  uint64_t pairs() const { return pairs_; }
  // First pair (0-based) of the candidate start with most wealth; 0 before any.
  uint64_t leading_start() const;
  // Discriminant weights of the leading start, in units of the standardised features; empty before any pair.
  std::vector<double> LeadingWeights() const;
  // Means of the leading start's two classes.
  std::vector<double> LeadingShift() const;

  void Save(StateWriter& out) const;
  bool Restore(StateReader& in);

 private:
  static constexpr size_t kLambdas = 3;
  struct Start {
    uint64_t first_pair = 0;
    double count = 0.0;
    std::vector<double> sum;         // of live vectors since
    std::vector<double> log_wealth;  // per lambda
  };
  struct ClassMeans {
    double live_weight = 0.0, rest_weight = 0.0;
  };

  void Bet(std::span<const double> live, std::span<const double> reference);
  void BetOne(Start& start, double all_dot, double spread);
  void Learn(std::span<const double> live, std::span<const double> reference);
  void AddToCovariance(std::span<const double> x);
  void MergePoorest();
  void UpdateEValue();
  double LogWealth(const Start& start) const;
  const Start* Leading() const;
  ClassMeans Weights(const Start& start) const;

  size_t dim_;
  DiscriminantOptions options_;
  std::vector<double> inverse_;  // (prior_count I + sum x x')^-1
  double covariance_count_;
  std::vector<double> reference_sum_;
  double reference_count_ = 0.0;
  std::vector<double> live_sum_;
  double live_count_ = 0.0;
  std::vector<Start> starts_;
  uint64_t pairs_ = 0;
  double log_e_value_;
  std::vector<double> difference_, solved_;  // scratch
};

}  // namespace tocsin::stats
