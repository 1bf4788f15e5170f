// ActDesk: what the surfaces ask of acting: runbooks listed and proposed, runs watched, approvals answered,
// the kill switch thrown, the trust record read. The one way in; nothing else starts a step.
//
//   propose ─► plan ─► per step: policy ─► (approval) ─► intent ─► effect ─► receipt ─► effect proven by
//   claim
//
// Everything is an event on the ledger's chain, refusals first of all. Ownership: refers to its sources,
// which must outlive it. Thread-safety: all methods; those that plan, propose or answer read stores: not on
// an I/O thread. Errors: kNotFound, kInvalidArgument (which input), kPermissionDenied (who may not),
// kUnauthenticated, kFailedPrecondition (not in this state; the kill switch is on), kResourceExhausted (too
// many runs).
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "act/access.h"
#include "act/kill/kill_switch.h"
#include "act/run/approval.h"
#include "act/run/run.h"
#include "act/runbook/runbook_library.h"
#include "act/trust/trust_record.h"
#include "kernel/status.h"

namespace tocsin::act {

struct ProposedRun {
  std::string runbook;                               // its id
  std::string incident;                              // "" = none
  nlohmann::json inputs = nlohmann::json::object();  // name → value
  std::vector<std::string>
      from_telemetry;  // inputs a person copied from an incident: untrusted like an agent's
  std::string why;     // one sentence, ≤ 500 bytes: shown to who approves, as the words of whoever proposes
  nlohmann::json evidence =
      nlohmann::json::array();  // claims (docs/formats/claim.md), run before anything is decided
};

struct RunFilter {
  std::string incident, runbook, state;  // "" = any; state "active" = any that is not over
  size_t limit = 100;                    // newest first
};

// What a proposal would do, decided step by step as if it began now. Nothing is written.
struct RunPreview {
  Plan plan;
  struct Step {
    std::string id;
    std::string call;      // one line: the action and its exact parameters
    std::string preview;   // the executor's; "" when it cannot know yet
    std::string decision;  // allow, ask, advise, refuse
    std::vector<std::string> reasons;
  };
  std::vector<Step> steps;
};

// How long the switch took, measured.
struct KillDrill {
  Time at;
  std::string by;
  int steps = 0, cut = 0;  // that ran when it was thrown, and that had ended a minute later
  double p50_ms = 0, p99_ms = 0, max_ms = 0;
};

// As the ledger, the chain and the API have it.
nlohmann::json KillDrillToJson(const KillDrill& drill);

class ActDesk {
 public:
  virtual ~ActDesk() = default;

  // Bearer token to who it is. kUnauthenticated.
  virtual Result<Caller> Authenticate(std::string_view token) const = 0;

  virtual std::shared_ptr<const RunbookLibrary> runbooks() const = 0;
  virtual Result<RunPreview> Look(const ProposedRun& proposal, const Caller& caller) = 0;
  // Begins the run: its first steps are decided at once; the view says what waits for whom.
  virtual Result<RunView> Propose(const ProposedRun& proposal, const Caller& caller) = 0;
  virtual Result<RunView> Run(const std::string& id) const = 0;
  virtual Result<std::vector<RunView>> Runs(const RunFilter& filter) const = 0;
  // No further step begins, what runs is cut off.
  virtual Result<RunView> Stop(const std::string& run, const std::string& reason, const Caller& caller) = 0;
  // The inverses of what was done, last first. A person's.
  virtual Result<RunView> Undo(const std::string& run, const std::string& reason, const Caller& caller) = 0;
  // What a person did, or found, at a manual step or one whose outcome is unknown: "done", "failed",
  // "not_done".
  virtual Result<RunView> Settle(const std::string& run, const std::string& step, const std::string& outcome,
                                 const std::string& note, const Caller& caller) = 0;

  virtual Result<std::vector<Approval>> Approvals(bool open_only) const = 0;
  virtual Result<Approval> FindApproval(const std::string& id) const = 0;
  // A person's, never of whoever proposed it. `seen` is the approval's call hash as it was shown.
  virtual Result<Approval> Answer(const std::string& approval, bool approve, const std::string& seen,
                                  const std::string& reason, const Caller& caller) = 0;

  // Anybody's to engage; a person's to release, with a reason.
  virtual Result<KillState> Kill(const KillScope& scope, const std::string& reason, const Caller& caller) = 0;
  virtual Result<KillState> Release(const KillScope& scope, const std::string& reason,
                                    const Caller& caller) = 0;
  virtual std::vector<KillState> Killed() const = 0;

  // Holds many steps at once, throws the switch for them, and measures how long each took to end. Nothing
  // outside is touched. Stored, and an event. A person's.
  virtual Result<KillDrill> DrillKill(int steps, const Caller& caller) = 0;
  virtual Result<std::vector<KillDrill>> KillDrills() const = 0;  // newest first

  virtual Result<std::vector<TrustRecord>> Trust() const = 0;
  // A person's, with a reason: the one way up.
  virtual Result<TrustRecord> SetTrust(const std::string& agent, const std::string& action_class, Tier tier,
                                       const std::string& reason, const Caller& caller) = 0;
};

}  // namespace tocsin::act
