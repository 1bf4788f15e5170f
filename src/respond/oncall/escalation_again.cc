// What follows an acknowledgement: it expires, is given back, is for a while only, or somebody else takes
// over.
#include <fmt/format.h>

#include "respond/oncall/escalation.h"

namespace tocsin::respond {

Status EscalationRun::MayTake(const std::string& by, bool is_person, const EscalationPolicy& policy,
                              const TargetResolver& resolver) const {
  if (!is_person)
    return Status(Code::kPermissionDenied,
                  fmt::format("only a person can acknowledge {}; '{}' is a program", incident_, by));
  if (!IsTarget(by, policy, resolver))
    return Status(
        Code::kPermissionDenied,
        fmt::format("'{}' is not on policy '{}' of {}, so cannot acknowledge it", by, policy_, incident_));
  return Status::Ok();
}

// A run of its own, so that its pages have new keys and late acknowledgements of the old one are refused.
void EscalationRun::BeginAgain(Time now, const EscalationPolicy& policy) {
  ++run_;
  state_ = "running";
  policy_ = policy.name;
  repeat_ = 0;
  step_ = 0;
  started_ = now;
  seen_ = now;
  deadline_ = now + (policy.steps.empty() ? Duration{} : policy.steps.front().after);
  acknowledged_by_.clear();
  acknowledged_at_ = {};
  wake_ = {};
}

void EscalationRun::ExpireAcknowledgement(Time now, const EscalationPolicy& policy,
                                          EscalationOutcome& outcome) {
  outcome.events.push_back({"ack_expired",
                            fmt::format("{} has had it since {}; paging begins again", acknowledged_by_,
                                        FormatTime(acknowledged_at_)),
                            now});
  BeginAgain(now, policy);
  outcome.changed = true;
}

Result<EscalationOutcome> EscalationRun::Snooze(const std::string& by, bool is_person, Time until, Time now,
                                                const EscalationPolicy& policy,
                                                const TargetResolver& resolver) {
  TOCSIN_RETURN_IF_ERROR(MayTake(by, is_person, policy, resolver));
  if (state_ == "resolved") return Error(Code::kFailedPrecondition, incident_ + " is resolved");
  if (until <= now || until - now > kMaxWait)
    return Error(Code::kOutOfRange, fmt::format("{} can be put off for at most 7 days from now", incident_));
  state_ = "acknowledged";
  acknowledged_by_ = by;
  acknowledged_at_ = now;
  seen_ = now;
  wake_ = until;
  EscalationOutcome outcome;
  EscalationEvent event{"snoozed", fmt::format("by {} until {}", by, FormatTime(until)), now};
  Withdraw(event);
  outcome.events.push_back(std::move(event));
  outcome.changed = true;
  return outcome;
}

Result<EscalationOutcome> EscalationRun::Unacknowledge(const std::string& by, Time now,
                                                       const EscalationPolicy& policy) {
  if (state_ != "acknowledged")
    return Error(Code::kFailedPrecondition,
                 fmt::format("{} is not acknowledged: it is {}", incident_, state_));
  EscalationOutcome outcome;
  outcome.events.push_back(
      {"unacknowledged", fmt::format("by {}; it was with {}", by, acknowledged_by_), now});
  BeginAgain(now, policy);
  outcome.changed = true;
  return outcome;
}

Result<EscalationOutcome> EscalationRun::Reassign(const std::string& by, Time now,
                                                  const EscalationPolicy& to) {
  if (state_ == "resolved") return Error(Code::kFailedPrecondition, incident_ + " is resolved");
  EscalationOutcome outcome;
  EscalationEvent event{"reassigned", fmt::format("by {} from policy '{}' to '{}'", by, policy_, to.name),
                        now};
  Withdraw(event);
  outcome.events.push_back(std::move(event));
  BeginAgain(now, to);
  outcome.changed = true;
  return outcome;
}

}  // namespace tocsin::respond
