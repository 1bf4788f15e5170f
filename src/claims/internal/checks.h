// One function a kind of claim: what running it shows.
#pragma once

#include "claims/internal/measurement.h"
#include "claims/internal/session.h"

namespace tocsin::claims::internal {

Verdict CheckKind(Session& session, const MetricLevel& claim);
Verdict CheckKind(Session& session, const MetricChange& claim);
Verdict CheckKind(Session& session, const BehaviorShift& claim);
Verdict CheckKind(Session& session, const Onset& claim);
Verdict CheckKind(Session& session, const ChangePrecedes& claim);
Verdict CheckKind(Session& session, const LogTemplate& claim);
Verdict CheckKind(Session& session, const TracePath& claim);
Verdict CheckKind(Session& session, const ErrorPropagation& claim);
Verdict CheckKind(Session& session, const IdentifierUnsupported& claim);
Verdict CheckKind(Session& session, const Prevalence& claim);
Verdict CheckKind(Session& session, const Equivalence& claim);
Verdict CheckKind(Session& session, const AlertFiring& claim);
Verdict CheckKind(Session& session, const RecordCount& claim);
Verdict CheckKind(Session& session, const Exists& claim);
Verdict CheckKind(Session& session, const Concentration& claim);

// Fewer records than this say nothing about a share, a mean or a quantile.
inline constexpr uint64_t kLeastRecords = 8;
// Of each of two intervals that together hold at 95 % (Bonferroni).
inline constexpr double kEachOfTwo = 0.975;

// The difference and the factor of two measurements, whatever the two true values within their intervals.
struct Comparison {
  Measurement now, before;
  double difference = 0, factor = 0;  // factor is infinite when the baseline is zero
  stats::Interval difference_interval, factor_interval;
};
Comparison Compare(const Measurement& now, const Measurement& before);

// Moved the way it is said to, by as much as it is said to.
Verdict JudgeChange(const Comparison& c, const std::string& direction, const std::optional<Bounds>& factor,
                    const std::optional<Bounds>& difference, const std::string& quantity);

// When the measure moved; the session fails when it did not, or it cannot be told.
struct FoundOnset {
  Time best, low, high;  // starts of buckets
  Duration width;        // of a bucket
  uint64_t buckets = 0;
};
std::optional<FoundOnset> FindOnset(Session& session, const Measure& measure, const Window& window);

}  // namespace tocsin::claims::internal
