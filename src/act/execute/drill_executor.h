// DrillExecutor: "drill.hold" does nothing until it is stopped, and remembers when that was. For measuring
// the kill switch. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "act/execute/executor.h"
#include "ports/clock.h"

namespace tocsin::act {

class DrillExecutor final : public Executor {
 public:
  explicit DrillExecutor(const ports::Clock& clock) : clock_(clock) {}
  std::vector<ActionSpec> Actions() const override;
  Status Check(const ExecutorCall& call) const override;
  Result<Preview> Look(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Run(const ExecutorCall& call, std::stop_token stop) override;
  Receipt Recover(const ExecutorCall& call, std::stop_token stop) override;

  // Of the run whose id begins the keys.
  int holding(const std::string& run) const;
  std::vector<Time> TakeEnds(const std::string& run);  // monotonic times; forgotten then

 private:
  const ports::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, int> holding_;
  std::map<std::string, std::vector<Time>> ends_;
};

}  // namespace tocsin::act
