// Recorded answers from a .jsonl or .jsonl.zst file, for evaluations and replays.
//
// Rows, one JSON object a line, any of
//   {prompt_id, dataset, prompt, output}                                  paired model outputs
//   {task, model, prompt_id, prompt, reference, output, latency_s, cost_usd, output_tokens, timestamp}
//   {id?, segment?, model?, prompt, output}                               generic
// `dataset`, `task` and `segment` are the same thing here: the segment. The key that makes two rows answers
// to one prompt is segment + prompt_id (or id), or the prompt text when there is no id.
//
// Errors: kNotFound (no file), kInvalidArgument (a line that is no such row, with its number), kOutOfRange
// (more than max_bytes inflated). Reads the whole file into memory. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernel/status.h"

namespace tocsin::detect {

struct AnswerRow {
  std::string key;
  std::string segment;
  std::string model;
  std::string prompt;
  std::string output;
  double latency_ms;  // NaN when absent, as the two below
  double cost_usd;
  double output_tokens;
};

struct AnswerFileOptions {
  std::string model;    // keep only rows of this model; empty keeps all
  std::string segment;  // keep only rows of this segment; empty keeps all
  size_t max_bytes = size_t{1} << 31U;
};

// Rows in file order, the first of each key kept.
Result<std::vector<AnswerRow>> ReadAnswerFile(const std::string& path, const AnswerFileOptions& options = {});

}  // namespace tocsin::detect
