#include "detect/internal/rank_detector.h"

#include <algorithm>
#include <cmath>

#include "kernel/rng.h"

namespace tocsin::detect {
namespace {

constexpr double kWealthCap = 1e280;
constexpr std::array<double, 4> kLinear{0.1, 0.25, 0.5, 0.9};
struct Rare {
  double threshold, stake;
};
constexpr std::array<Rare, 4> kRare{{{0.2, 0.3}, {0.05, 0.1}, {0.015, 0.05}, {0.004, 0.03}}};

constexpr std::array<double, 2> kPairStakes{0.5, 0.9};
constexpr uint64_t kPairFill = 200;  // first values kept as references
constexpr size_t kPairFloor = 25;    // fewer in a stratum: two of three values are set aside whatever happens
constexpr size_t kPairMost = 512;
constexpr uint64_t kPairBoost = 100;  // after a pair that differs so many values bet, none is set aside

}  // namespace

double BetFactor(size_t index, double p) {
  if (index < kLinear.size()) return 1.0 + kLinear[index] * (1.0 - 2.0 * p);
  const Rare& rare = kRare[index - kLinear.size()];
  return 1.0 - rare.stake + (p <= rare.threshold ? rare.stake / rare.threshold : 0.0);
}

double RankDetector::Add(size_t stratum, size_t bin, double tie) {
  const uint32_t* counts = counts_.data() + stratum * bins_;
  uint64_t above = 0;
  for (size_t b = bin + 1; b < bins_; ++b) above += counts[b];
  const double equal = static_cast<double>(counts[bin]) + 1.0;
  const double p = (static_cast<double>(above) + tie * equal) / (static_cast<double>(totals_[stratum]) + 1.0);
  for (size_t i = 0; i < kBets; ++i) {
    up_[i] = std::min((up_[i] + 1.0) * BetFactor(i, p), kWealthCap);
    down_[i] = std::min((down_[i] + 1.0) * BetFactor(i, 1.0 - p), kWealthCap);
  }
  Learn(stratum, bin);
  return p;
}

// Which values are set aside depends on counts and on earlier pairs alone, so a pair is exchangeable given
// the pairs before it.
void RankDetector::BetOnPair(size_t stratum, bool value) {
  auto& fresh = fresh_[stratum];
  bool keep = count_ <= kPairFill || fresh.empty();
  if (boost_ > 0) --boost_;
  if (!keep && fresh.size() < kPairMost && (boost_ == 0 || fresh.size() < kPairFloor)) {
    turn_ = static_cast<uint8_t>((turn_ + 1) % 3);
    keep = turn_ != 0;
  }
  if (keep) {
    if (fresh.size() < kPairMost) fresh.push_back(value ? 1 : 0);
    return;
  }
  const double difference = (value ? 1.0 : 0.0) - static_cast<double>(fresh.front());
  fresh.pop_front();
  if (difference != 0) boost_ = kPairBoost;
  for (size_t i = 0; i < kPairStakes.size(); ++i) {
    pair_up_[i] = std::min((pair_up_[i] + 1.0) * (1.0 + kPairStakes[i] * difference), kWealthCap);
    pair_down_[i] = std::min((pair_down_[i] + 1.0) * (1.0 - kPairStakes[i] * difference), kWealthCap);
  }
}

void RankDetector::Learn(size_t stratum, size_t bin) {
  ++counts_[stratum * bins_ + bin];
  ++totals_[stratum];
  ++count_;
  if (bins_ == 2) BetOnPair(stratum, bin == 1);
}

double RankDetector::log_e_value(int side) const {
  double sum = 0;
  for (size_t i = 0; i < kBets; ++i) sum += (side >= 0 ? up_[i] : 0.0) + (side <= 0 ? down_[i] : 0.0);
  double value = sum / (side == 0 ? 2.0 * kBets : 1.0 * kBets);
  if (bins_ == 2) {
    double pairs = 0;
    for (size_t i = 0; i < kPairStakes.size(); ++i) {
      pairs += (side >= 0 ? pair_up_[i] : 0.0) + (side <= 0 ? pair_down_[i] : 0.0);
    }
    pairs /= (side == 0 ? 2.0 : 1.0) * static_cast<double>(kPairStakes.size());
    value = std::max(value, pairs) / 2.0;
  }
  return std::log(std::max(value, 1e-300));
}

bool RankDetector::rich(double wealth) const {
  for (size_t i = 0; i < kBets; ++i) {
    if (up_[i] >= wealth || down_[i] >= wealth) return true;
  }
  for (size_t i = 0; i < kPairStakes.size(); ++i) {
    if (pair_up_[i] >= wealth || pair_down_[i] >= wealth) return true;
  }
  return false;
}

std::pair<size_t, bool> RankDetector::Leading() const {
  const auto up = std::ranges::max_element(up_);
  const auto down = std::ranges::max_element(down_);
  if (*up >= *down) return {static_cast<size_t>(up - up_.begin()), true};
  return {static_cast<size_t>(down - down_.begin()), false};
}

bool RankDetector::leans_up() const { return Leading().second; }

double RankDetector::LeadingLogBet(double p) const {
  const auto [index, up] = Leading();
  return std::log(BetFactor(index, up ? p : 1.0 - p));
}

void RankDetector::ResetWealth() {
  up_.fill(0);
  down_.fill(0);
  pair_up_.fill(0);
  pair_down_.fill(0);
}

void RankDetector::Forget() {
  ResetWealth();
  std::ranges::fill(counts_, 0U);
  std::ranges::fill(totals_, 0U);
  for (auto& fresh : fresh_) fresh.clear();
  count_ = 0;
}

void RankDetector::Save(ByteWriter& out) const {
  out.Array(counts_);
  out.Array(totals_);
  out.Put(up_);
  out.Put(down_);
  out.Put(count_);
  if (bins_ != 2) return;
  out.Put(pair_up_);
  out.Put(pair_down_);
  out.Put(turn_);
  out.Put(boost_);
  for (const auto& fresh : fresh_) out.Array(std::vector<uint8_t>(fresh.begin(), fresh.end()));
}

bool RankDetector::Restore(ByteReader& in) {
  const size_t cells = counts_.size();
  const size_t strata = totals_.size();
  in.Array(counts_);
  in.Array(totals_);
  in.Get(up_);
  in.Get(down_);
  in.Get(count_);
  if (bins_ == 2) {
    in.Get(pair_up_);
    in.Get(pair_down_);
    in.Get(turn_);
    in.Get(boost_);
    std::vector<uint8_t> values;
    for (auto& fresh : fresh_) {
      in.Array(values);
      fresh.assign(values.begin(), values.end());
    }
  }
  return in.ok() && counts_.size() == cells && totals_.size() == strata;
}

namespace {

size_t BestStart(std::span<const double> log_bets) {
  double sum = 0;
  double best = -1e300;
  size_t at = 0;
  for (size_t i = log_bets.size(); i-- > 0;) {
    sum += log_bets[i];
    if (sum > best) {
      best = sum;
      at = i;
    }
  }
  return at;
}

}  // namespace

OnsetIndex RestartedPathOnset(std::span<const double> log_bets, uint64_t seed, size_t resamples) {
  OnsetIndex onset;
  const size_t n = log_bets.size();
  if (n < 8) return onset;
  onset.best = BestStart(log_bets);
  onset.known = true;
  Rng rng(seed);
  std::vector<size_t> starts;
  std::vector<double> sample(n);
  const size_t cut = onset.best;
  for (size_t r = 0; r < resamples; ++r) {
    for (size_t i = 0; i < n; ++i) {
      sample[i] = i < cut ? log_bets[rng.Below(cut)] : log_bets[cut + rng.Below(n - cut)];
    }
    starts.push_back(BestStart(sample));
  }
  std::ranges::sort(starts);
  onset.low = std::min(cut, starts[starts.size() / 20]);
  onset.high = std::max(cut, starts[starts.size() - 1 - starts.size() / 20]);
  return onset;
}

}  // namespace tocsin::detect
