// ActWorld: an engine over a real ledger and a notebook, in a directory that outlives it, so that a test can
// end it anywhere and open it again. Claims are answered by the test: a claim about service "so/NAME/VALUE"
// is verified when the notebook's last value of NAME is VALUE.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "act/act_settings.h"
#include "act/execute/executor.h"
#include "act/kill/kill_switch.h"
#include "act/run/engine.h"
#include "act/testing/notebook_executor.h"
#include "store/ledger.h"

namespace tocsin::act::testing {

class ActWorld {
 public:
  explicit ActWorld(std::string directory, EngineOptions options = {}, bool start = true);
  ~ActWorld();

  static Plan PlanOf(std::vector<PlanStep> steps, const std::string& runbook = "test");
  // A step that writes `value` under `name`, with an inverse that writes back what was there.
  static PlanStep Write(const std::string& id, const std::string& name, const std::string& value,
                        std::vector<std::string> after = {});
  // The effect is proven when the notebook says so.
  static nlohmann::json Proof(const std::string& name, const std::string& value);

  RunView Begin(Plan plan, const Caller& caller = {"ada", true, "cli"}, const std::string& incident = "");
  // Waits until `is` holds of the run; the view then, or as it is after 10 s.
  RunView Wait(const std::string& id, const std::function<bool(const RunView&)>& is);
  RunView WaitOver(const std::string& id);
  RunView WaitState(const std::string& id, const std::string& step, const std::string& state);
  std::vector<NotebookLine> notebook() const { return ReadNotebook(directory_ + "/notebook"); }
  // Questions that people were told of, in order; one may be there again.
  std::vector<std::string> told() const {
    const std::lock_guard lock(told_mutex_);
    return told_;
  }
  // Events of this kind.
  std::vector<nlohmann::json> Events(const std::string& kind);
  Result<Approval> Answer(const std::string& approval, const Caller& caller, bool approve,
                          const std::string& reason = "");

  const std::string directory_;
  std::shared_ptr<ActSettings> settings;
  std::unique_ptr<store::Ledger> ledger;
  ExecutorDirectory executors;
  NotebookExecutor* notes = nullptr;
  std::unique_ptr<KillSwitch> kill;
  std::shared_ptr<const RunbookLibrary> library;  // null: every step is taken as current
  std::unique_ptr<Engine> engine;

 private:
  mutable std::mutex told_mutex_;
  std::vector<std::string> told_;
};

inline const RunStepView& StepOf(const RunView& run, const std::string& id) {
  for (const RunStepView& step : run.steps) {
    if (step.id == id) return step;
  }
  static const RunStepView kNone;
  return kNone;
}

}  // namespace tocsin::act::testing
