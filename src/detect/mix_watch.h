// MixWatch: has the traffic's mix changed? The counterpart of PairMonitor, on prompts instead of answers.
//
// Each live prompt is paired with a fresh reference prompt, unmatched; the bets are those of
// stats::DiscriminantBank on prompt features, stratum and segment. If the mix has not changed, pairs are
// exchangeable and false reports are at least 1/alpha generations apart on average. A report here and none
// from the PairMonitor, which compares within strata, means: the traffic changed, not the behaviour. It is
// information, never a page.
//
// Reference prompts are used once; when none is left the watch stops betting until more are added.
// Not thread-safe. Deterministic for a seed and an input order. Memory: 140 bytes a reference prompt.
// O(32^2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "behavior/style_features.h"
#include "kernel/rng.h"
#include "stats/discriminant_bank.h"
#include "stats/state_codec.h"

namespace tocsin::detect {

struct MixItem {
  behavior::PromptVector prompt{};
  uint32_t stratum = 0;  // behavior::PromptStratum
  uint32_t segment = 0;
};

struct MixShare {
  uint32_t segment = 0, stratum = 0;
  double reference_share = 0.0, live_share = 0.0;
};

class MixWatch {
 public:
  explicit MixWatch(double alpha, uint64_t seed);

  void AddReference(std::vector<MixItem> items);
  // Drops unused reference prompts first.
  void ReplaceReference(std::vector<MixItem> items);
  // True exactly once, when the mix is reported as changed.
  bool Observe(const MixItem& live);

  bool reported() const { return reported_; }
  double log_e_value() const { return bank_.log_e_value(); }
  uint64_t reported_at() const { return reported_at_; }  // live index
  uint64_t observed() const { return observed_; }
  // Cells by how much their share moved, largest first; live shares over the generations since the change
  // began.
  std::vector<MixShare> Shares(size_t limit = 10) const;

  void Save(stats::StateWriter& out) const;
  bool Restore(stats::StateReader& in);

 private:
  static constexpr size_t kDim = behavior::kPromptCount + 16;
  static constexpr size_t kKeptCells = 512;

  void Learn(const MixItem& item);
  std::vector<double> Map(const MixItem& item) const;
  static uint64_t Cell(const MixItem& item) { return (uint64_t{item.segment} << 8U) | item.stratum; }

  double alpha_;
  Rng rng_;
  stats::DiscriminantBank bank_;
  std::vector<MixItem> unused_;
  std::vector<double> mean_, squares_;
  double learnt_ = 0.0;
  std::map<uint64_t, uint64_t> reference_cells_;
  std::vector<uint64_t> live_cells_;  // the last kKeptCells, oldest first
  uint64_t observed_ = 0, reported_at_ = 0;
  bool reported_ = false;
};

// How much more evidence of changed behaviour to ask for, in logs, given the mix watch's evidence: 0 while
// the mix looks unchanged, log 20 once its change is certain. Within-stratum drift, which matching cannot
// undo, is then unlikely to pass for behaviour; a real change passes a little later.
double CautionFromMix(double log_e_value_of_mix);

}  // namespace tocsin::detect
