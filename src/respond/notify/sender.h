// Sender: takes what is due from the outbox's store and sends it, on a few threads of its own.
//
// One send at a time to each destination, so that a page comes before the resolution that follows it and a
// channel that hangs holds one thread only. Owns its threads; store, directory and clock must outlive it. All
// functions may be called from any thread, but Start once. Errors of the store are met with another try, for
// ever: a try whose result could not be written stays "sending" and is judged again (Outbox::Recover) when
// the process starts anew. Without Start, RunOne sends on the caller's thread, which is how a simulation
// drives it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ports/clock.h"
#include "respond/notify/directory.h"
#include "respond/notify/outbox_store.h"

namespace tocsin::respond {

struct SenderOptions {
  int threads = 2;
  size_t batch = 1000;                           // items looked at for one claim
  Duration poll = Duration::Seconds(1);          // the longest sleep: the wall clock may jump
  Duration store_pause = Duration::Millis(500);  // before another try with the store
  OutboxPolicy policy = {};
  // Told of errors of the store; called from any thread, at most once a second.
  std::function<void(const Status&)> on_error = {};
};

struct SenderCounters {
  uint64_t sent = 0;
  uint64_t tries_failed = 0;
  uint64_t store_errors = 0;
};

class Sender {
 public:
  Sender(OutboxStore& store, const NotifierDirectory& directory, const ports::Clock& clock,
         SenderOptions options = {});
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Judges what the last process left unfinished. Before Start or the first RunOne.
  Status Recover();
  void Start();  // after Recover
  // Something was stored that is due.
  void Wake();
  // Returns once sends under way have ended: at most a notifier's timeout.
  void Stop();
  // Claims, sends and settles one item. False when nothing may go now.
  Result<bool> RunOne();

  // For making new items and dropping those that nobody needs any more.
  const Outbox& outbox() const { return outbox_; }
  SenderCounters counters() const;

 private:
  Result<std::optional<OutboxItem>> Claim(Time now);
  Result<std::optional<OutboxItem>> ClaimNew(Time now);
  Result<std::map<std::string, DestinationState>> StatesOf(const std::vector<OutboxItem>& items);
  SendOutcome Try(const OutboxItem& item) const;
  Status SettleOnce(const OutboxItem& item, const SendOutcome& outcome);
  void SettleForSure(const OutboxItem& item, const SendOutcome& outcome);
  void Work();
  // Ends early when woken since `seen` was read.
  void Sleep(Duration at_most, uint64_t seen);
  uint64_t wakes();
  Duration UntilNextDue();
  void Report(const Status& status);

  OutboxStore& store_;
  const NotifierDirectory& directory_;
  const ports::Clock& clock_;
  const SenderOptions options_;
  const Outbox outbox_;

  std::mutex claiming_;  // one claim at a time
  // Claimed, but the store's answer was an error: it may be written, and surely has not been sent.
  std::optional<OutboxItem> unsure_;
  std::mutex mutex_;  // what follows
  std::condition_variable wake_;
  std::set<std::string> busy_;  // destinations being sent to
  uint64_t wakes_ = 0;
  Time reported_ = {};  // monotonic
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> sent_{0};
  std::atomic<uint64_t> tries_failed_{0};
  std::atomic<uint64_t> store_errors_{0};
  std::vector<std::thread> threads_;
};

}  // namespace tocsin::respond
