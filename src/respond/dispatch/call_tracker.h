// CallTracker: who calls whom, from spans as they come: a span whose parent is another service's, and a
// client span that names its peer (peer.service; for a database its address, or what it is).
//
// Parents and children may come in any order, within the last kMaxSpans spans. A call is given once.
// Ownership: value. Thread-safety: all methods.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "signal/batch.h"

namespace tocsin::respond {

using ServiceCall = std::pair<std::string, std::string>;  // caller, callee

class CallTracker {
 public:
  static constexpr size_t kMaxSpans = 100'000;  // remembered, and as many that wait for their parent
  static constexpr size_t kMaxCalls = 100'000;  // distinct calls known; later ones are not looked for

  void Observe(const signal::Batch& batch);
  // Those found since the last time.
  std::vector<ServiceCall> Take();

 private:
  void ObserveOne(const signal::Span& span);
  void Found(const std::string& caller, const std::string& callee);

  std::mutex mutex_;
  std::unordered_map<uint64_t, std::string> service_of_;  // by span
  std::deque<uint64_t> order_;
  std::unordered_multimap<uint64_t, std::string> waiting_;  // by parent: the child's service
  std::deque<uint64_t> waiting_order_;
  std::unordered_set<uint64_t> known_;
  std::vector<ServiceCall> found_;
};

}  // namespace tocsin::respond
