// RetentionTimer: deletes telemetry older than the retention, now and every hour, on a thread of its own.
// Ownership: refers to store and clock, which must outlive it; the destructor waits for a deletion in hand.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "kernel/time.h"
#include "ports/clock.h"
#include "store/telemetry_store.h"

namespace tocsin::runtime::internal {

class RetentionTimer {
 public:
  RetentionTimer(store::TelemetryStore& store, const ports::Clock& clock, Duration keep);
  ~RetentionTimer();
  RetentionTimer(const RetentionTimer&) = delete;
  RetentionTimer& operator=(const RetentionTimer&) = delete;

 private:
  void Run();

  store::TelemetryStore& store_;
  const ports::Clock& clock_;
  Duration keep_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace tocsin::runtime::internal
