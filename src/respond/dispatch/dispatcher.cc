#include "respond/dispatch/dispatcher.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "respond/dispatch/act.h"
#include "respond/dispatch/clock_record.h"
#include "respond/dispatch/equip.h"
#include "respond/dispatch/escalation_desk.h"
#include "respond/dispatch/follow_timeline.h"
#include "respond/dispatch/ledger_outbox.h"
#include "respond/dispatch/untold.h"

namespace tocsin::respond {
namespace {

constexpr Duration kClockStep = Duration::Seconds(2);
constexpr auto kWaitForAlerts = std::chrono::seconds(10);

class Running final : public Dispatcher {
 public:
  Running(const DispatcherOptions& options, store::Ledger& ledger, AlertDesk* desk, const ports::Clock& clock)
      : options_(options),
        ledger_(ledger),
        alerts_(desk),
        clock_(clock),
        outbox_(ledger),
        sender_(outbox_, directory_, clock, options.sender),
        incidents_(options.incidents) {}
  ~Running() override { Stop(); }

  Status Open(std::shared_ptr<const DispatchConfig> config) {
    TOCSIN_RETURN_IF_ERROR(incidents_.Restore(ledger_));
    TOCSIN_ASSIGN_OR_RETURN(cursor_, ReadCursor(ledger_));
    TOCSIN_ASSIGN_OR_RETURN(const ClockRecord clock, ReadClock(ledger_));
    looked_ = clock.looked;
    put_back_ = clock.back;
    TOCSIN_RETURN_IF_ERROR(Use(std::move(config)));
    return sender_.Recover();
  }

