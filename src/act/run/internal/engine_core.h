// What the parts of the engine share: runs in memory, transitions as one transaction each, and the questions
// that are put to the policy. Thread-safety: as said at each.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "act/run/action_log.h"
#include "act/run/approval_book.h"
#include "act/run/engine.h"
#include "act/run/internal/worker_pool.h"
#include "act/run/step_call.h"

namespace tocsin::act::internal {

// What has left and has not ended; `subject`: what the kill switch is asked about it.
struct RunningEffect {
  std::stop_source stop;
  KillSubject subject;
};

struct ActiveRun {
  std::mutex mutex;  // of all below; never held while waiting for anything but the ledger
  RunState state;
  std::set<std::string> busy;                    // steps a worker has
  std::set<std::string> woken;                   // asking steps whose question was answered
  std::map<std::string, RunningEffect> effects;  // by step
  std::map<std::string, Time> probe_at;          // when to look for the effect again
  std::map<std::string, Time> expires;           // of open questions
  bool stopping = false;                         // no further step begins: StopRun
};
using RunPointer = std::shared_ptr<ActiveRun>;

inline constexpr const char* kBrokenClaim = "broken";

// An event to put on the chain with a transition.
struct RunEvent {
  std::string kind, actor;
  nlohmann::json body = nlohmann::json::object();
};
using Change = std::function<Status(RunState&, std::vector<RunEvent>&, store::LedgerTransaction&)>;

class EngineCore {
 public:
  EngineCore(const EngineSources& from, const EngineOptions& with)
      : sources(from), options(with), pool(static_cast<size_t>(from.settings()->workers)) {}

  // One durable transition; takes the run's mutex. The state is as before when it fails.
  Status Apply(ActiveRun& run, const Change& change);
  // One step's transition, with an event "run.step" that says so.
  Status SetStep(ActiveRun& run, const std::string& step, const std::function<void(StepState&)>& change);
  // Opens an incident by which a person is called, once a run; in the transaction of a transition.
  Status CallPerson(RunState& run, const std::string& what, store::LedgerTransaction& transaction);

  void Boundary(std::string_view name, const std::string& step) const {
    if (options.at_boundary) options.at_boundary(name, step);
  }
  Time Now() const { return sources.clock.Now(); }
  std::optional<signal::Incident> IncidentOf(const RunState& run) const;
  RunState Copy(ActiveRun& run) const;
  // The step's call and its inverse, as the policy is asked about them.
  ActionCall CallOf(const RunState& run, const PlanStep& step, const StepCall& call,
                    const std::optional<CallTemplate>& inverse) const;
  ActionCall UndoCallOf(const RunState& run, const PlanStep& step) const;
  // What the policy is told of a call, but for its history, which the log knows.
  PolicyFacts Facts(const RunState& run, const PlanStep& step, const ActionCall& call) const;
  // Templates resolved and run; the verdict of one that cannot be resolved is kBrokenClaim, with why.
  std::vector<CheckedClaim> CheckTemplates(const std::vector<nlohmann::json>& templates,
                                           const StepContext& context, Time step_began) const;
  void Wake();

  const EngineSources sources;
  const EngineOptions options;
  ActionLog log;
  mutable std::mutex mutex;  // of runs and the targets in use
  std::condition_variable wake;
  bool woken = false;
  std::map<std::string, RunPointer> runs;  // under way
  std::map<Target, std::string> targets;   // in use, by run and step
  std::stop_source stopping;
  WorkerPool pool;  // last: its tasks use all above
};

// Holds the targets of a step while it acts; two steps never act on one target at once.
class TargetHold {
 public:
  TargetHold(EngineCore& core, const std::vector<Target>& targets, const std::string& owner);
  ~TargetHold();
  TargetHold(const TargetHold&) = delete;
  TargetHold& operator=(const TargetHold&) = delete;
  bool held() const { return held_; }
  const std::string& by() const { return by_; }  // who has it, when not held

 private:
  EngineCore& core_;
  std::vector<Target> targets_;
  bool held_ = false;
  std::string by_;
};

// What a worker does with one step. Each takes it as far as it goes without waiting for people or time.
void AdvanceStep(EngineCore& core, const RunPointer& run, const std::string& step);  // waiting, asking
void ProveStep(EngineCore& core, const RunPointer& run, const std::string& step);    // proving
void RecoverStep(EngineCore& core, const RunPointer& run, const std::string& step);  // after a crash
// Takes the effect back. `proof`: because it did not come; false: because a person wants it.
void UndoStep(EngineCore& core, const RunPointer& run, const std::string& step, bool proof);

// What follows from a receipt of the step's effect, stored; tried until it is, or the engine stops.
Status StoreReceipt(EngineCore& core, ActiveRun& run, const std::string& step, const Receipt& receipt,
                    bool recovered = false);
// An asking step whose question was answered or has expired: adopted, refused, or asking still.
Status Reconsider(EngineCore& core, const RunPointer& run, const std::string& step);

}  // namespace tocsin::act::internal
