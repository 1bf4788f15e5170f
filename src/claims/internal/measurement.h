// Measurement: a Measure taken over a window: the number, its interval and how many records it is of.
// Each taker leaves its reason with the session when it cannot.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "claims/internal/measure_table.h"
#include "claims/internal/session.h"
#include "stats/clopper_pearson.h"

namespace tocsin::claims::internal {

struct Measurement {
  double value = 0;
  std::optional<stats::Interval> interval;  // none for min, max and sum
  uint64_t n = 0;                           // records measured
  double successes = 0;                     // of a share
};

struct TimedValue {
  Time time;
  double value = 0;
  double weight = 1;
  uint32_t stratum = 0;
  std::string trace_id, span_id;
};

// `level` is the interval's. Checks coverage first. Nothing when the session failed.
std::optional<Measurement> Take(Session& session, const Measure& measure, const Window& window, double level);

// One value per record, oldest first; sampled for generations. For what Take computes outside SQL, and
// onsets.
std::optional<std::vector<TimedValue>> MetricValues(Session& session, const Measure& measure,
                                                    const Window& window);
std::optional<std::vector<TimedValue>> BehaviorValues(Session& session, const Measure& measure,
                                                      const Window& window);

// The measure in `buckets` equal parts of the window; parts without records have no value.
std::optional<std::vector<std::optional<double>>> TakeBuckets(Session& session, const Measure& measure,
                                                              const Window& window, int64_t buckets);

// mean, median, p90 … of values, with its interval.
Measurement Summarize(std::vector<TimedValue> values, const std::string& statistic, double level,
                      const Window& window);

// A few records that show it: those with the largest value, or those for which a condition holds.
void NoteExemplars(Session& session, const Measure& measure, const Window& window);

// "share", "ms", "per minute" …
std::string QuantityOf(const Measure& measure);
double QuantileOf(const std::string& statistic);  // 0.5, 0.9 …; -1 when it is none

// FROM and WHERE of a measure, with its parameters.
std::string FromWhere(Session& session, const Measure& measure, const Window& window,
                      std::vector<store::SqlValue>& parameters);

}  // namespace tocsin::claims::internal
