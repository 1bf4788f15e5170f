#include "store/state_log.h"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "kernel/id.h"
#include "store/internal/journal.h"
#include "store/internal/snapshot_file.h"

namespace tocsin::store {
namespace {

constexpr size_t kMaxGroup = 512;  // records made durable by one fdatasync

struct Item {
  internal::JournalPayload payload;
  std::shared_ptr<const void> decoded;
  StateLog::Done done;
};

class Log final : public StateLog {
 public:
  Log(const StateLogOptions& options, StateMachine& machine) : options_(options), machine_(machine) {}
  ~Log() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Status Recover();
  void Append(std::string record, std::shared_ptr<const void> decoded, Done done) override;
  StateLogStats Stats() const override {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

 private:
  std::string SnapshotPath() const { return options_.directory + "/snapshot"; }
  void Run();
  void Write(std::vector<Item>& group);
  void Snapshot();

  const StateLogOptions options_;
  StateMachine& machine_;
  std::unique_ptr<internal::Journal> journal_;  // of the thread
  uint64_t since_snapshot_ = 0;                 // bytes; of the thread

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;
  StateLogStats stats_;
  bool stopping_ = false;
  std::thread thread_;
};

Status Log::Recover() {
  TOCSIN_ASSIGN_OR_RETURN(const auto snapshot, internal::ReadSnapshot(SnapshotPath()));
  uint64_t position = 0;
  if (snapshot) {
    TOCSIN_RETURN_IF_ERROR(machine_.Load(snapshot->state).WithContext("loading " + SnapshotPath()));
    position = snapshot->position;
  }
  const auto replay = [&](uint64_t at, std::string_view record) -> Status {
    if (at <= position) return {};
    since_snapshot_ += record.size();
    return machine_.Apply(record, nullptr);
  };
  TOCSIN_ASSIGN_OR_RETURN(journal_, internal::Journal::Open(options_.directory, options_.segment_bytes,
                                                            position, internal::CreateJournalFile, replay));
  stats_.snapshot = position;
  stats_.position = journal_->Position();
  thread_ = std::thread([this] { Run(); });
  return {};
}

void Log::Append(std::string record, std::shared_ptr<const void> decoded, Done done) {
  Item item;
  item.payload.hash = StableHash(record);
  item.payload.bytes = std::move(record);
  item.decoded = std::move(decoded);
  item.done = std::move(done);
  const size_t bytes = item.payload.bytes.size();
  Status refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = Status(Code::kUnavailable, "stopping");
    } else if (stats_.queued_bytes + bytes > options_.max_queue_bytes) {
      refused = Status(Code::kResourceExhausted, "the disk does not keep up, try again");
    } else {
      stats_.queued_bytes += bytes;
      queue_.push_back(std::move(item));
    }
  }
  if (refused.ok()) {
    wake_.notify_one();
  } else {
    item.done(std::move(refused));
  }
}

void Log::Run() {
  std::vector<Item> group;
  while (true) {
    group.clear();
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) break;
      while (!queue_.empty() && group.size() < kMaxGroup) {
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
      }
    }
    Write(group);
    if (since_snapshot_ >= options_.snapshot_every_bytes) Snapshot();
  }
  if (since_snapshot_ > 0) Snapshot();
}

void Log::Write(std::vector<Item>& group) {
  std::vector<internal::JournalPayload> payloads;
  payloads.reserve(group.size());
  size_t bytes = 0;
  for (Item& item : group) {
    bytes += item.payload.bytes.size();
    payloads.push_back(std::move(item.payload));
  }
  const auto written = journal_->Write(payloads);
  std::vector<Status> outcomes(group.size(), written ? Status() : Status(written.error()));
  if (written) {
    since_snapshot_ += bytes;
    for (size_t i = 0; i < group.size(); ++i) {
      outcomes[i] = machine_.Apply(payloads[i].bytes, group[i].decoded.get());
    }
  }
  {
    const std::lock_guard lock(mutex_);
    stats_.queued_bytes -= bytes;
    stats_.position = journal_->Position();
  }
  for (size_t i = 0; i < group.size(); ++i) group[i].done(std::move(outcomes[i]));
}

void Log::Snapshot() {
  const uint64_t position = journal_->Position();
  Status status = internal::WriteSnapshot(SnapshotPath(), {position, machine_.Save()});
  if (status.ok()) status = journal_->Drop(position);
  since_snapshot_ = 0;  // failed or not: the next try is as far away
  const std::lock_guard lock(mutex_);
  stats_.last_error = status.ok() ? "" : status.ToString();
  if (status.ok()) stats_.snapshot = position;
}

}  // namespace

Status StateLog::AppendAndWait(std::string record, std::shared_ptr<const void> decoded) {
  std::promise<Status> promise;
  Append(std::move(record), std::move(decoded), [&](Status status) { promise.set_value(std::move(status)); });
  return promise.get_future().get();
}

Result<std::unique_ptr<StateLog>> StateLog::Open(const StateLogOptions& options, StateMachine& machine) {
  auto log = std::make_unique<Log>(options, machine);
  TOCSIN_RETURN_IF_ERROR(log->Recover());
  return log;
}

}  // namespace tocsin::store