  void Start() override {
    sender_.Start();
    thread_ = std::thread([this] { Work(); });
  }
  void Stop() override {
    {
      const std::lock_guard lock(wake_mutex_);
      if (stop_) return;
      stop_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    sender_.Stop();
  }
  void Wake() override {
    {
      const std::lock_guard lock(wake_mutex_);
      woken_ = true;
    }
    wake_.notify_all();
  }

  Status Step(Time now) override;
  Result<bool> SendOne() override { return sender_.RunOne(); }
  Status Record(const std::vector<AlertNotification>& notifications, Time now) override {
    const std::lock_guard lock(work_);
    return RecordLocked(notifications, now);
  }
  Result<IncidentView> Act(const IncidentId& id, const IncidentAction& action, const Actor& actor) override;
  Status Ask(const std::string& key, NotificationMessage message) override;
  Status Configure(std::shared_ptr<const DispatchConfig> config) override {
    const std::lock_guard lock(work_);
    TOCSIN_RETURN_IF_ERROR(Use(std::move(config)));
    Wake();
    return {};
  }
  std::shared_ptr<const DispatchConfig> config() const override {
    const std::lock_guard lock(stats_mutex_);
    return config_;
  }
  CallTracker& calls() override { return calls_; }
  DispatcherStats Stats() const override {
    const std::lock_guard lock(stats_mutex_);
    DispatcherStats out = stats_;
    out.sender = sender_.counters();
    return out;
  }

 private:
  Status Use(std::shared_ptr<const DispatchConfig> config);
  Status RecordLocked(const std::vector<AlertNotification>& notifications, Time now);
  Status BeSure();
  Status CheckClock(Time now);
  Status TakeAlerts(Time now);
  Status Follow(Time now);
  Status Escalate(Time now);
  Status HandOn(Time now);
  Status Tidy(Time now);
  void Work();
  Result<bool> AnyDue(const char* collection, Time now);

  const DispatcherOptions options_;
  store::Ledger& ledger_;
  AlertDesk* const alerts_;
  const ports::Clock& clock_;
  NotifierDirectory directory_;
  LedgerOutbox outbox_;
  Sender sender_;

  CallTracker calls_;

  std::mutex work_;  // one look, or one act, at a time; guards what follows
  AlertIncidents incidents_;
  std::shared_ptr<const EscalationDesk> desk_;
  uint64_t cursor_ = 0;
  bool unsure_ = false;
  Time looked_, looked_monotonic_;  // of the last look
  Duration put_back_;               // the wall clock, in all, as made good
  bool look_at_open_ = true;        // a new configuration may page for what is open
  Time closed_, saved_, pruned_;

  mutable std::mutex stats_mutex_;
  std::shared_ptr<const DispatchConfig> config_;
  DispatcherStats stats_;

  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool woken_ = false, stop_ = false;
  std::thread thread_;
};

Status Running::Use(std::shared_ptr<const DispatchConfig> config) {
  TOCSIN_RETURN_IF_ERROR(options_.equip ? options_.equip(*config, directory_)
                                        : EquipDirectory(*config, clock_, directory_));
  desk_ = std::make_shared<const EscalationDesk>(config, sender_.outbox());
  look_at_open_ = true;
  const std::lock_guard lock(stats_mutex_);
  config_ = std::move(config);
  return {};
}

Status Running::RecordLocked(const std::vector<AlertNotification>& notifications, Time now) {
  if (notifications.empty()) return {};
  TOCSIN_RETURN_IF_ERROR(BeSure());
  const Status status = ledger_.Transact([&](store::LedgerTransaction& transaction) {
    return incidents_.Record(transaction, *desk_, notifications, now);
  });
  if (!status.ok()) {
    unsure_ = true;
    return status;
  }
  incidents_.Committed();
  sender_.Wake();
  const std::lock_guard lock(stats_mutex_);
  stats_.notifications += notifications.size();
  return {};
}

// A transaction that failed may have been written all the same: what is known of incidents is read anew.
Status Running::BeSure() {
  if (!unsure_) return {};
  TOCSIN_RETURN_IF_ERROR(incidents_.Restore(ledger_));
  unsure_ = false;
  return {};
}

// Waits are kept as instants of the wall clock. When that is put back they would be longer by as much.
Status Running::CheckClock(Time now) {
  const Time monotonic = clock_.Monotonic();
  Duration back;
  if (looked_.known()) {
    back = looked_ - now;
    if (looked_monotonic_.known()) back.ns += (monotonic - looked_monotonic_).ns;
  }
  if (back >= kClockStep) {
    spdlog::warn("the clock was put back by {}: all waits keep what was left of them", FormatDuration(back));
    const Duration in_all{put_back_.ns + back.ns};
    const Status kept = ledger_.Transact([&](store::LedgerTransaction& transaction) -> Status {
      TOCSIN_ASSIGN_OR_RETURN(const ClockRecord known, ReadClock(transaction));
      if (known.back != put_back_) return {};  // written by the try before this one
      TOCSIN_RETURN_IF_ERROR(desk_->ShiftBack(transaction, back, now));
      TOCSIN_RETURN_IF_ERROR(ShiftOutboxBack(transaction, back));
      return WriteClock(transaction, {now, in_all});
    });
    TOCSIN_RETURN_IF_ERROR(kept);
    put_back_ = in_all;
    if (alerts_ != nullptr) TOCSIN_RETURN_IF_ERROR(alerts_->ShiftBack(back, now));
    closed_ = saved_ = pruned_ = {};
    sender_.Wake();
  }
  if (!looked_monotonic_.known()) {  // the first look of this process
    const Status looked = ledger_.Transact([&](store::LedgerTransaction& transaction) -> Status {
      TOCSIN_RETURN_IF_ERROR(desk_->LookAtAll(transaction, now));
      return ShiftOutboxFromFuture(transaction, now);
    });
    TOCSIN_RETURN_IF_ERROR(looked);
  }
  looked_ = now;
  looked_monotonic_ = monotonic;
  return {};
}

Status Running::TakeAlerts(Time now) {
  if (alerts_ == nullptr) return {};
  TOCSIN_RETURN_IF_ERROR(alerts_->Step(now));
  while (true) {
    const auto due = alerts_->Take(options_.batch);
    if (due.empty()) return {};
    TOCSIN_RETURN_IF_ERROR(RecordLocked(due, now));
    std::vector<std::string> keys;
    for (const auto& notification : due) keys.push_back(notification.key);
    TOCSIN_RETURN_IF_ERROR(alerts_->Told(std::move(keys), now));
    if (due.size() < options_.batch) return {};
  }
}

Status Running::Follow(Time now) {
  if (look_at_open_) {
    TOCSIN_RETURN_IF_ERROR(ledger_.Transact([&](store::LedgerTransaction& transaction) {
      return PageForOpenIncidents(transaction, *desk_, now);
    }));
    look_at_open_ = false;
    sender_.Wake();
  }
  while (true) {
    TOCSIN_ASSIGN_OR_RETURN(const auto any, ledger_.Events("", cursor_, 1));
    if (any.empty()) return {};
    size_t followed = 0;
    TOCSIN_RETURN_IF_ERROR(ledger_.Transact([&](store::LedgerTransaction& transaction) -> Status {
      TOCSIN_ASSIGN_OR_RETURN(followed, FollowTimeline(transaction, *desk_, cursor_, options_.batch, now));
      return {};
    }));
    TOCSIN_ASSIGN_OR_RETURN(cursor_, ReadCursor(ledger_));
    sender_.Wake();
    const std::lock_guard lock(stats_mutex_);
    stats_.events += followed;
  }
}

Result<bool> Running::AnyDue(const char* collection, Time now) {
  store::DocumentFilter filter;
  filter.collection = collection;
  filter.due_until = now;
  filter.limit = 1;
  TOCSIN_ASSIGN_OR_RETURN(const auto due, ledger_.FindDocuments(filter));
  return !due.empty();
}

Status Running::Escalate(Time now) {
  TOCSIN_ASSIGN_OR_RETURN(const bool exhausted, AnyDue("exhausted_steps", now));
  if (exhausted) {
    TOCSIN_RETURN_IF_ERROR(ledger_.Transact([&](store::LedgerTransaction& transaction) -> Status {
      const auto steps = GoOnWithExhausted(transaction, *desk_, now, options_.batch);
      return steps ? Status() : Status(steps.error());
    }));
  }
  for (size_t rounds = 0; rounds < 100; ++rounds) {
    TOCSIN_ASSIGN_OR_RETURN(const bool due, AnyDue("escalations", now));
    if (!due) return {};
    size_t runs = 0;
    TOCSIN_RETURN_IF_ERROR(ledger_.Transact([&](store::LedgerTransaction& transaction) -> Status {
      TOCSIN_ASSIGN_OR_RETURN(runs, desk_->AdvanceDue(transaction, now, options_.batch));
      return {};
    }));
    sender_.Wake();
    const std::lock_guard lock(stats_mutex_);
    stats_.escalations += runs;
  }
  return {};
}

Status Running::HandOn(Time now) {
  if (alerts_ == nullptr) return {};
  TOCSIN_ASSIGN_OR_RETURN(const bool any, AnyDue("channel_alerts", now));
  if (!any) return {};
  TOCSIN_ASSIGN_OR_RETURN(const auto failing, ReadFailingChannels(ledger_, now, options_.batch));
  auto done = std::make_shared<std::promise<Status>>();
  auto durable = done->get_future();
  alerts_->Receive(failing.alerts, now, [done](Status status) { done->set_value(std::move(status)); });
  if (durable.wait_for(kWaitForAlerts) != std::future_status::ready)
    return {Code::kUnavailable, "the alert log does not answer"};
  TOCSIN_RETURN_IF_ERROR(durable.get());
  return ForgetFailingChannels(ledger_, failing);
}

Status Running::Tidy(Time now) {
  if (alerts_ != nullptr && now - closed_ >= options_.close_interval) {
    closed_ = now;
    incidents_.Close(now, [&](uint64_t fingerprint) { return alerts_->Firing(fingerprint, now); });
  }
  if (now - saved_ >= options_.graph_interval) {
    saved_ = now;
    const Status saved = ledger_.Transact([&](store::LedgerTransaction& transaction) -> Status {
      TOCSIN_RETURN_IF_ERROR(WriteClock(transaction, {now, put_back_}));
      return incidents_.SaveGraph(transaction);
    });
    TOCSIN_RETURN_IF_ERROR(saved);
  }
  if (now - pruned_ >= options_.prune_interval) {
    TOCSIN_ASSIGN_OR_RETURN(const size_t looked, outbox_.Prune(now, options_.batch));
    if (looked < options_.batch) pruned_ = now;
  }
  return {};
}

Status Running::Step(Time now) {
  const std::lock_guard lock(work_);
  for (const auto& [caller, callee] : calls_.Take()) incidents_.graph().AddCall(caller, callee);
  // While it is not known how much is left of the waits, none of them ends.
  Status status = CheckClock(now);
  if (!status.ok()) return status;
  // One part that fails does not hold up the others.
  for (const auto part :
       {&Running::TakeAlerts, &Running::Follow, &Running::Escalate, &Running::HandOn, &Running::Tidy}) {
    if (Status one = (this->*part)(now); !one.ok()) status = std::move(one);
  }
  const std::lock_guard stats(stats_mutex_);
  ++stats_.steps;
  stats_.open_clusters = incidents_.open_clusters();
  if (!status.ok()) {
    ++stats_.errors;
    stats_.last_error = status.message();
  }
  return status;
}

Result<IncidentView> Running::Act(const IncidentId& id, const IncidentAction& action, const Actor& actor) {
  const std::lock_guard lock(work_);
  const Time now = clock_.Now();
  TOCSIN_RETURN_IF_ERROR(BeSure());
  Result<IncidentView> acted = Error(Code::kInternal, "not done");
  const Status status = ledger_.Transact([&](store::LedgerTransaction& transaction) -> Status {
    acted = ActOnIncident(transaction, *desk_, incidents_, id, action, actor, now);
    return acted ? Status() : Status(acted.error());
  });
  if (!status.ok()) {
    incidents_.RolledBack();
    // What was refused is surely not written; what was not may be.
    unsure_ = acted.has_value() || incidents_.rearranged();
    if (status.code() == Code::kPermissionDenied)
      TOCSIN_RETURN_IF_ERROR(RecordRefusal(ledger_, id, action, actor, status.message(), now));
    return Error(status);
  }
  incidents_.Committed();
  sender_.Wake();
  Wake();
  return acted;
}

Status Running::Ask(const std::string& key, NotificationMessage message) {
  const std::lock_guard lock(work_);
  const Time now = clock_.Now();
  message.at = now;
  const Status status = ledger_.Transact([&](store::LedgerTransaction& transaction) -> Status {
    std::string person;
    if (!message.incident_id.empty()) {
      TOCSIN_ASSIGN_OR_RETURN(const auto incident, transaction.FindIncident(IncidentId{message.incident_id}));
      if (incident) {
        TOCSIN_ASSIGN_OR_RETURN(const IncidentView view, ReadView(transaction, *incident));
        person = view.acknowledged_by;
        message.severity = view.severity.empty() ? incident->severity : view.severity;
        message.source = incident->service;
      }
    }
    return desk_->Ask(transaction, key, message, desk_->config().incidents.tell, person, now);
  });
  if (status.ok()) sender_.Wake();
  return status;
}

void Running::Work() {
  Time told;
  while (true) {
    {
      std::unique_lock lock(wake_mutex_);
      wake_.wait_for(lock, std::chrono::nanoseconds(options_.interval.ns), [&] { return woken_ || stop_; });
      if (stop_) return;
      woken_ = false;
    }
    const Status status = Step(clock_.Now());
    const Time now = clock_.Monotonic();
    if (status.ok() || (told.known() && now - told < Duration::Seconds(10))) continue;
    told = now;
    spdlog::error("dispatch: {}; trying again", status.message());
  }
}

}  // namespace

Result<std::unique_ptr<Dispatcher>> Dispatcher::Open(const DispatcherOptions& options, store::Ledger& ledger,
                                                     AlertDesk* desk, const ports::Clock& clock,
                                                     std::shared_ptr<const DispatchConfig> config) {
  if (config == nullptr) config = std::make_shared<const DispatchConfig>();
  auto dispatcher = std::make_unique<Running>(options, ledger, desk, clock);
  TOCSIN_RETURN_IF_ERROR(dispatcher->Open(std::move(config)));
  return std::unique_ptr<Dispatcher>(std::move(dispatcher));
}

}  // namespace tocsin::respond
