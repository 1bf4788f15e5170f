#include "store/telemetry_writer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "kernel/id.h"
#include "store/batch_codec.h"
#include "store/internal/journal.h"
#include "store/internal/start_writer.h"

namespace tocsin::store {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr size_t kMaxGroupBytes = 32u << 20;  // of one fdatasync
constexpr size_t kMaxApplyRows = 250'000;     // of one transaction of the store
constexpr size_t kRecoveryRows = 50'000;      // applied at once while the journal is read back
constexpr int kApplyTriesAtStop = 3;

struct Waiting {
  std::shared_ptr<const signal::Batch> batch;
  internal::JournalPayload payload;
  size_t memory = 0;  // of the batch
  TelemetryWriter::Done done;
};

struct Durable {
  JournalEntry entry;
  size_t memory = 0;
  SteadyClock::time_point since;
};

class Writer final : public TelemetryWriter {
 public:
  Writer(const WriterOptions& options, TelemetryStore& store, Consumer consumer)
      : options_(options), store_(store), consumer_(std::move(consumer)) {}
  ~Writer() override { Stop(); }

  Status Start(internal::JournalFileFactory factory);
  void Append(signal::Batch batch, Done done) override;
  Status Flush() override;
  WriterStats Stats() const override;

 private:
  void Stop();
  void JournalLoop();
  void WriteGroup(std::vector<Waiting> group);
  void Acknowledge(std::vector<Waiting>& group, uint64_t first);
  void ApplyLoop();
  std::vector<Durable> TakeForApply(std::unique_lock<std::mutex>& lock);
  Status ApplyGroup(std::vector<Durable>& group);
  bool ApplyDue() const;

  const WriterOptions options_;
  TelemetryStore& store_;
  const Consumer consumer_;
  std::unique_ptr<internal::Journal> journal_;

  std::atomic<size_t> backlog_{0};
  std::atomic<uint64_t> applied_{0}, appended_{0}, refused_{0};

  std::mutex journal_mutex_;
  std::condition_variable journal_changed_;
  std::vector<Waiting> waiting_;  // guarded by journal_mutex_
  bool stopping_ = false;         // guarded by journal_mutex_

  std::mutex apply_mutex_;
  std::condition_variable apply_changed_, applied_changed_;
  // All guarded by apply_mutex_.
  std::vector<Durable> durable_;
  size_t durable_rows_ = 0;
  int flushing_ = 0;
  bool no_more_ = false;  // the journal thread has ended
  Status apply_status_;   // of the last try
  bool apply_ended_ = false;

