#include "store/telemetry_writer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "store/internal/start_writer.h"
#include "store/testing/random_batch.h"
#include "store/testing/scratch_directory.h"

namespace tocsin::store {
namespace {

std::unique_ptr<TelemetryStore> OpenStore(const std::string& path) {
  DuckDbOptions options;
  options.path = path;
  auto store = OpenDuckDb(options);
  EXPECT_TRUE(store) << store.error().ToString();
  return store ? std::move(*store) : nullptr;
}

signal::Batch Numbered(const std::string& id) {
  signal::Batch batch;
  batch.generations.emplace_back().response_id = id;
  batch.generations[0].output = std::string(300, 'x');
  return batch;
}

Result<uint64_t> AppendAndWait(TelemetryWriter& writer, signal::Batch batch) {
  std::promise<Result<uint64_t>> promise;
  auto future = promise.get_future();
  writer.Append(std::move(batch), [&](Result<uint64_t> r) { promise.set_value(std::move(r)); });
  return future.get();
}

std::map<std::string, int> StoredIds(TelemetryStore& store) {
  std::map<std::string, int> ids;
  QueryLimits limits;
  limits.max_rows = 10'000'000;
  const auto rows = store.Query("SELECT response_id FROM generations", {}, limits);
  EXPECT_TRUE(rows) << rows.error().ToString();
  if (!rows) return ids;
  for (const auto& row : rows->rows) ++ids[std::get<std::string>(row[0])];
  return ids;
}

// A store that fails while told to.
class UnwellStore final : public TelemetryStore {
 public:
  explicit UnwellStore(TelemetryStore& inner) : inner_(inner) {}
  std::atomic<bool> failing{false};
  std::atomic<int> delay_ms{0};
  Status Apply(std::span<const JournalEntry> entries) override {
    if (failing) return Status(Code::kUnavailable, "disk full");
    std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    return inner_.Apply(entries);
  }
  Result<uint64_t> AppliedPosition() override { return inner_.AppliedPosition(); }
  Result<Rows> Query(const std::string& q, const std::vector<SqlValue>& p, const QueryLimits& l) override {
    return inner_.Query(q, p, l);
  }
  Result<std::vector<StoredGeneration>> Generations(const GenerationFilter& f) override {
    return inner_.Generations(f);
  }
  Result<std::vector<JournalEntry>> EntriesAfter(uint64_t p, size_t l) override {
    return inner_.EntriesAfter(p, l);
  }
  Result<std::vector<signal::Change>> Changes(Time a, Time b, size_t l) override {
    return inner_.Changes(a, b, l);
  }
  Result<std::vector<signal::Retrieval>> Retrievals(const SiblingFilter& f) override {
    return inner_.Retrievals(f);
  }
  Result<std::vector<signal::ToolExecution>> ToolExecutions(const SiblingFilter& f) override {
    return inner_.ToolExecutions(f);
  }
  Result<std::vector<TableCount>> Counts() override { return inner_.Counts(); }
  Result<int64_t> Expire(Time t) override { return inner_.Expire(t); }

