#include "act/execute/drill_executor.h"

#include <condition_variable>

namespace tocsin::act {
namespace {
std::string RunOf(const std::string& key) { return key.substr(0, key.find('.')); }
}  // namespace

std::vector<ActionSpec> DrillExecutor::Actions() const {
  ActionSpec hold;
  hold.name = "drill.hold";
  hold.about = "holds until it is stopped; for the drill of the kill switch";
  hold.read_only = true;
  hold.recoverable = true;
  return {hold};
}

Status DrillExecutor::Check(const ExecutorCall& call) const {
  if (!call.with.empty()) return {Code::kInvalidArgument, "drill.hold takes no parameters"};
  return {};
}

Result<Preview> DrillExecutor::Look(const ExecutorCall&, std::stop_token) {
  Preview preview;
  preview.text = "holds until it is stopped";
  return preview;
}

Receipt DrillExecutor::Run(const ExecutorCall& call, std::stop_token stop) {
  const std::string run = RunOf(call.idempotency_key);
  std::mutex waiting;
  std::condition_variable_any wake;
  std::unique_lock lock(waiting);
  {
    const std::lock_guard held(mutex_);
    ++holding_[run];
  }
  wake.wait_for(lock, stop, std::chrono::nanoseconds(call.timeout.ns), [] { return false; });
  const Time now = clock_.Monotonic();
  const std::lock_guard held(mutex_);
  --holding_[run];
  if (!stop.stop_requested()) return {Receipt::Outcome::kFailed, "nobody stopped it", {}, {}};
  ends_[run].push_back(now);
  return {Receipt::Outcome::kNotDone, "stopped", {}, {}};
}

Receipt DrillExecutor::Recover(const ExecutorCall&, std::stop_token) {
  return {Receipt::Outcome::kFailed, "a drill does not outlive the process", {}, {}};
}

int DrillExecutor::holding(const std::string& run) const {
  const std::lock_guard held(mutex_);
  const auto it = holding_.find(run);
  return it == holding_.end() ? 0 : it->second;
}

std::vector<Time> DrillExecutor::TakeEnds(const std::string& run) {
  const std::lock_guard held(mutex_);
  std::vector<Time> ends = std::move(ends_[run]);
  ends_.erase(run);
  holding_.erase(run);
  return ends;
}

}  // namespace tocsin::act
