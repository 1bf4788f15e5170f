// The inside of PairMonitor, shared by its own .cc files only.
#pragma once

#include <array>
#include <deque>
#include <limits>
#include <map>
#include <vector>

#include "detect/pair_monitor.h"
#include "detect/style_space.h"
#include "kernel/rng.h"
#include "stats/discriminant_bank.h"
#include "stats/e_detector.h"
#include "stats/online_logistic.h"

namespace tocsin::detect {

// Shares of the initial wealth: style discriminants, n-gram classifier.
inline constexpr std::array<double, 2> kLearnerWeights = {0.75, 0.25};
inline constexpr size_t kMaxWarmUp = 200;  // reference generations spent on scales and means

struct KeptPair {
  uint64_t live_index = 0;
  MonitorItem live;
  MonitorItem reference;
};

struct PairMonitor::Impl {
  explicit Impl(const PairMonitorOptions& o);
  static stats::DiscriminantOptions BankOptions(const PairMonitorOptions& o);

  uint64_t Key(const MonitorItem& item) const;
  void WarmUp(const MonitorItem& item);
  void Pair(const MonitorItem& live, MonitorItem reference);
  double LogEValue() const;
  bool NgramsLead() const;
  // Of every kept pair, by what the leading learner knows now (for words and onset, never for bets).
  std::vector<double> Margins() const;
  // Position among the kept pairs.
  size_t OnsetPosition(size_t resamples, size_t* low, size_t* high) const;

  PairMonitorOptions options;
  Rng rng;
  std::map<uint64_t, std::deque<MonitorItem>> pools;  // unused reference by stratum, next at the back
  size_t unused = 0;
  StyleSpace space;
  stats::DiscriminantBank bank;
  stats::OnlineLogistic ngrams;
  stats::EDetector ngram_wealth;
  std::deque<KeptPair> kept;
  uint64_t observed = 0, paired = 0, skipped = 0, alarm_index = 0;
  double max_log_e = -std::numeric_limits<double>::infinity();
  double caution = 0.0;  // added to the log of the bar; set by the caller, not stored
  bool alarmed = false;
};

}  // namespace tocsin::detect
