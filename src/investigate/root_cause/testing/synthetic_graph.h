// A small simulated service graph for the tests of root-cause ranking: requests through entry -> a -> {b, c},
// c -> d, with log lines and metrics, and a fault of one's choice. Deterministic in the seed. Test code.
#pragma once

#include <cstdint>
#include <string>

#include "investigate/root_cause/root_cause_input.h"

namespace tocsin::investigate {

struct SyntheticFault {
  enum class Kind { kNone, kEarlyEnd, kSlow, kSlowNetwork, kCpu } kind = Kind::kNone;
  std::string service;
  int64_t onset_ns = 0;  // after the window's start
};

struct SyntheticOptions {
  uint64_t seed = 1;
  SyntheticFault fault;
  double surge = 1.0;        // factor on requests, times and CPU of every service in the window's second half
  int64_t log_clock_ns = 0;  // log lines are stamped up to this much late
  size_t requests = 60;      // a minute
  int minutes = 3;           // of the window; the reference has as many
};

RootCauseInput SyntheticGraph(const SyntheticOptions& options);

}  // namespace tocsin::investigate
