// SeriesSummary: how one metric moved over its window, robustly and without knowing when anything began.
//
// `before` is the level of the window's first points, `now` the median of its last three, `onset` the first
// point from which the series stays at least a fifth of the way from `before` to its extreme. Values that are
// not finite are left out. Thread-safe: pure.
#pragma once

#include <string>
#include <vector>

#include "investigate/diagnosis/evidence.h"

namespace tocsin::investigate {

struct SeriesSummary {
  std::string name{}, resource{}, unit{};
  size_t n = 0;
  double before = 0, now = 0, lowest = 0, highest = 0;
  Time onset{}, peak_at{}, low_at{}, start{}, end{};
  std::vector<double> values{};

  double Above(double bound) const;  // share of points above
  double Below(double bound) const;
  bool EndsAbove(double bound) const { return n > 0 && now > bound; }
  size_t LongestRunAbove(double bound) const;
  // now (or the highest) against before; before is taken as at least `floor`.
  double Growth(double floor) const;
  bool Rose(double factor, double floor) const { return Growth(floor) >= factor; }
};

SeriesSummary Summarize(const EvidenceSeries& series);
// CloudWatch's name for what another receiver calls otherwise; the name itself when none is known.
std::string CanonicalMetric(const std::string& name);
// A number for people: 1240, 12.4, 0.35; bytes and rates with their unit.
std::string Number(double value);
std::string Quantity(double value, const std::string& unit);

}  // namespace tocsin::investigate
