// PairMonitor: has behaviour changed against the reference period? The reusable core of
// every learned monitor: live service, evaluation, canaries.
//
// Each live generation is paired with a fresh reference generation of the same stratum. Several
// learners, each trained on earlier pairs only, score both; the payoffs are bet on; the wealths
// are summed over start times and averaged over learners (an e-detector). Alarm at M >= 1/alpha.
//
// Guarantee. Let F_{t-1} hold everything seen up to pair t-1. If behaviour has not changed, the two
// generations of pair t are exchangeable given F_{t-1} and their common stratum: both are draws of one
// law, the reference one was never looked at, and it was picked by the seed and the stratum alone.
// Every learner's stake is F_{t-1}-measurable and antisymmetric in the pair, so each factor
// has conditional mean 1, M_t - t is a supermartingale, and E[generations to a false alarm] >= 1/alpha
// by optional stopping (Shin, Ramdas, Rinaldo 2022), for any distribution, looking at every step.
// What it needs: independent generations given the stratum. A traffic mix that drifts WITHIN strata
// breaks that; see mix_watch.h for telling it apart.
//
// Reference exhausted: a reference generation bets once. When a stratum has none left, a live
// generation of that stratum is skipped (a bet of nothing, which keeps the guarantee) and counted;
// `needs_reference()` asks the caller to AddReference() with generations that were never paired (another
// day of the reference period, or live traffic set aside unpaired before it). Reusing paired
// ones would void the guarantee, because the learners have seen their labels.
//
// After an alarm: latched. Observe() goes on counting but bets no more until Rebase().
//
// Ownership: holds copies of features. Not thread-safe: one owner. Deterministic for a seed and an
// input order. Memory: O(unused reference + kept pairs + learners), bounded. ~30 us a generation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "behavior/generation_features.h"
#include "kernel/status.h"

namespace tocsin::detect {

struct PairMonitorOptions {
  double alpha = 1e-3;            // false alarms are at least 1/alpha generations apart on average
  uint64_t seed = 1;              // order in which references are used
  bool match_strata = true;       // pair within (segment, prompt stratum)
  size_t max_reference = 20'000;  // unused ones kept; the rest is refused
  size_t kept_pairs = 512;        // for words, exemplars and the onset
};

struct MonitorItem {
  uint64_t id = 0;       // the caller's, e.g. row of the generation; returned in evidence
  uint32_t segment = 0;  // the caller's stratum (dataset, tenant, feature), 0 if none
  behavior::GenerationFeatures features;
};

enum class ObserveOutcome : uint8_t {
  kPaired,       // bet
  kNoReference,  // no unused reference in this stratum: skipped
  kAlarm,        // this generation raised the alarm (returned once)
  kLatched,      // alarm raised earlier, not rebased yet
};

// One thing that separates live from reference, in words.
struct ChangeInWords {
  std::string feature;          // "length.chars" or the n-gram itself
  std::string words;            // "answers are longer", "“as an ai” more often"
  double weight = 0.0;          // share of the learner's decision, signed: + is more in live
  double reference_mean = 0.0;  // over the kept pairs since the onset
  double live_mean = 0.0;
};

struct Onset {
  uint64_t live_index = 0;     // index of the first changed live generation (0 = first observed)
  uint64_t low = 0, high = 0;  // 90 % interval by resampled pairs
  uint64_t id = 0;             // caller's id of that generation
  bool known = false;          // false if too few pairs are kept
};

struct MonitorState {
  uint64_t observed = 0;  // live generations seen since the last rebase
  uint64_t paired = 0;
  uint64_t skipped = 0;
  size_t reference_left = 0;
  double log_e_value = 0.0;  // log M_t, now
  double max_log_e_value = 0.0;
  double run_length_guarantee = 0.0;  // 1/alpha, generations
  bool alarmed = false;
  uint64_t alarm_index = 0;     // live index of the alarm
  std::string leading_learner;  // the one with most wealth
};

class PairMonitor {
 public:
  explicit PairMonitor(const PairMonitorOptions& options);
  ~PairMonitor();
  PairMonitor(PairMonitor&&) noexcept;
  PairMonitor& operator=(PairMonitor&&) noexcept;

  // Adds never-paired reference generations. Returns how many were taken (max_reference).
  size_t AddReference(std::vector<MonitorItem> items);

  // Drops every unused reference generation, then adds these (a new pass, a new day).
  size_t ReplaceReference(std::vector<MonitorItem> items);

  // Observes one live generation. O(features).
  ObserveOutcome Observe(const MonitorItem& live);

  // Raises the bar for the coming generations by `log_factor` >= 0 (0 puts it back): more evidence is asked
  // for while the traffic's mix is itself in doubt, see CautionFromMix in mix_watch.h. It can only delay an
  // alarm, so the guarantee stands.
  void SetCaution(double log_factor);

  // Starts again after an alarm (or at will): drops wealth, learners' memory of the old pairs and
  // the unused reference; the caller then adds the new reference.
  void Rebase();

  MonitorState state() const;
  bool alarmed() const;
  bool needs_reference() const;

  // Largest contributions since the onset, in words, strongest first. `names` (nullable) names n-grams.
  std::vector<ChangeInWords> Explain(const behavior::NgramNames* names, size_t limit = 10) const;

  // When it began, from the kept pairs; interval by `resamples` resampled pairs.
  Onset EstimateOnset(size_t resamples = 200) const;

  // Caller ids of the pairs after the onset that separate most: live first, reference second.
  struct Exemplar {
    uint64_t live_id = 0;
    uint64_t reference_id = 0;
    double score = 0.0;  // how confidently the monitor told them apart, before it was trained on them
  };
  std::vector<Exemplar> Exemplars(size_t limit = 20) const;

  // Everything, to continue elsewhere with the same wealth. Versioned, little-endian, checksummed.
  std::string Save() const;
  // Errors: kInvalidArgument for foreign bytes, kDataLoss for a failed checksum or truncated state.
  static Result<PairMonitor> Restore(std::string_view bytes);

 private:
  struct Impl;
  explicit PairMonitor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::detect
