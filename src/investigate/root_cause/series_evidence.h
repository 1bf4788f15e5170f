// Series: which metrics left what the reference ever did, and when.
//
// A series' deviation for an onset is the farthest value after it, in units of the reference's robust spread,
// from the reference's median and from every value of the window before the onset, whichever is nearer: a
// level that was there before the onset is no effect of it. Its evidence is conformal: how few of the
// reference's own windows of the same length deviate as much, by the series' own windows where it has
// kOwnWindows of them, else by those of all services for the metric of that name. Beyond every reference
// window the tail is Pareto (Hill) and counts by its logarithm only, because heavy tails are easily
// underestimated. The best of a service's series pays for the choice with the logarithm of their number.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "investigate/root_cause/channel_evidence.h"

namespace tocsin::investigate {

// Keeps the reference's deviations, which all onsets share. Not thread-safe; `input` must outlive it.
class SeriesEvidenceSource {
 public:
  explicit SeriesEvidenceSource(const RootCauseInput& input);

  EvidenceByService At(int64_t onset_ns);

  // Whether a service was as good as never called in the reference: it has traffic series, and the median of
  // each is zero.
  bool Idle(const std::string& service) const { return idle_.contains(service); }

  // The best evidence of any of `services` at any onset in each of the reference's own windows of the
  // window's length, the latest `most`: what a healthy system shows.
  std::vector<double> HealthyBest(size_t most, const std::set<std::string>& services);

 private:
  struct Scaled {
    const MetricSeries* series;
    double median, spread;
    double weight;  // of its evidence
  };
  struct Tail {
    std::vector<double> by_position;  // deviations of the reference's windows
    std::vector<double> sorted;
    double bound = 0.0;  // 90 % of them are at most this
    double index = 0.0;  // Hill's estimate above it
    bool own = false;    // of one series, not of all of its name
  };

  double DeviationOf(const Scaled& s, const std::vector<double>& values, size_t before, double* value) const;
  const Tail& TailOf(const Scaled& s, size_t length, size_t before);
  // Surprise at a deviation, the choice among the service's series paid for. A reference window at `own_at`
  // is judged by those it does not overlap.
  double NatsOf(const Scaled& s, double deviation, size_t length, size_t before, size_t own_at);
  void AddWindows(const Scaled& s, size_t length, size_t before, std::vector<double>& out) const;

  std::vector<Scaled> scaled_;
  std::map<std::string, std::vector<size_t>> by_name_;
  std::map<std::string, size_t> per_service_;
  std::set<std::string> idle_;
  std::map<std::pair<const void*, std::pair<size_t, size_t>>, Tail> tails_;
};

}  // namespace tocsin::investigate
