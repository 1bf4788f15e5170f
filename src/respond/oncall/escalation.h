// Escalation: how one incident climbs through its policy until a person acknowledges it.
//
// A policy is a list of steps, gone through 1 + repeat times. A step waits `after` from when the step before
// it was carried out (the first from the start of its pass), then pages everybody its targets name at that
// instant. A step that names nobody goes on to the next at once and says so. After the last step the run
// waits `repeat_after`; then the next pass begins, or the policy has ended, which is an event of its own.
//
// The run is a value: the caller stores it after every call that says `changed`, in one transaction with the
// orders if it can, and only then sends. Orders stay in `pending` until Confirm, so that a crash before or
// after sending hands out the same orders again; the key is the same for the same person at the same step,
// and whoever sends drops a key it has seen. A run that was interrupted carries out one overdue step at a
// time.
//
// Clocks: a clock that goes back pages nobody and keeps what was left of the wait. With the wall clock right,
// a run that nobody acknowledges ends within MaxLength(policy) plus the time between calls for each step.
// On top come the time the process was down and, each time a clock goes back, what had passed of the wait
// since the last call (since the run was last stored, when the process was restarted in between). A clock
// that jumps ahead ends the current wait early, never more than that one.
//
// Ownership: value types. Thread-safety: as any value. Errors: refusals carry their reason for the timeline.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/status.h"
#include "kernel/time.h"

namespace tocsin::respond {

struct EscalationTarget {
  std::string kind;  // "person", "schedule"
  std::string name;
  friend bool operator==(const EscalationTarget&, const EscalationTarget&) = default;
};

struct EscalationStep {
  Duration after;
  std::vector<EscalationTarget> targets;
};

struct EscalationPolicy {
  std::string name;
  std::vector<EscalationStep> steps;
  int repeat = 0;  // passes after the first
  Duration repeat_after = Duration::Minutes(5);
  Duration ack_timeout;             // an acknowledgement lasts this long; 0: until resolved
  bool until_acknowledged = false;  // after the end the last step goes on every repeat_after
};

inline constexpr size_t kMaxSteps = 32;
inline constexpr size_t kMaxTargets = 64;
inline constexpr int kMaxRepeat = 20;
inline constexpr Duration kMaxWait = Duration::Hours(24 * 7);

// At least one step with a target each, everything within the bounds; the waits are not negative. Says where:
// "steps[1].targets is empty".
Status CheckPolicy(const EscalationPolicy& policy);
// The longest a run may take to its end when nobody acknowledges: (1 + repeat) × (Σ after + repeat_after).
Duration MaxLength(const EscalationPolicy& policy);

// Who stands behind the names of a policy. Names that are not known have nobody.
struct TargetResolver {
  std::function<std::vector<std::string>(const std::string& schedule, Time at)> on_call;
  std::function<std::vector<std::string>(const std::string& schedule)> members;
};

struct PageOrder {
  std::string key;  // "page/INC-2K7Q/1/0/2/ada"
  std::string incident;
  int64_t run = 1;
  int repeat = 0;  // 0 in the first pass
  int step = 0;    // from 0
  std::string person;
  bool last_step = false;  // nobody comes after this one in the pass
  Time at;
  friend bool operator==(const PageOrder&, const PageOrder&) = default;
};

// For the timeline.
struct EscalationEvent {
  std::string kind;  // "started", "paged", "step_empty", "repeated", "acknowledged", "resolved", "ended",
                     // "clock_back", "snoozed", "unacknowledged", "ack_expired", "reassigned"
  std::string text;
  Time at;
};

struct EscalationOutcome {
  std::vector<PageOrder> orders;  // new ones; they are in `pending` too
  std::vector<EscalationEvent> events;
  bool changed = false;  // the run must be stored

  // What came of the next call on the same run.
  void Add(EscalationOutcome next) {
    orders.insert(orders.end(), next.orders.begin(), next.orders.end());
    events.insert(events.end(), next.events.begin(), next.events.end());
    changed = changed || next.changed;
  }
};

class EscalationRun {
 public:
  // The first order comes from Advance. `run` counts the runs of an incident from 1.
  static EscalationRun Start(std::string incident, int64_t run, const EscalationPolicy& policy, Time now,
                             EscalationOutcome& outcome);
  // kInvalidArgument naming the field; kDataLoss is for the caller to decide.
  static Result<EscalationRun> FromJson(const nlohmann::json& json);
  nlohmann::json ToJson() const;

