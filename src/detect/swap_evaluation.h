// SwapEvaluation: how soon, and how falsely, would a silent change of model or prompt have been found? The
// arithmetic behind `tocsin eval swap`.
//
// Per shuffle s the prompts common to the three files are permuted by the seed; the first `reference_size`
// are the reference, answered by `reference`; the others are the live stream, the first `change_at` answered
// by `before`, the rest by `after`. Delay = live generations from the change to the alarm, the alarming one
// included. An alarm before the change is false and ends the run.
//
// The null: the same with `before` throughout, for `null_generations` per shuffle. A pass ends when its 805
// (say) prompts do; the next one permutes again and splits reference and live anew. Which of two generations
// is live is then a fresh fair coin given all earlier passes, so pairs stay exchangeable and the guarantee is
// exact for any number of passes. After a false alarm the monitor starts from nothing. Mean run length =
// generations / alarms.
//
// Deterministic for the options and files. Not thread-safe; one call owns its memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "behavior/generation_features.h"
#include "detect/answer_file.h"
#include "detect/pair_monitor.h"
#include "kernel/status.h"

namespace tocsin::detect {

struct SwapOptions {
  size_t reference_size = 400;
  size_t shuffles = 30;
  size_t change_at = 100;
  double alpha = 1e-3;
  uint64_t seed = 1;
  size_t null_generations = 4000;  // per shuffle; 0 skips the null
};

struct SwapResult {
  size_t prompts = 0;  // common to the files
  size_t runs = 0;
  size_t found = 0;
  size_t false_alarms = 0;  // before the change
  size_t missed = 0;
  std::vector<size_t> delays;          // of the found runs, ascending
  std::optional<double> median_delay;  // none found: absent
  std::optional<double> p90_delay;
  uint64_t null_generations = 0;
  uint64_t null_alarms = 0;
  std::optional<double> mean_run_length_null;
  bool mean_run_length_null_is_lower_bound = false;  // no alarm at all: the generations observed
  double skipped_share = 0.0;        // live generations without a fresh reference in their stratum
  std::vector<ChangeInWords> words;  // of the median run
};

// One prompt's answers, features extracted.
struct SwapPrompt {
  std::string segment;
  behavior::GenerationFeatures reference, before, after;
};

// Answers of prompts common to all three, in the order of `reference`.
std::vector<SwapPrompt> JoinAnswers(const std::vector<AnswerRow>& reference,
                                    const std::vector<AnswerRow>& before, const std::vector<AnswerRow>& after,
                                    behavior::NgramNames* names);

// Errors: kInvalidArgument when fewer than reference_size + change_at + 1 prompts are common.
Result<SwapResult> EvaluateSwap(const std::vector<SwapPrompt>& prompts, const SwapOptions& options,
                                const behavior::NgramNames* names, bool is_null);

}  // namespace tocsin::detect
