// Engine: takes runs from step to step. The one place from which an effect leaves.
//
//   waiting ─► resolved ─► policy ─► looked at ─► policy ─► [asking] ─► intent stored ─► switch looked at
//      ─► effect ─► receipt stored ─► [proving] ─► done            no proof ─► inverse, a person is called
//
// Whatever is stored is what a new process goes on from: an intent without a receipt is asked about
// (Executor::Recover), never sent again blindly; what cannot be known is a person's to settle.
//
// A loop looks at every run (when something happened, else every `look`); what blocks runs on workers, as
// many as ActSettings::workers. Ownership: refers to its sources, which must outlive it; owns its threads.
// Thread-safety: all methods. Errors: kNotFound, kFailedPrecondition (not in this state), kInvalidArgument,
// kPermissionDenied, kResourceExhausted (max_runs), the ledger's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "act/act_desk.h"
#include "act/act_settings.h"
#include "act/execute/executor.h"
#include "act/kill/kill_switch.h"
#include "act/run/approval.h"
#include "act/run/run_state.h"
#include "act/run/step_call.h"
#include "act/runbook/runbook_library.h"
#include "claims/claim.h"
#include "ports/clock.h"
#include "store/ledger.h"

namespace tocsin::act {

// The runbook that only a drill of the switch runs: it is in no library.
inline constexpr const char* kDrillRunbook = "tocsin-drill";

// A claim as it was run.
struct CheckedClaim {
  std::string id, text, verdict, why;  // verdict: verified, refuted, unverifiable; beside: not about it
  bool held() const { return verdict == "verified"; }
};

struct EngineSources {
  store::Ledger& ledger;
  const ports::Clock& clock;
  const ExecutorDirectory& executors;
  KillSwitch& kill;
  std::function<std::shared_ptr<const ActSettings>()> settings;
  std::function<std::shared_ptr<const RunbookLibrary>()> runbooks;
  std::function<std::vector<CheckedClaim>(const std::vector<claims::Claim>&)> check;  // from any thread
  std::function<void()> called;                // a person has been called: an incident was opened
  std::function<void(const Approval&)> asked;  // a question is open: to tell people; must not block long
};

struct EngineOptions {
  Duration look = Duration::Millis(100);
  // For tests that end the process at every boundary: decided, intent, effect, receipt, proved, undo_intent,
  // undo_effect, undo_receipt, ended.
  std::function<void(std::string_view boundary, const std::string& step)> at_boundary;
};

class Engine {
 public:
  // Reads what is under way. Nothing moves before Start.
  static Result<std::unique_ptr<Engine>> Open(const EngineSources& sources,
                                              const EngineOptions& options = {});
  virtual ~Engine() = default;
  virtual void Start() = 0;
  // What runs is asked to stop and is waited for; what waits goes on in the next process.
  virtual void Stop() = 0;

  // Stores the run and begins it.
  virtual Result<RunView> Begin(Plan plan, const ProposedRun& proposal, const Caller& caller,
                                const std::vector<CheckedClaim>& evidence) = 0;
  virtual Result<RunView> View(const std::string& id) const = 0;
  virtual Result<std::vector<RunView>> List(const RunFilter& filter) const = 0;
  virtual Result<RunView> StopRun(const std::string& id, const std::string& reason, const Caller& caller) = 0;
  virtual Result<RunView> Undo(const std::string& id, const std::string& reason, const Caller& caller) = 0;
  virtual Result<RunView> Settle(const std::string& id, const std::string& step, const std::string& outcome,
                                 const std::string& note, const Caller& caller) = 0;
  // An approval was answered.
  virtual void Answered(const Approval& approval) = 0;

  // What the policy says of this call now, with what is known of its targets. Nothing is reserved or stored.
  virtual Decision DecideNow(const RunState& run, const PlanStep& step, const StepCall& call,
                             const std::map<Target, TargetFacts>& targets) const = 0;
  // Effects under way.
  virtual size_t running() const = 0;
};

}  // namespace tocsin::act
