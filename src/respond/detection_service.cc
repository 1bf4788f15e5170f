#include "respond/detection_service.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "kernel/id.h"
#include "ports/thread_priority.h"

namespace tocsin::respond {
namespace {

using store::JournalEntry;

constexpr size_t kCatchUp = 64;  // entries read at once
constexpr double kHigh = 0.75;   // of the queue: halve the share kept
constexpr double kLow = 0.25;    // double it again
constexpr double kLeastShare = 1.0 / 1024;
constexpr int64_t kSaveCost = 20;  // saving takes at most one part in so many of the time
constexpr size_t kFollow = 200;    // incidents of changed streams asked about

// The whole traces whose hash falls under `share`, without what the monitors do not read.
std::shared_ptr<const signal::Batch> Sample(const signal::Batch& batch, double share, uint64_t& left_out) {
  auto out = std::make_shared<signal::Batch>();
  const auto kept = [&](const std::string& trace, const std::string& other) {
    const uint64_t hash = StableHash(trace.empty() ? other : trace, 77);
    return static_cast<double>(hash >> 11) * 0x1.0p-53 < share;
  };
  for (const auto& g : batch.generations) {
    if (kept(g.trace_id, g.span_id + g.response_id + std::to_string(g.time.ns))) {
      out->generations.push_back(g);
    } else {
      ++left_out;
    }
  }
  for (const auto& r : batch.retrievals) {
    if (kept(r.trace_id, r.span_id)) out->retrievals.push_back(r);
  }
  for (const auto& t : batch.tool_executions) {
    if (kept(t.trace_id, t.span_id)) out->tool_executions.push_back(t);
  }
  for (const auto& e : batch.evaluations) {
    if (kept(e.trace_id, e.response_id)) out->evaluations.push_back(e);
  }
  for (const auto& f : batch.feedbacks) {
    if (kept(f.trace_id, f.id)) out->feedbacks.push_back(f);
  }
  out->changes = batch.changes;
  return out;
}

class Service final : public DetectionService {
 public:
  Service(const DetectionOptions& options, store::TelemetryStore& telemetry, store::Ledger& ledger,
          const ports::Clock& clock)
      : options_(options),
        telemetry_(telemetry),
        ledger_(ledger),
        clock_(clock),
        watcher_(options.watcher),
        desk_(options.desk) {}

  ~Service() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Status Restore() {
    TOCSIN_ASSIGN_OR_RETURN(const auto states, ledger_.MonitorStates());
    TOCSIN_RETURN_IF_ERROR(watcher_.Restore(states).WithContext("restoring the monitors"));
    stats_.position = stats_.saved_position = watcher_.position();
    status_ = watcher_.Status();
    thread_ = std::thread([this] {
      ports::LowerThreadPriority(ports::kBackgroundNiceness);  // judging may be sampled, taking in may not
      Run();
    });
    return {};
  }

