// SeriesMonitor: a rank detector over scores that arrive on their own (feedback, one evaluator's scores),
// with the last points kept for numbers before and after and for the onset. Not thread-safe; ~50 KB.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "detect/internal/named_features.h"
#include "detect/internal/rank_detector.h"
#include "kernel/time.h"

namespace tocsin::detect {

class SeriesMonitor {
 public:
  struct Point {
    Time time;
    float value = 0;
    float rank = 0;
    std::string label;  // the evaluator's name and version, when recorded
  };
  // `bad`: which way alarms (+1, -1, 0 either). The first `burn_in` points only teach.
  SeriesMonitor(NamedSpec spec, size_t burn_in)
      : spec_(spec), burn_in_(burn_in), detector_(1, BinCount(spec)) {}

  void Add(Time time, double value, const std::string& label, double tie);
  double log_e_value() const { return detector_.log_e_value(spec_.bad); }
  bool leans_up() const { return detector_.leans_up(); }
  uint64_t count() const { return detector_.count(); }

  struct Shift {
    Time onset, low, high;
    double before = 0, after = 0;
    uint64_t before_n = 0, after_n = 0;
    std::string label_before, label_after;  // the commonest
    bool known = false;
  };
  Shift Estimate() const;
  // Means before and after a given instant.
  Shift SplitAt(Time onset) const;
  void ResetWealth() { detector_.ResetWealth(); }

  void Save(ByteWriter& out) const;
  bool Restore(ByteReader& in);

 private:
  NamedSpec spec_;
  size_t burn_in_;
  RankDetector detector_;
  std::deque<Point> points_;
};

}  // namespace tocsin::detect
