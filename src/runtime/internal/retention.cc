#include "runtime/internal/retention.h"

#include <spdlog/spdlog.h>

#include <chrono>

namespace tocsin::runtime::internal {

RetentionTimer::RetentionTimer(store::TelemetryStore& store, const ports::Clock& clock, Duration keep)
    : store_(store), clock_(clock), keep_(keep), thread_([this] { Run(); }) {}

RetentionTimer::~RetentionTimer() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void RetentionTimer::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    const auto gone = store_.Expire(clock_.Now() - keep_);
    if (!gone) {
      spdlog::error("deleting what is older than the retention: {}", gone.error().message());
    } else if (*gone > 0) {
      spdlog::info("retention: {} rows older than {} deleted", *gone, FormatDuration(keep_));
    }
    lock.lock();
    wake_.wait_for(lock, std::chrono::hours(1), [this] { return stop_; });
  }
}

}  // namespace tocsin::runtime::internal