  void Offer(const JournalEntry& entry) override;
  Status Drain() override;
  DetectionStats Stats() const override {
    const std::lock_guard lock(mutex_);
    return stats_;
  }
  detect::WatcherStatus Watching() const override {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  Status Rebaseline(const std::string& stream) override;

 private:
  void Run();
  void CatchUp(uint64_t before);
  void CatchUpIdle();
  void FillGap(uint64_t before);
  void Feed(const JournalEntry& entry);
  void AfterWork(bool force);
  bool Save();
  void FollowClosed();
  void Publish();
  void AdaptShare();

  const DetectionOptions options_;
  store::TelemetryStore& telemetry_;
  store::Ledger& ledger_;
  const ports::Clock& clock_;

  // Of the service's thread.
  detect::Watcher watcher_;
  IncidentDesk desk_;
  std::vector<detect::Finding> pending_;  // found, not yet written
  Time last_save_{}, last_tick_{};
  Duration save_cost_{};
  bool save_due_ = false;
  bool save_all_ = false;

  mutable std::mutex mutex_;
  std::condition_variable wake_, drained_;
  std::deque<JournalEntry> queue_;
  size_t queued_generations_ = 0;
  std::vector<std::string> rebaseline_;
  uint64_t drains_asked_ = 0, drains_done_ = 0;
  uint64_t last_offered_ = 0;
  bool stopping_ = false;
  Status drain_status_;
  DetectionStats stats_;
  detect::WatcherStatus status_;
  std::thread thread_;
};

void Service::AdaptShare() {
  const auto capacity = static_cast<double>(options_.limits.max_detect_queue);
  const auto used = static_cast<double>(queued_generations_);
  if (used > kHigh * capacity) stats_.kept_share = std::max(stats_.kept_share / 2, kLeastShare);
  if (used < kLow * capacity) stats_.kept_share = std::min(stats_.kept_share * 2, 1.0);
}

void Service::Offer(const JournalEntry& entry) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || entry.batch == nullptr || entry.position <= last_offered_) return;
  last_offered_ = entry.position;
  AdaptShare();
  JournalEntry item = entry;
  uint64_t left_out = 0;
  const size_t room =
      options_.limits.max_detect_queue - std::min(options_.limits.max_detect_queue, queued_generations_);
  double share = stats_.kept_share;
  if (entry.batch->generations.size() > room) {
    share = std::min(
        share, static_cast<double>(room) / (2.0 * static_cast<double>(entry.batch->generations.size())));
  }
  if (share < 1) item.batch = Sample(*entry.batch, share, left_out);
  // A share keeps about that many; the queue's bound holds exactly.
  for (; item.batch->generations.size() > room; share = share < kLeastShare ? 0 : share / 2)
    item.batch = Sample(*item.batch, share, left_out);
  stats_.sampled_out += left_out;
  queued_generations_ += item.batch->generations.size();
  stats_.queued_generations = queued_generations_;
  queue_.push_back(std::move(item));
  wake_.notify_one();
}

Status Service::Drain() {
  std::unique_lock lock(mutex_);
  const uint64_t mine = ++drains_asked_;
  wake_.notify_one();
  drained_.wait(lock, [&] { return drains_done_ >= mine; });
  return drain_status_;
}

Status Service::Rebaseline(const std::string& stream) {
  const std::lock_guard lock(mutex_);
  const bool known = std::ranges::any_of(status_.streams, [&](const auto& s) { return s.stream == stream; });
  if (!known) return {Code::kNotFound, "stream " + stream + " is not watched"};
  rebaseline_.push_back(stream);
  wake_.notify_one();
  return {};
}

// Reads what the store holds after the cursor and before position `before`.
void Service::CatchUp(uint64_t before) {
  while (watcher_.position() + 1 < before) {
    const auto entries = telemetry_.EntriesAfter(watcher_.position(), kCatchUp);
    if (!entries) {
      const std::lock_guard lock(mutex_);
      stats_.last_error = entries.error().ToString();
      return;
    }
    if (entries->empty()) return;
    for (const auto& entry : *entries) {
      if (entry.position >= before) return;
      Feed(entry);
    }
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
}

void Service::CatchUpIdle() {
  const auto applied = telemetry_.AppliedPosition();
  if (applied && *applied > watcher_.position()) CatchUp(*applied + 1);
}

// The store applies a little later than the consumer hears: wait a moment, then count what is missing.
void Service::FillGap(uint64_t before) {
  for (int attempt = 0; attempt < 20 && watcher_.position() + 1 < before; ++attempt) {
    if (attempt > 0) {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, std::chrono::milliseconds(50), [&] { return stopping_; })) return;
    }
    const auto applied = telemetry_.AppliedPosition();
    CatchUp(before);
    if (applied && *applied + 1 >= before) break;
  }
  if (watcher_.position() + 1 >= before) return;
  const std::lock_guard lock(mutex_);
  stats_.gaps += before - watcher_.position() - 1;
}

void Service::Feed(const JournalEntry& entry) {
  watcher_.Consume(entry);
  for (auto& finding : watcher_.TakeFindings()) pending_.push_back(std::move(finding));
}

bool Service::Save() {
  const Time begin = clock_.Monotonic();
  const auto states = watcher_.Save(save_all_);
  DeskOutcome outcome;
  const Status status = ledger_.Transact([&](store::LedgerTransaction& transaction) -> Status {
    for (const auto& state : states) TOCSIN_RETURN_IF_ERROR(transaction.PutMonitorState(state));
    TOCSIN_ASSIGN_OR_RETURN(outcome, desk_.Record(transaction, pending_, clock_.Now()));
    return {};
  });
  last_save_ = clock_.Monotonic();
  save_cost_ = last_save_ - begin;
  save_due_ = false;
  save_all_ = !status.ok();  // what was not written counts as changed
  const std::lock_guard lock(mutex_);
  drain_status_ = status;
  if (!status.ok()) {
    ++stats_.ledger_errors;
    stats_.last_error = status.ToString();
    spdlog::warn("monitors: {}", status.ToString());
    return false;
  }
  pending_.clear();
  stats_.saved_position = watcher_.position();
  stats_.incidents_opened += outcome.opened.size();
  stats_.incident_updates += outcome.updated.size();
  for (const auto& i : outcome.opened) spdlog::info("{} {} opened: {}", i.id.value, i.severity, i.title);
  return true;
}