  std::thread journal_thread_, apply_thread_;
};

Status Writer::Start(internal::JournalFileFactory factory) {
  TOCSIN_ASSIGN_OR_RETURN(const uint64_t applied, store_.AppliedPosition());
  std::vector<JournalEntry> missing;
  size_t rows = 0;
  const auto apply = [&] {
    if (missing.empty()) return Status::Ok();
    const Status status = store_.Apply(missing);
    missing.clear();
    rows = 0;
    return status;
  };
  const auto replay = [&](uint64_t position, std::string_view payload) {
    if (position <= applied) return Status::Ok();
    auto batch = DecodeBatch(payload);
    if (!batch) return batch.error();
    rows += batch->size();
    missing.push_back({position, std::make_shared<const signal::Batch>(std::move(*batch))});
    return rows >= kRecoveryRows ? apply() : Status::Ok();
  };
  TOCSIN_ASSIGN_OR_RETURN(journal_,
                          internal::Journal::Open(options_.journal_directory, options_.segment_bytes, applied,
                                                  std::move(factory), replay));
  TOCSIN_RETURN_IF_ERROR(apply());
  applied_ = journal_->Position();
  TOCSIN_RETURN_IF_ERROR(journal_->Drop(applied_));
  journal_thread_ = std::thread([this] { JournalLoop(); });
  apply_thread_ = std::thread([this] { ApplyLoop(); });
  return Status::Ok();
}

void Writer::Stop() {
  if (!journal_thread_.joinable()) return;
  {
    const std::lock_guard lock(journal_mutex_);
    stopping_ = true;
  }
  journal_changed_.notify_all();
  journal_thread_.join();
  {
    const std::lock_guard lock(apply_mutex_);
    no_more_ = true;
  }
  apply_changed_.notify_all();
  apply_thread_.join();
}

void Writer::Append(signal::Batch batch, Done done) {
  Waiting w;
  w.memory = MemoryBytes(batch);
  // The journal's bytes are counted until they are written; the bound is checked with a guess of them.
  if (backlog_.fetch_add(w.memory) + w.memory > options_.limits.max_backlog_bytes) {
    backlog_ -= w.memory;
    ++refused_;
    done(Error(Code::kResourceExhausted, "the store is behind: too much is waiting to be stored, try again"));
    return;
  }
  w.payload.bytes = EncodeBatch(batch);
  w.payload.hash = StableHash(w.payload.bytes);
  const size_t encoded = w.payload.bytes.size();
  w.batch = std::make_shared<const signal::Batch>(std::move(batch));
  w.done = std::move(done);
  backlog_ += encoded;
  {
    const std::lock_guard lock(journal_mutex_);
    if (!stopping_) {
      waiting_.push_back(std::move(w));
      journal_changed_.notify_one();
      return;
    }
  }
  backlog_ -= w.memory + encoded;
  ++refused_;
  w.done(Error(Code::kUnavailable, "Tocsin is stopping"));
}

void Writer::JournalLoop() {
  while (true) {
    std::vector<Waiting> group;
    {
      std::unique_lock lock(journal_mutex_);
      journal_changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      size_t bytes = 0, n = 0;
      while (n < waiting_.size() && (n == 0 || bytes < kMaxGroupBytes))
        bytes += waiting_[n++].payload.bytes.size();
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(n);
      group.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    WriteGroup(std::move(group));
  }
}

void Writer::WriteGroup(std::vector<Waiting> group) {
  std::vector<internal::JournalPayload> payloads;
  payloads.reserve(group.size());
  for (Waiting& w : group) payloads.push_back(std::move(w.payload));
  const auto first = journal_->Write(payloads);
  size_t encoded = 0;
  for (const auto& p : payloads) encoded += p.bytes.size();
  payloads.clear();
  backlog_ -= encoded;
  if (first) {
    Acknowledge(group, *first);
    return;
  }
  spdlog::error("telemetry is refused: {}", first.error().message());
  for (Waiting& w : group) {
    backlog_ -= w.memory;
    ++refused_;
    w.done(Error(Status(Code::kUnavailable, first.error().message())));
  }
}

void Writer::Acknowledge(std::vector<Waiting>& group, uint64_t first) {
  const auto now = SteadyClock::now();
  {
    const std::lock_guard lock(apply_mutex_);
    for (size_t i = 0; i < group.size(); ++i) {
      durable_.push_back({{first + i, group[i].batch}, group[i].memory, now});
      durable_rows_ += group[i].batch->size();
    }
  }
  apply_changed_.notify_one();
  for (size_t i = 0; i < group.size(); ++i) {
    ++appended_;
    if (consumer_) consumer_({first + i, group[i].batch});
    group[i].done(first + i);
  }
}

bool Writer::ApplyDue() const {
  if (durable_.empty()) return no_more_;
  return no_more_ || flushing_ > 0 || durable_rows_ >= options_.apply_rows ||
         SteadyClock::now() - durable_.front().since >= std::chrono::nanoseconds(options_.apply_interval.ns);
}

// Waits until something is due; empty at the end.
std::vector<Durable> Writer::TakeForApply(std::unique_lock<std::mutex>& lock) {
  while (!ApplyDue()) {
    if (durable_.empty()) {
      apply_changed_.wait(lock);
    } else {
      apply_changed_.wait_until(
          lock, durable_.front().since + std::chrono::nanoseconds(options_.apply_interval.ns));
    }
  }
  std::vector<Durable> group;
  size_t rows = 0, n = 0;
  while (n < durable_.size() && (n == 0 || rows < kMaxApplyRows)) rows += durable_[n++].entry.batch->size();
  const auto end = durable_.begin() + static_cast<std::ptrdiff_t>(n);
  group.assign(std::make_move_iterator(durable_.begin()), std::make_move_iterator(end));
  durable_.erase(durable_.begin(), end);
  durable_rows_ -= rows;
  return group;
}

Status Writer::ApplyGroup(std::vector<Durable>& group) {
  std::vector<JournalEntry> entries;
  entries.reserve(group.size());
  for (const Durable& d : group) entries.push_back(d.entry);
  TOCSIN_RETURN_IF_ERROR(store_.Apply(entries));
  applied_ = entries.back().position;
  size_t memory = 0;
  for (const Durable& d : group) memory += d.memory;
  entries.clear();
  group.clear();
  backlog_ -= memory;
  if (Status dropped = journal_->Drop(applied_); !dropped.ok()) {
    spdlog::warn("an old journal segment stays: {}", dropped.message());
  }
  return Status::Ok();
}

void Writer::ApplyLoop() {
  std::unique_lock lock(apply_mutex_);
  int tries_at_stop = 0;
  while (true) {
    std::vector<Durable> group = TakeForApply(lock);
    if (group.empty()) break;
    // The group is tried until it is in: what was acknowledged is never given up.
    for (int tries = 0; !group.empty() && tries_at_stop < kApplyTriesAtStop; ++tries) {
      lock.unlock();
      const Status status = ApplyGroup(group);
      lock.lock();
      apply_status_ = status;
      applied_changed_.notify_all();
      if (status.ok()) continue;
      spdlog::error("storing telemetry failed, it stays in the journal and is tried again: {}",
                    status.message());
      if (no_more_) ++tries_at_stop;
      apply_changed_.wait_for(lock, std::chrono::milliseconds(std::min(5000, 100 << std::min(tries, 6))),
                              [&] { return no_more_ || flushing_ > 0; });
    }
    if (tries_at_stop >= kApplyTriesAtStop) break;  // the journal keeps it for the next start
  }
  apply_ended_ = true;
  applied_changed_.notify_all();
}

Status Writer::Flush() {
  const uint64_t target = journal_->Position();
  std::unique_lock lock(apply_mutex_);
  apply_status_ = Status::Ok();
  ++flushing_;
  apply_changed_.notify_all();
  applied_changed_.wait(lock, [&] { return applied_ >= target || !apply_status_.ok() || apply_ended_; });
  --flushing_;
  if (applied_ >= target) return Status::Ok();
  return apply_status_.ok() ? Status(Code::kUnavailable, "the writer has stopped") : apply_status_;
}

WriterStats Writer::Stats() const {
  return {journal_->Position(), applied_.load(), backlog_.load(), appended_.load(), refused_.load()};
}

}  // namespace

Result<std::unique_ptr<TelemetryWriter>> internal::StartWriter(const WriterOptions& options,
                                                               TelemetryStore& store,
                                                               TelemetryWriter::Consumer consumer,
                                                               JournalFileFactory factory) {
  auto writer = std::make_unique<Writer>(options, store, std::move(consumer));
  TOCSIN_RETURN_IF_ERROR(writer->Start(std::move(factory)));
  return writer;
}

Result<std::unique_ptr<TelemetryWriter>> StartTelemetryWriter(const WriterOptions& options,
                                                              TelemetryStore& store,
                                                              TelemetryWriter::Consumer consumer) {
  return internal::StartWriter(options, store, std::move(consumer), internal::CreateJournalFile);
}

}  // namespace tocsin::store
