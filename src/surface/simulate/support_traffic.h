// SupportTraffic: what a support assistant of a shop says over days, as lines of the format that `tocsin
// replay` reads (docs/formats/replay.md), with one change that nobody announces: after `change_after`
// answers.
//
// The same options give the same bytes. Before the change answers are independent draws of one distribution,
// so a monitor that alarms there is wrong. Thread-safety: none, one owner.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kernel/rng.h"
#include "kernel/status.h"
#include "kernel/time.h"
#include "surface/simulate/support_chat.h"

namespace tocsin::surface {

enum class TrafficChange {
  kNone,
  kModel,        // another model answers under the same name
  kPrompt,       // the prompt asks for brevity; its version moves
  kHallucinate,  // a quarter of the answers name numbers that are nowhere in their context
  kPretend,      // says an action is done without doing it
  kMix,          // other questions, answered as before
};
// "none", "model", "prompt", "hallucinate", "pretend", "mix". kInvalidArgument lists them.
Result<TrafficChange> ParseTrafficChange(std::string_view name);

struct TrafficOptions {
  uint64_t seed = 1;
  TrafficChange change = TrafficChange::kModel;
  uint64_t change_after = 800;  // answers before the change
  Time start;
  Duration every = Duration::Minutes(2);  // mean of the exponential gaps between answers
  std::string service = "support-bot";
};

class SupportTraffic {
 public:
  explicit SupportTraffic(const TrafficOptions& options);
  // One answer as a JSON object, without a newline.
  std::string NextLine();

 private:
  const Topic& DrawTopic(bool shifted);
  void Advance();

  TrafficOptions options_;
  Voice before_, after_;
  Rng rng_;
  uint64_t index_ = 0;
  Time now_;
};

}  // namespace tocsin::surface
