// ReplayPlan: in which order recorded answers are sent, and when each is said to have happened.
// Pure; the same answers, options and now give the same plan. Thread-safe.
//
// Order: files as given. With before_model and after_model, rows of other models are left out, and the swap
// happens at one moment for every task: the rows of each task, the former model's first, are spread evenly
// over the first half of the replay, the latter's over the second half.
// Time of row i: start + i * every. Offset and limit cut the finished plan, so that a replay resumed with the
// same options sends the same rows with the same times and ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "surface/replay/recorded_answer.h"

namespace tocsin::surface {

// What becomes gen_ai.prompt.name. kAuto: the row's prompt_name, else its task.
enum class StreamBy { kAuto, kTask, kDataset, kNone };

struct ReplayOptions {
  std::string service;      // "" = the row's, else "replay"
  std::string prompt_name;  // "" = by stream_by
  StreamBy stream_by = StreamBy::kAuto;
  std::string model;           // requested model of every row; "" = the row's
  std::string reported_model;  // "" = the row's
  // Report the requested model (the first row's throughout, when `model` is empty): a swap is silent.
  bool hide_model = false;
  std::string before_model;
  std::string after_model;
  std::optional<uint64_t> shuffle_seed;  // within each file (and task and model, when swapping)
  uint64_t offset = 0;
  uint64_t limit = 0;             // 0 = all
  std::optional<Time> start;      // of the first row
  std::optional<Duration> every;  // between rows
  std::optional<Duration> span;   // of the whole; instead of every
  bool real_time = false;         // times are those of sending
};

struct PlannedAnswer {
  uint64_t index = 0;  // in the whole plan, from 0
  Time time;           // unknown: the time of sending
  RecordedAnswer answer;
};

enum class ReplayTimes { kSimulated, kRecorded, kSending };

struct ReplayPlan {
  std::vector<PlannedAnswer> answers;  // after offset and limit
  uint64_t total = 0;                  // before
  ReplayTimes times = ReplayTimes::kSimulated;
  Time start, end;  // of the whole plan; unknown when kSending
};

// kInvalidArgument: only one of the two models is named, or no row is left.
Result<ReplayPlan> PlanReplay(std::vector<std::vector<RecordedAnswer>> files, const ReplayOptions& options,
                              Time now);

}  // namespace tocsin::surface
