// The ActDesk over an engine. See act_desk.h.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "act/act_desk.h"
#include "act/act_settings.h"
#include "act/execute/executor.h"
#include "act/kill/kill_switch.h"
#include "act/run/engine.h"
#include "ports/clock.h"
#include "store/ledger.h"

namespace tocsin::act {

struct DeskSources {
  store::Ledger& ledger;
  const ports::Clock& clock;
  std::string
      data_directory;  // where executors keep what they need to recover, and the file KILL is looked for
  std::function<std::vector<CheckedClaim>(const std::vector<claims::Claim>&)> check;
  std::function<void()> called;                // a person was called
  std::function<void(const Approval&)> asked;  // a question is open
};

// The desk of a running server: engine, executors, switch and runbooks.
class RunningDesk : public ActDesk {
 public:
  // Reads runbooks, opens executors and engine. What is wrong with single runbooks is logged.
  static Result<std::unique_ptr<RunningDesk>> Open(const DeskSources& sources, const ActSettings& settings,
                                                   std::unique_ptr<ExecutorDirectory> executors,
                                                   const EngineOptions& options = {});
  virtual void Start() = 0;
  virtual void Close() = 0;  // what runs is stopped and waited for
  // Rules, access, inventory and runbooks from now on; executors stay.
  virtual Status Configure(const ActSettings& settings) = 0;
};

}  // namespace tocsin::act
