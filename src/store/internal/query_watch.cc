#include "store/internal/query_watch.h"

#include <algorithm>

namespace tocsin::store::internal {

QueryWatch::QueryWatch() : thread_([this] { Loop(); }) {}

QueryWatch::~QueryWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

QueryWatch::Guard QueryWatch::Watch(DuckDbConnection& connection, Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(timeout.ns);
  uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = next_++;
    entries_[id] = {&connection, deadline};
  }
  changed_.notify_all();
  return {*this, id};
}

void QueryWatch::Forget(uint64_t id) {
  const std::lock_guard lock(mutex_);
  entries_.erase(id);
}

void QueryWatch::Loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (entries_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    auto next = std::chrono::steady_clock::time_point::max();
    for (auto& [id, entry] : entries_) {
      if (entry.deadline <= now) {
        // An interrupt that comes between two statements is lost, so it is repeated.
        entry.connection->Interrupt();
        entry.deadline = now + std::chrono::milliseconds(20);
      }
      next = std::min(next, entry.deadline);
    }
    changed_.wait_until(lock, next);
  }
}

}  // namespace tocsin::store::internal