  EscalationOutcome Advance(Time now, const EscalationPolicy& policy, const TargetResolver& resolver);
  // `run` 0 means this one. Withdraws pages that were not confirmed. kPermissionDenied (a program, or not on
  // the policy), kAlreadyExists (acknowledged by this person), kFailedPrecondition (by another, resolved, or
  // about another run): nothing changes then. Acknowledging after the end is still possible.
  Result<EscalationOutcome> Acknowledge(const std::string& by, bool is_person, int64_t run, Time now,
                                        const EscalationPolicy& policy, const TargetResolver& resolver);
  // Whether this is a person on the policy, or one who was paged. kPermissionDenied.
  Status MayTake(const std::string& by, bool is_person, const EscalationPolicy& policy,
                 const TargetResolver& resolver) const;
  // Takes the incident until then, after which run + 1 begins; from whoever may acknowledge, also when
  // acknowledged by somebody else. kOutOfRange unless within kMaxWait from now.
  Result<EscalationOutcome> Snooze(const std::string& by, bool is_person, Time until, Time now,
                                   const EscalationPolicy& policy, const TargetResolver& resolver);
  // Gives an acknowledgement back: run + 1 begins, so that its pages have keys of their own.
  Result<EscalationOutcome> Unacknowledge(const std::string& by, Time now, const EscalationPolicy& policy);
  // Goes on with another policy as run + 1, whatever the state but "resolved".
  Result<EscalationOutcome> Reassign(const std::string& by, Time now, const EscalationPolicy& to);
  // kAlreadyExists when resolved before.
  Result<EscalationOutcome> Resolve(Time now);
  // The page is in the hands of whoever sends it. False when it was not pending.
  bool Confirm(std::string_view key);
  // The wall clock was put back by this much since it was looked at last: what was left of a wait is kept.
  // Advance finds only jumps to before its own last call.
  void ShiftBack(Duration back);
  // No channel of the person could be reached for this page. When that is so for everybody of a step, the
  // next step need not wait; the wait after the last one stays, so that nothing turns in a circle. True when
  // the next step is due now.
  bool CouldNotTell(std::string_view key, Time now);

  // When Advance has something to do; nothing once resolved, ended, or acknowledged without an end.
  std::optional<Time> NextDeadline() const;
  const std::string& incident() const { return incident_; }
  const std::string& policy() const { return policy_; }
  int64_t run() const { return run_; }
  const std::string& state() const { return state_; }  // "running", "acknowledged", "resolved", "ended"
  const std::string& acknowledged_by() const { return acknowledged_by_; }
  const std::vector<PageOrder>& pending() const { return pending_; }
  const std::vector<std::string>& paged() const { return paged_; }  // everybody, in the order they were paged

 private:
  bool ClockWentBack(Time now, EscalationOutcome& outcome);
  void CarryOut(Time now, const EscalationPolicy& policy, const TargetResolver& resolver,
                EscalationOutcome& outcome);
  bool Page(Time now, const EscalationPolicy& policy, const TargetResolver& resolver,
            EscalationOutcome& outcome);
  void EndPass(Time now, const EscalationPolicy& policy, EscalationOutcome& outcome);
  bool IsTarget(const std::string& person, const EscalationPolicy& policy,
                const TargetResolver& resolver) const;
  void Withdraw(EscalationEvent& event);
  void BeginAgain(Time now, const EscalationPolicy& policy);
  void ExpireAcknowledgement(Time now, const EscalationPolicy& policy, EscalationOutcome& outcome);

  std::string incident_;
  std::string policy_;
  int64_t run_ = 1;
  std::string state_ = "running";
  int repeat_ = 0;
  int step_ = 0;  // the next to carry out; one past the last: the wait at the end of a pass
  Time started_;
  Time seen_;      // the last instant Advance was given
  Time deadline_;  // of the next step, on the clock that showed seen_
  std::string acknowledged_by_;
  Time acknowledged_at_;
  Time wake_;  // when an acknowledgement ends; not known: it does not
  std::vector<std::string> paged_;
  std::vector<std::string> reach_;  // keys of the last step's pages of which we do not know that they failed
  std::vector<PageOrder> pending_;
};

}  // namespace tocsin::respond
