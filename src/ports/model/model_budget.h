// ModelBudget: what an investigation may spend on a model: tokens, money, time. A call that could exceed it
// is refused before anything is sent.
//
// Each try of a call reserves the most it is expected to take: its input as one token for every
// kBytesPerToken bytes sent, its output as max_tokens, and what these cost. The reservation is replaced by
// what the provider reports; when it reports nothing for a try that may have been served (a cut stream, a
// timeout), the reservation is what was spent. The input is an estimate: should a provider report more, that
// is charged, and the next call finds less.
//
// Ownership: refers to the clock. Thread-safety: all methods; several calls may share one budget.
// Errors: kFailedPrecondition (tokens or money), kDeadlineExceeded (time); both name what is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>

#include "kernel/status.h"
#include "kernel/time.h"
#include "ports/clock.h"
#include "ports/model/model_types.h"

namespace tocsin::ports {

struct ModelPrices {
  double input_usd_per_million = 0;
  double cached_usd_per_million = -1;  // < 0: as input
  double output_usd_per_million = 0;

  double Cost(const ModelUsage& usage) const;
};

struct ModelBudgetLimits {
  int64_t max_tokens = std::numeric_limits<int64_t>::max();  // input and output together
  double max_usd = std::numeric_limits<double>::infinity();
  Duration max_time = Duration::Hours(24 * 365);  // since the budget was made
};

struct ModelSpent {
  int64_t input_tokens = 0;
  int64_t output_tokens = 0;
  double usd = 0;
  int64_t calls = 0;    // tries that reserved
  int64_t refused = 0;  // calls turned down by the budget
};

class ModelBudget {
 public:
  static constexpr size_t kBytesPerToken = 2;  // of JSON in scripts of one byte a letter; seldom fewer

  explicit ModelBudget(const ModelBudgetLimits& limits, const Clock& clock = SystemClock());

  struct Reservation {
    int64_t input_tokens = 0;
    int64_t output_tokens = 0;
    double usd = 0;
  };
  Result<Reservation> Reserve(size_t request_bytes, int64_t max_output_tokens, const ModelPrices& prices);
  // What the reservation turned out to be; nothing for a try that was certainly not served.
  void Settle(const Reservation& reserved, const ModelUsage& usage, const ModelPrices& prices);
  void SettleAsReserved(const Reservation& reserved);
  void Release(const Reservation& reserved);

  Duration TimeLeft() const;  // not below 0
  ModelSpent Spent() const;

 private:
  void Remove(const Reservation& reserved);

  const ModelBudgetLimits limits_;
  const Clock& clock_;
  const Time started_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Reservation reserved_;
  ModelSpent spent_;
};

}  // namespace tocsin::ports