 private:
  TelemetryStore& inner_;
};

class TelemetryWriterTest : public ::testing::Test {
 protected:
  TelemetryWriterTest() { options_.journal_directory = scratch_.path() + "/journal"; }
  std::unique_ptr<TelemetryWriter> Start(TelemetryStore& store,
                                         TelemetryWriter::Consumer consumer = nullptr) {
    auto writer = StartTelemetryWriter(options_, store, std::move(consumer));
    EXPECT_TRUE(writer) << writer.error().ToString();
    return writer ? std::move(*writer) : nullptr;
  }
  testing::ScratchDirectory scratch_;
  std::string database_ = scratch_.path() + "/t.duckdb";
  WriterOptions options_;
};

TEST_F(TelemetryWriterTest, AppendsFromManyThreadsKeepOrderAndContent) {
  auto store = OpenStore(database_);
  std::vector<uint64_t> consumed;  // by one thread
  std::map<uint64_t, std::string> consumed_ids;
  std::mutex mutex;
  std::map<uint64_t, std::string> acknowledged;
  {
    auto writer = Start(*store, [&](const JournalEntry& e) {
      consumed.push_back(e.position);
      consumed_ids[e.position] = e.batch->generations[0].response_id;
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 200; ++i) {
          const std::string id = std::to_string(t) + "-" + std::to_string(i);
          const auto position = AppendAndWait(*writer, Numbered(id));
          ASSERT_TRUE(position) << position.error().ToString();
          const std::lock_guard lock(mutex);
          acknowledged[*position] = id;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    ASSERT_TRUE(writer->Flush().ok());
    EXPECT_EQ(*store->AppliedPosition(), 800u);
    EXPECT_EQ(writer->Stats().backlog_bytes, 0u);
    EXPECT_EQ(writer->Stats().appended_batches, 800u);
  }
  ASSERT_EQ(consumed.size(), 800u);
  for (size_t i = 0; i < consumed.size(); ++i) ASSERT_EQ(consumed[i], i + 1);
  EXPECT_EQ(consumed_ids, acknowledged);
  const auto stored = store->EntriesAfter(0, 1000);
  ASSERT_TRUE(stored);
  for (const auto& entry : *stored) {
    ASSERT_EQ(entry.batch->generations[0].response_id, acknowledged[entry.position]);
  }
}

TEST_F(TelemetryWriterTest, PositionsGoOnAfterARestartAndTheConsumerGetsOnlyNewOnes) {
  auto store = OpenStore(database_);
  for (uint64_t round = 0; round < 3; ++round) {
    std::vector<uint64_t> consumed;
    {
      auto writer = Start(*store, [&](const JournalEntry& e) { consumed.push_back(e.position); });
      for (uint64_t i = 1; i <= 5; ++i) EXPECT_EQ(*AppendAndWait(*writer, Numbered("x")), round * 5 + i);
    }
    EXPECT_EQ(consumed.size(), 5u);
    EXPECT_EQ(*store->AppliedPosition(), round * 5 + 5) << "stopping drains";
  }
}

TEST_F(TelemetryWriterTest, BacklogIsBoundedAndRecovers) {
  auto inner = OpenStore(database_);
  UnwellStore store(*inner);
  store.failing = true;
  options_.limits.max_backlog_bytes = 1u << 20;
  auto writer = Start(store);
  int accepted = 0;
  Result<uint64_t> last = 0;
  for (; accepted < 10'000; ++accepted) {
    last = AppendAndWait(*writer, Numbered(std::to_string(accepted)));
    if (!last) break;
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code(), Code::kResourceExhausted);
  EXPECT_GT(accepted, 100);
  EXPECT_LE(writer->Stats().backlog_bytes, options_.limits.max_backlog_bytes);
  EXPECT_EQ(writer->Flush().code(), Code::kUnavailable);
  store.failing = false;
  // A try that began while the store was unwell may still fail, and Flush tells of it.
  if (!writer->Flush().ok()) {
    ASSERT_TRUE(writer->Flush().ok());
  }
  EXPECT_TRUE(AppendAndWait(*writer, Numbered("again")));
  ASSERT_TRUE(writer->Flush().ok());
  EXPECT_EQ(StoredIds(*inner).size(), static_cast<size_t>(accepted) + 1);
}

TEST_F(TelemetryWriterTest, WhatTheStoreNeverTookIsAppliedAtTheNextStart) {
  {
    auto inner = OpenStore(database_);
    UnwellStore store(*inner);
    store.failing = true;
    auto writer = Start(store);
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(AppendAndWait(*writer, Numbered(std::to_string(i))));
  }
  auto store = OpenStore(database_);
  EXPECT_EQ(*store->AppliedPosition(), 0u);
  auto writer = Start(*store, [](const JournalEntry&) { FAIL() << "an old entry"; });
  EXPECT_EQ(*store->AppliedPosition(), 20u);
  EXPECT_EQ(StoredIds(*store).size(), 20u);
}

TEST_F(TelemetryWriterTest, SegmentsAreDeletedOnceApplied) {
  auto store = OpenStore(database_);
  options_.segment_bytes = 4096;
  auto writer = Start(*store);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(AppendAndWait(*writer, Numbered(std::to_string(i))));
  ASSERT_TRUE(writer->Flush().ok());
  ASSERT_TRUE(AppendAndWait(*writer, Numbered("last")));
  ASSERT_TRUE(writer->Flush().ok());
  size_t segments = 0;
  for ([[maybe_unused]] const auto& f : std::filesystem::directory_iterator(options_.journal_directory))
    ++segments;
  EXPECT_LE(segments, 2u);
}

TEST_F(TelemetryWriterTest, ASlowStoreDoesNotSlowAcknowledgement) {
  auto inner = OpenStore(database_);
  UnwellStore store(*inner);
  store.delay_ms = 2'000;  // far above what a disk may take to sync while other programs write
  options_.apply_interval = Duration::Millis(1);
  auto writer = Start(store);
  auto worst = std::chrono::steady_clock::duration::zero();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  while (std::chrono::steady_clock::now() < end) {
    const auto start = std::chrono::steady_clock::now();
    ASSERT_TRUE(AppendAndWait(*writer, Numbered("x")));
    worst = std::max(worst, std::chrono::steady_clock::now() - start);
  }
  EXPECT_LT(worst, std::chrono::milliseconds(1'500));
}

// A journal file whose disk fills, cuts writes short, or fails to sync, when told to.
struct Faults {
  std::atomic<int64_t> space{INT64_MAX};
  std::atomic<bool> sync_fails{false};
  std::atomic<bool> truncate_fails{false};
};

class FaultyFile final : public internal::JournalFile {
 public:
  FaultyFile(std::unique_ptr<JournalFile> inner, Faults& faults)
      : inner_(std::move(inner)), faults_(faults) {}
  Status Append(std::span<iovec> parts) override {
    for (iovec part : parts) {
      const auto fits = std::min<int64_t>(faults_.space, static_cast<int64_t>(part.iov_len));
      faults_.space -= fits;
      iovec written{part.iov_base, static_cast<size_t>(fits)};
      TOCSIN_RETURN_IF_ERROR(inner_->Append({&written, 1}));
      if (written.iov_len != part.iov_len && fits < static_cast<int64_t>(part.iov_len)) {
        return Status(Code::kUnavailable, "writing the journal: No space left on device");
      }
    }
    return Status::Ok();
  }
  Status Truncate(uint64_t size) override {
    if (faults_.truncate_fails) return Status(Code::kUnavailable, "truncating: Input/output error");
    return inner_->Truncate(size);
  }
  Status Sync() override {
    if (faults_.sync_fails) return Status(Code::kUnavailable, "syncing: Input/output error");
    return inner_->Sync();
  }

 private:
  std::unique_ptr<JournalFile> inner_;
  Faults& faults_;
};

class FaultyDiskTest : public TelemetryWriterTest {
 protected:
  std::unique_ptr<TelemetryWriter> StartFaulty(TelemetryStore& store) {
    auto writer = internal::StartWriter(
        options_, store, nullptr,
        [this](const std::string& path) -> Result<std::unique_ptr<internal::JournalFile>> {
          TOCSIN_ASSIGN_OR_RETURN(auto file, internal::CreateJournalFile(path));
          return std::make_unique<FaultyFile>(std::move(file), faults_);
        });
    EXPECT_TRUE(writer) << writer.error().ToString();
    return writer ? std::move(*writer) : nullptr;
  }
  // Every acknowledged batch is there once, and nothing else.
  void ExpectExactly(const std::set<std::string>& wanted) {
    auto store = OpenStore(database_);
    auto writer = Start(*store);
    std::map<std::string, int> ids;
    for (const auto& id : wanted) ids[id] = 1;
    EXPECT_EQ(StoredIds(*store), ids);
  }
  Faults faults_;
};

TEST_F(FaultyDiskTest, AFullDiskRefusesAndTakesAgainOnceThereIsSpace) {
  std::set<std::string> acknowledged;
  {
    auto inner = OpenStore(database_);
    UnwellStore store(*inner);
    store.failing = true;  // everything must come from the journal
    auto writer = StartFaulty(store);
    for (int round = 0; round < 5; ++round) {
      faults_.space = 1000 + 137 * round;
      for (int i = 0; i < 10; ++i) {
        const std::string id = std::to_string(round) + "-" + std::to_string(i);
        const auto r = AppendAndWait(*writer, Numbered(id));
        if (r) {
          acknowledged.insert(id);
        } else {
          EXPECT_EQ(r.error().code(), Code::kUnavailable);
        }
      }
    }
    EXPECT_LT(acknowledged.size(), 50u);
    faults_.space = INT64_MAX;
    ASSERT_TRUE(AppendAndWait(*writer, Numbered("space")));
    acknowledged.insert("space");
  }
  ExpectExactly(acknowledged);
}

TEST_F(FaultyDiskTest, AFailedSyncIsNeverAcknowledgedAfterwards) {
  {
    auto inner = OpenStore(database_);
    UnwellStore store(*inner);
    store.failing = true;
    auto writer = StartFaulty(store);
    ASSERT_TRUE(AppendAndWait(*writer, Numbered("good")));
    faults_.sync_fails = true;
    EXPECT_EQ(AppendAndWait(*writer, Numbered("bad")).error().code(), Code::kUnavailable);
    faults_.sync_fails = false;
    EXPECT_EQ(AppendAndWait(*writer, Numbered("later")).error().code(), Code::kUnavailable);
  }
  ExpectExactly({"good"});
}

TEST_F(FaultyDiskTest, ARemainderThatCannotBeCutIsCutAtTheNextStart) {
  {
    auto inner = OpenStore(database_);
    UnwellStore store(*inner);
    store.failing = true;
    auto writer = StartFaulty(store);
    ASSERT_TRUE(AppendAndWait(*writer, Numbered("good")));
    faults_.truncate_fails = true;
    faults_.space = 100;
    EXPECT_FALSE(AppendAndWait(*writer, Numbered("bad")));
    faults_.space = INT64_MAX;
    EXPECT_FALSE(AppendAndWait(*writer, Numbered("later")));
  }
  ExpectExactly({"good"});
}

// In the child: appends for as long as it lives, telling of every acknowledgement through the pipe.
[[noreturn]] void LoadUntilKilled(const WriterOptions& options, const std::string& database, int round,
                                  int pipe_fd) {
  DuckDbOptions duckdb;
  duckdb.path = database;
  auto store = OpenDuckDb(duckdb);
  if (!store) _exit(3);
  auto writer = StartTelemetryWriter(options, **store, nullptr);
  if (!writer) _exit(4);
  for (int i = 0;; ++i) {
    const std::string id = std::to_string(round) + "-" + std::to_string(i);
    (*writer)->Append(Numbered(id), [pipe_fd, id](Result<uint64_t> r) {
      if (!r) return;
      const std::string line = id + "\n";
      if (write(pipe_fd, line.data(), line.size()) < 0) _exit(5);
    });
    if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST_F(TelemetryWriterTest, KilledTwentyTimesUnderLoadLosesAndDoublesNothing) {
  options_.segment_bytes = 256u << 10;
  options_.apply_interval = Duration::Millis(20);
  std::set<std::string> acknowledged;
  Rng rng(20);
  for (int round = 0; round < 20; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(pipe_fds[0]);
      LoadUntilKilled(options_, database_, round, pipe_fds[1]);
    }
    close(pipe_fds[1]);
    std::string lines;
    char buffer[65536];
    // The first acknowledgement means that it runs; then it lives a random while.
    ssize_t n = read(pipe_fds[0], buffer, sizeof buffer);
    ASSERT_GT(n, 0) << "round " << round;
    lines.append(buffer, static_cast<size_t>(n));
    std::thread killer([&, wait = 5 + rng.Below(150)] {
      std::this_thread::sleep_for(std::chrono::milliseconds(wait));
      kill(child, SIGKILL);
    });
    while ((n = read(pipe_fds[0], buffer, sizeof buffer)) > 0) lines.append(buffer, static_cast<size_t>(n));
    killer.join();
    close(pipe_fds[0]);
    int state = 0;
    waitpid(child, &state, 0);
    ASSERT_TRUE(WIFSIGNALED(state)) << "the child ended by itself: " << WEXITSTATUS(state);
    for (size_t at = 0, end = 0; (end = lines.find('\n', at)) != std::string::npos; at = end + 1) {
      acknowledged.insert(lines.substr(at, end - at));
    }
  }
  auto store = OpenStore(database_);
  auto writer = Start(*store);
  const auto ids = StoredIds(*store);
  for (const auto& id : acknowledged) ASSERT_TRUE(ids.contains(id)) << id << " was acknowledged and is lost";
  for (const auto& [id, count] : ids) ASSERT_EQ(count, 1) << id;
  EXPECT_GT(acknowledged.size(), 1000u);
}

}  // namespace
}  // namespace tocsin::store
