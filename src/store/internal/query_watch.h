// QueryWatch: interrupts connections whose time is over. One thread for all of them.
// Ownership: refers to connections only between Watch and the guard's end. Thread-safety: all methods.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "kernel/time.h"
#include "store/internal/duckdb_connection.h"

namespace tocsin::store::internal {

class QueryWatch {
 public:
  class Guard {
   public:
    Guard(QueryWatch& watch, uint64_t id) : watch_(watch), id_(id) {}
    ~Guard() { watch_.Forget(id_); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    QueryWatch& watch_;
    uint64_t id_;
  };

  QueryWatch();
  ~QueryWatch();
  // The connection is interrupted once `timeout` has passed, and again until the guard ends.
  [[nodiscard]] Guard Watch(DuckDbConnection& connection, Duration timeout);

 private:
  struct Entry {
    DuckDbConnection* connection;
    std::chrono::steady_clock::time_point deadline;
  };
  void Forget(uint64_t id);
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<uint64_t, Entry> entries_;
  uint64_t next_ = 1;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tocsin::store::internal
