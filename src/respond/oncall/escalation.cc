#include "respond/oncall/escalation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tocsin::respond {
namespace {

// Shorter steps back are how clocks are kept right; they are followed but not told.
constexpr Duration kToldClockStep = Duration::Minutes(1);

std::string KeyPart(std::string_view text) {
  static constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.@";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

Status Wrong(std::string what) { return Status(Code::kInvalidArgument, std::move(what)); }

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// Everybody the step names now, each once, in the order of its targets.
std::vector<std::string> PeopleOf(const EscalationStep& step, const TargetResolver& resolver, Time now) {
  std::vector<std::string> out;
  const auto add = [&](const std::string& person) {
    if (!person.empty() && !Contains(out, person)) out.push_back(person);
  };
  for (const auto& target : step.targets) {
    if (target.kind == "person") {
      add(target.name);
    } else if (resolver.on_call) {
      for (const auto& person : resolver.on_call(target.name, now)) add(person);
    }
  }
  return out;
}

std::string StepName(int step, int repeat) {
  return repeat == 0 ? fmt::format("step {}", step + 1)
                     : fmt::format("step {}, pass {}", step + 1, repeat + 1);
}

}  // namespace

Status CheckPolicy(const EscalationPolicy& policy) {
  const auto waits = [](Duration d) { return d.ns >= 0 && d <= kMaxWait; };
  if (policy.name.empty()) return Wrong("the policy has no name");
  if (policy.steps.empty()) return Wrong("steps is empty");
  if (policy.steps.size() > kMaxSteps) return Wrong(fmt::format("steps has more than {}", kMaxSteps));
  if (policy.repeat < 0 || policy.repeat > kMaxRepeat)
    return Wrong(fmt::format("repeat is not from 0 to {}", kMaxRepeat));
  if (!waits(policy.repeat_after)) return Wrong("repeat_after is not from 0 to 7 days");
  if (!waits(policy.ack_timeout)) return Wrong("ack_timeout is not from 0 to 7 days");
  if (policy.until_acknowledged && policy.repeat_after < Duration::Minutes(1))
    return Wrong("repeat_after is below 1 minute, with until_acknowledged");
  for (size_t i = 0; i < policy.steps.size(); ++i) {
    const auto& step = policy.steps[i];
    if (!waits(step.after)) return Wrong(fmt::format("steps[{}].after is not from 0 to 7 days", i));
    if (step.targets.empty()) return Wrong(fmt::format("steps[{}].targets is empty", i));
    if (step.targets.size() > kMaxTargets)
      return Wrong(fmt::format("steps[{}].targets has more than {}", i, kMaxTargets));
    for (size_t j = 0; j < step.targets.size(); ++j) {
      const auto& target = step.targets[j];
      if ((target.kind != "person" && target.kind != "schedule") || target.name.empty())
        return Wrong(fmt::format("steps[{}].targets[{}] is neither a person nor a schedule", i, j));
    }
  }
  return Status::Ok();
}

Duration MaxLength(const EscalationPolicy& policy) {
  Duration pass = policy.repeat_after;
  for (const auto& step : policy.steps) pass.ns += step.after.ns;
  return Duration::Nanos(pass.ns * (1 + std::max(policy.repeat, 0)));
}

EscalationRun EscalationRun::Start(std::string incident, int64_t run, const EscalationPolicy& policy,
                                   Time now, EscalationOutcome& outcome) {
  EscalationRun out;
  out.incident_ = std::move(incident);
  out.policy_ = policy.name;
  out.run_ = run;
  out.started_ = now;
  out.seen_ = now;
  out.deadline_ = now + (policy.steps.empty() ? Duration{} : policy.steps.front().after);
  outcome.events.push_back({"started", fmt::format("policy '{}' began", policy.name), now});
  outcome.changed = true;
  return out;
}

std::optional<Time> EscalationRun::NextDeadline() const {
  if (state_ == "acknowledged" && wake_.known()) return wake_;
  if (state_ != "running") return std::nullopt;
  return deadline_;
}

bool EscalationRun::ClockWentBack(Time now, EscalationOutcome& outcome) {
  if (now >= seen_) return false;
  const Duration back = seen_ - now;
  deadline_ = deadline_ - back;
  if (wake_.known()) wake_ = wake_ - back;
  seen_ = now;
  if (back >= kToldClockStep) {
    outcome.events.push_back(
        {"clock_back",
         fmt::format("the clock went back by {}; the wait that was left is kept", FormatDuration(back)),
         now});
    outcome.changed = true;
  }
  return true;
}

EscalationOutcome EscalationRun::Advance(Time now, const EscalationPolicy& policy,
                                         const TargetResolver& resolver) {
  EscalationOutcome outcome;
  const bool waiting = state_ == "acknowledged" && wake_.known();
  if (state_ != "running" && !waiting) return outcome;
  (void)ClockWentBack(now, outcome);
  seen_ = now;
  if (waiting && wake_ <= now) ExpireAcknowledgement(now, policy, outcome);
  while (state_ == "running" && deadline_ <= now) {
    CarryOut(now, policy, resolver, outcome);
    outcome.changed = true;
  }
  return outcome;
}

// A step of the policy, or what comes after the last one. The policy may have been changed since: a step that
// is not there any more is the end of the pass.
void EscalationRun::CarryOut(Time now, const EscalationPolicy& policy, const TargetResolver& resolver,
                             EscalationOutcome& outcome) {
  const int steps = static_cast<int>(policy.steps.size());
  if (step_ >= steps) return EndPass(now, policy, outcome);
  const bool told = Page(now, policy, resolver, outcome);
  ++step_;
  if (step_ == steps)
    deadline_ = now + policy.repeat_after;
  else
    deadline_ = told ? now + policy.steps[static_cast<size_t>(step_)].after : now;
}

bool EscalationRun::Page(Time now, const EscalationPolicy& policy, const TargetResolver& resolver,
                         EscalationOutcome& outcome) {
  const auto& step = policy.steps[static_cast<size_t>(step_)];
  const bool last = step_ + 1 == static_cast<int>(policy.steps.size());
  const auto people = PeopleOf(step, resolver, now);
  if (people.empty()) {
    std::vector<std::string> names;
    for (const auto& target : step.targets) names.push_back(target.name);
    outcome.events.push_back(
        {"step_empty",
         fmt::format("{}: nobody is on call in {}; {}", StepName(step_, repeat_), fmt::join(names, ", "),
                     last ? "it was the last step" : "the next step follows at once"),
         now});
    return false;
  }
  reach_.clear();
  for (const auto& person : people) {
    PageOrder order{
        fmt::format("page/{}/{}/{}/{}/{}", KeyPart(incident_), run_, repeat_, step_, KeyPart(person)),
        incident_,
        run_,
        repeat_,
        step_,
        person,
        last,
        now};
    if (!last) reach_.push_back(order.key);
    outcome.orders.push_back(order);
    pending_.push_back(std::move(order));
    if (!Contains(paged_, person)) paged_.push_back(person);
  }
  outcome.events.push_back(
      {"paged", fmt::format("{}: {}", StepName(step_, repeat_), fmt::join(people, ", ")), now});
  return true;
}

void EscalationRun::EndPass(Time now, const EscalationPolicy& policy, EscalationOutcome& outcome) {
  if (repeat_ < policy.repeat && !policy.steps.empty()) {
    ++repeat_;
    step_ = 0;
    deadline_ = now + policy.steps.front().after;
    outcome.events.push_back(
        {"repeated", fmt::format("nobody acknowledged: pass {} of {} begins", repeat_ + 1, policy.repeat + 1),
         now});
    return;
  }
  const bool goes_on = policy.until_acknowledged && !policy.steps.empty();
  if (repeat_ <= policy.repeat || !goes_on) {
    std::string text =
        paged_.empty() ? fmt::format("policy '{}' has ended: nobody was on call, nobody was told", policy_)
                       : fmt::format("policy '{}' has ended: nobody acknowledged; told were {}", policy_,
                                     fmt::join(paged_, ", "));
    if (goes_on) text += "; its last step goes on until somebody does";
    outcome.events.push_back({"ended", std::move(text), now});
  }
  if (!goes_on) {
    state_ = "ended";
    return;
  }
  ++repeat_;
  step_ = static_cast<int>(policy.steps.size()) - 1;
  deadline_ = now;
}

bool EscalationRun::IsTarget(const std::string& person, const EscalationPolicy& policy,
                             const TargetResolver& resolver) const {
  if (Contains(paged_, person)) return true;
  for (const auto& step : policy.steps) {
    for (const auto& target : step.targets) {
      if (target.kind == "person" && target.name == person) return true;
      if (target.kind == "schedule" && resolver.members && Contains(resolver.members(target.name), person))
        return true;
    }
  }
  return false;
}

void EscalationRun::Withdraw(EscalationEvent& event) {
  if (pending_.empty()) return;
  std::vector<std::string> people;
  for (const auto& order : pending_) people.push_back(order.person);
  event.text += fmt::format("; withdrawn before they were sent: pages to {}", fmt::join(people, ", "));
  pending_.clear();
}

Result<EscalationOutcome> EscalationRun::Acknowledge(const std::string& by, bool is_person, int64_t run,
                                                     Time now, const EscalationPolicy& policy,
                                                     const TargetResolver& resolver) {
  TOCSIN_RETURN_IF_ERROR(MayTake(by, is_person, policy, resolver));
  if (run != 0 && run != run_) {
    return Error(
        Code::kFailedPrecondition,
        fmt::format("the acknowledgement is for run {} of {}; run {} is under way", run, incident_, run_));
  }
  if (state_ == "resolved") return Error(Code::kFailedPrecondition, incident_ + " is resolved");
  if (state_ == "acknowledged") {
    return Error(acknowledged_by_ == by ? Code::kAlreadyExists : Code::kFailedPrecondition,
                 fmt::format("{} is already acknowledged by {} since {}", incident_, acknowledged_by_,
                             FormatTime(acknowledged_at_)));
  }
  state_ = "acknowledged";
  acknowledged_by_ = by;
  acknowledged_at_ = now;
  seen_ = now;
  wake_ = policy.ack_timeout.ns > 0 ? now + policy.ack_timeout : Time{};
  EscalationOutcome outcome;
  EscalationEvent event{"acknowledged", fmt::format("by {}", by), now};
  Withdraw(event);
  outcome.events.push_back(std::move(event));
  outcome.changed = true;
  return outcome;
}

Result<EscalationOutcome> EscalationRun::Resolve(Time now) {
  if (state_ == "resolved") return Error(Code::kAlreadyExists, incident_ + " is already resolved");
  state_ = "resolved";
  EscalationOutcome outcome;
  EscalationEvent event{"resolved", "paging is over", now};
  Withdraw(event);
  outcome.events.push_back(std::move(event));
  outcome.changed = true;
  return outcome;
}

void EscalationRun::ShiftBack(Duration back) {
  deadline_ = deadline_ - back;
  if (wake_.known()) wake_ = wake_ - back;
  seen_ = seen_ - back;
}

bool EscalationRun::CouldNotTell(std::string_view key, Time now) {
  if (std::erase(reach_, key) == 0 || !reach_.empty() || state_ != "running") return false;
  deadline_ = std::min(deadline_, now);
  return true;
}

bool EscalationRun::Confirm(std::string_view key) {
  return std::erase_if(pending_, [&](const PageOrder& order) { return order.key == key; }) > 0;
}

}  // namespace tocsin::respond
