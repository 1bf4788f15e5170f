#include "respond/notify/sender.h"

#include <algorithm>
#include <chrono>
#include <exception>

namespace tocsin::respond {
namespace {

constexpr Duration kConflictPause = Duration::Millis(20);

}  // namespace

Sender::Sender(OutboxStore& store, const NotifierDirectory& directory, const ports::Clock& clock,
               SenderOptions options)
    : store_(store),
      directory_(directory),
      clock_(clock),
      options_(std::move(options)),
      outbox_(options_.policy, [&directory](const std::string& name) { return directory.TraitsOf(name); }) {}

Sender::~Sender() { Stop(); }

Status Sender::Recover() {
  TOCSIN_ASSIGN_OR_RETURN(const auto unfinished, store_.Sending());
  for (const OutboxItem& item : unfinished) {
    TOCSIN_ASSIGN_OR_RETURN(const auto held, store_.HeldIn(item.key));
    TOCSIN_RETURN_IF_ERROR(store_.Apply(outbox_.Recover(item, held, clock_.Now())));
  }
  return Status::Ok();
}

void Sender::Start() {
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Work(); });
}

void Sender::Wake() {
  {
    const std::lock_guard lock(mutex_);
    ++wakes_;
  }
  wake_.notify_all();
}

void Sender::Stop() {
  stop_ = true;
  Wake();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

SenderCounters Sender::counters() const {
  return {.sent = sent_, .tries_failed = tries_failed_, .store_errors = store_errors_};
}

Result<std::optional<OutboxItem>> Sender::Claim(Time now) {
  const std::lock_guard claiming(claiming_);
  std::optional<OutboxItem> claimed;
  if (unsure_) {
    TOCSIN_ASSIGN_OR_RETURN(const auto stored, store_.Find(unsure_->key));
    if (stored && stored->state == "sending" && stored->attempts == unsure_->attempts) claimed = *stored;
    unsure_.reset();
  }
  if (!claimed) {
    TOCSIN_ASSIGN_OR_RETURN(claimed, ClaimNew(now));
  }
  if (claimed) {
    const std::lock_guard lock(mutex_);
    busy_.insert(claimed->destination());
  }
  return claimed;
}

Result<std::map<std::string, DestinationState>> Sender::StatesOf(const std::vector<OutboxItem>& items) {
  std::map<std::string, DestinationState> states;
  for (const OutboxItem& item : items) {
    const std::string& name = item.destination();
    if (states.contains(name)) continue;
    TOCSIN_ASSIGN_OR_RETURN(auto state, store_.FindDestination(name));
    states[name] = state.value_or(DestinationState{});
    states[name].name = name;
  }
  return states;
}

Result<std::optional<OutboxItem>> Sender::ClaimNew(Time now) {
  std::set<std::string> busy;
  {
    const std::lock_guard lock(mutex_);
    busy = busy_;
  }
  Outbox::Claim claim;
  // More is read when all of a batch waits for destinations that are busy.
  for (size_t limit = std::max<size_t>(options_.batch, 1);; limit *= 4) {
    TOCSIN_ASSIGN_OR_RETURN(const auto due, store_.Due(now, limit));
    TOCSIN_ASSIGN_OR_RETURN(const auto states, StatesOf(due));
    claim = outbox_.ClaimNext(due, states, busy, now);
    if (!claim.changes.empty()) break;
    if (due.size() < limit) return std::optional<OutboxItem>();
  }
  const Status applied = store_.Apply(claim.changes);
  if (applied.ok()) return claim.send;
  if (applied.code() != Code::kFailedPrecondition) unsure_ = claim.send;
  return Error(applied);
}

SendOutcome Sender::Try(const OutboxItem& item) const {
  SendOutcome outcome;
  const auto route = directory_.Find(item.destination());
  if (!route) {
    outcome.status = Status(Code::kNotFound, "there is no destination '" + item.destination() +
                                                 "', or nobody speaks its channel");
    return outcome;
  }
  try {
    return route->notifier->Send(item.message, route->destination);
  } catch (const std::exception&) {
    outcome.status = Status::FromException("sending to " + item.destination());
    outcome.possibly_delivered = true;
    return outcome;
  }
}

Status Sender::SettleOnce(const OutboxItem& item, const SendOutcome& outcome) {
  // Apply may have failed after all was written: then there is nothing left to settle.
  TOCSIN_ASSIGN_OR_RETURN(const auto stored, store_.Find(item.key));
  if (!stored || stored->state != "sending" || stored->attempts != item.attempts) return Status::Ok();
  TOCSIN_ASSIGN_OR_RETURN(const auto held, store_.HeldIn(item.key));
  TOCSIN_ASSIGN_OR_RETURN(const auto state, store_.FindDestination(item.destination()));
  return store_.Apply(
      outbox_.Settle(*stored, held, outcome, state.value_or(DestinationState{}), clock_.Now()));
}

void Sender::SettleForSure(const OutboxItem& item, const SendOutcome& outcome) {
  for (bool first = true;; first = false) {
    const uint64_t seen = wakes();
    const Status status = SettleOnce(item, outcome);
    if (status.ok()) break;
    // It, or a member of its digest, was dropped in the meantime: read again.
    const bool changed = status.code() == Code::kFailedPrecondition;
    if (!changed) Report(status);
    if (stop_ && !first) break;  // stays "sending": Recover judges it
    Sleep(changed ? kConflictPause : options_.store_pause, seen);
  }
  {
    const std::lock_guard lock(mutex_);
    busy_.erase(item.destination());
  }
  Wake();
}

Result<bool> Sender::RunOne() {
  TOCSIN_ASSIGN_OR_RETURN(const auto item, Claim(clock_.Now()));
  if (!item) return false;
  const SendOutcome outcome = Try(*item);
  ++(outcome.ok() ? sent_ : tries_failed_);
  SettleForSure(*item, outcome);
  return true;
}

void Sender::Work() {
  while (!stop_) {
    const uint64_t seen = wakes();
    const auto ran = RunOne();
    if (ran && *ran) continue;
    if (ran) {
      Sleep(UntilNextDue(), seen);
    } else if (ran.error().code() == Code::kFailedPrecondition) {
      Sleep(kConflictPause, seen);  // someone acknowledged while we claimed: read again
    } else {
      Report(ran.error());
      Sleep(options_.store_pause, seen);
    }
  }
}

Duration Sender::UntilNextDue() {
  const auto next = store_.NextDue();
  if (!next || !*next) return options_.poll;
  const Duration wait = **next - clock_.Now();
  // Due, yet it may not go: its destination is busy, and the end of that send wakes us.
  if (wait <= Duration{}) return options_.poll;
  return std::min(wait, options_.poll);
}

uint64_t Sender::wakes() {
  const std::lock_guard lock(mutex_);
  return wakes_;
}

void Sender::Sleep(Duration at_most, uint64_t seen) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, std::chrono::nanoseconds(at_most.ns), [&] { return stop_ || wakes_ != seen; });
}

void Sender::Report(const Status& status) {
  ++store_errors_;
  {
    const std::lock_guard lock(mutex_);
    const Time now = clock_.Monotonic();
    if (reported_.known() && now - reported_ < Duration::Seconds(1)) return;
    reported_ = now;
  }
  if (options_.on_error) options_.on_error(status);
}

}  // namespace tocsin::respond
