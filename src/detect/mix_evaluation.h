// MixEvaluation: does traffic whose mix drifts, behaviour unchanged, raise a behaviour alarm? The arithmetic
// behind `tocsin eval mix`.
//
// Per shuffle the prompts are permuted; the first `reference_size` are the reference. The live stream is
// drawn without replacement from the others: up to `change_at` in the natural mix, then with weights that
// drift over `ramp` generations to exp(+-strength) per segment, which segment grows being shuffled too.
// Answers are `before`'s throughout (or `after`'s from the change on, to see that a real change is still
// found under drift).
//
// Segments are the files' dataset or task. With `hidden`, or with one segment only, the drift is over
// clusters of prompts (k-means on prompt features) that the monitors are not told.
//
// Deterministic for the options and rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "detect/swap_evaluation.h"
#include "kernel/status.h"

namespace tocsin::detect {

struct MixOptions {
  size_t reference_size = 400;
  size_t shuffles = 30;
  size_t change_at = 100;
  size_t ramp = 50;        // generations until the drift is complete
  size_t live_size = 300;  // generations per run, fewer when the prompts run out
  double strength = 2.0;   // log of the largest change of a segment's weight
  double alpha = 1e-3;
  uint64_t seed = 1;
  bool hidden = false;
};

struct MixResult {
  size_t prompts = 0, runs = 0, segments = 0;
  size_t behaviour_alarms = 0;    // runs in which behaviour was reported as changed
  size_t mix_reported = 0;        // runs in which the mix was reported as changed
  size_t mix_reported_early = 0;  // of these, before the drift began
  std::optional<double> median_mix_delay;
  double mean_share_moved = 0.0;  // half the L1 distance of the live mix from the reference's, per run
  double skipped_share = 0.0;
};

Result<MixResult> EvaluateMix(const std::vector<SwapPrompt>& prompts, const MixOptions& options);

}  // namespace tocsin::detect