// A stream whose incident was closed learns its new normal.
void Service::FollowClosed() {
  size_t asked = 0;
  for (const auto& stream : watcher_.Status().streams) {
    if (stream.state != "changed" || ++asked > kFollow) continue;
    store::IncidentFilter filter;
    filter.key = stream.stream + "|behavior";
    filter.limit = 1;
    const auto found = ledger_.FindIncidents(filter);
    if (!found || found->empty()) continue;
    const std::string& state = found->front().state;
    if (signal::IsOver(state)) watcher_.Rebaseline(stream.stream);
  }
}

void Service::Publish() {
  auto status = watcher_.Status();
  const std::lock_guard lock(mutex_);
  stats_.position = status.position;
  stats_.generations = status.generations;
  status_ = std::move(status);
}

void Service::AfterWork(bool force) {
  const Time now = clock_.Monotonic();
  if (now - last_tick_ >= options_.tick_interval || force) {
    last_tick_ = now;
    watcher_.Tick(clock_.Now());
    for (auto& finding : watcher_.TakeFindings()) pending_.push_back(std::move(finding));
    Publish();
  }
  const bool alarm = std::ranges::any_of(pending_, [](const detect::Finding& f) { return !f.update; });
  const Duration wanted = pending_.empty() ? options_.snapshot_interval
                                           : std::min(options_.snapshot_interval, options_.growth_interval);
  const Duration pause = std::max(wanted, Duration{save_cost_.ns * kSaveCost});
  const bool due =
      now - last_save_ >= pause && (watcher_.position() > stats_.saved_position || !pending_.empty());
  // After a ledger error even an alarm waits a second before the next attempt.
  const bool alarm_now = alarm && (stats_.ledger_errors == 0 || now - last_save_ >= Duration::Seconds(1));
  if (!alarm_now && !due && !force && !save_due_) return;
  FollowClosed();
  Save();
  Publish();
}

void Service::Run() {
  CatchUp(UINT64_MAX);
  AfterWork(true);
  while (true) {
    std::deque<JournalEntry> work;
    std::vector<std::string> rebaseline;
    uint64_t drains = 0;
    bool stop = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::nanoseconds(options_.tick_interval.ns), [&] {
        return stopping_ || !queue_.empty() || !rebaseline_.empty() || drains_asked_ > drains_done_;
      });
      drains = drains_asked_;
      rebaseline.swap(rebaseline_);
      stop = stopping_;
      // A part at a time, so that the queue's length says what waits.
      while (!queue_.empty() && work.size() < 16) {
        work.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
      if (!queue_.empty()) drains = drains_done_;
    }
    // Idle: what the writer recovered after this service began is in the store only.
    if (work.empty() && !stop) CatchUpIdle();
    for (const auto& stream : rebaseline) save_due_ = watcher_.Rebaseline(stream) || save_due_;
    for (const auto& entry : work) {
      if (entry.position > watcher_.position() + 1) FillGap(entry.position);
      Feed(entry);
      const std::lock_guard lock(mutex_);
      queued_generations_ -= entry.batch->generations.size();
      stats_.queued_generations = queued_generations_;
    }
    bool drain = false;
    {
      const std::lock_guard lock(mutex_);
      drain = drains > drains_done_;
      if (stop && !queue_.empty()) stop = false;
    }
    if (drain) watcher_.Flush();
    AfterWork(drain || stop);
    if (drain) {
      const std::lock_guard lock(mutex_);
      drains_done_ = drains;
      drained_.notify_all();
    }
    if (stop) return;
  }
}

}  // namespace

Result<std::unique_ptr<DetectionService>> DetectionService::Start(const DetectionOptions& options,
                                                                  store::TelemetryStore& telemetry,
                                                                  store::Ledger& ledger,
                                                                  const ports::Clock& clock) {
  auto service = std::make_unique<Service>(options, telemetry, ledger, clock);
  TOCSIN_RETURN_IF_ERROR(service->Restore());
  return std::unique_ptr<DetectionService>(std::move(service));
}

}  // namespace tocsin::respond
