#include "detect/internal/series_monitor.h"

#include <cmath>
#include <map>
#include <vector>

#include "stats/change_point.h"

namespace tocsin::detect {
namespace {

constexpr size_t kKept = 1024;
constexpr size_t kScanBack = 200;  // points before the path's onset that are scanned too

std::string Commonest(const std::map<std::string, uint64_t>& counts) {
  std::string best;
  uint64_t most = 0;
  for (const auto& [label, n] : counts) {
    if (n > most) {
      most = n;
      best = label;
    }
  }
  return best;
}

}  // namespace

void SeriesMonitor::Add(Time time, double value, const std::string& label, double tie) {
  const size_t bin = BinOf(spec_, value);
  double rank = 0.5;
  if (detector_.count() < burn_in_) {
    detector_.Learn(0, bin);
  } else {
    rank = detector_.Add(0, bin, tie);
  }
  points_.push_back({time, static_cast<float>(value), static_cast<float>(rank), label});
  if (points_.size() > kKept) points_.pop_front();
}

SeriesMonitor::Shift SeriesMonitor::SplitAt(Time onset) const {
  Shift shift;
  shift.onset = shift.low = shift.high = onset;
  std::map<std::string, uint64_t> before, after;
  for (const auto& p : points_) {
    const bool late = p.time >= onset;
    (late ? shift.after : shift.before) += static_cast<double>(p.value);
    ++(late ? shift.after_n : shift.before_n);
    ++(late ? after : before)[p.label];
  }
  if (shift.before_n > 0) shift.before /= static_cast<double>(shift.before_n);
  if (shift.after_n > 0) shift.after /= static_cast<double>(shift.after_n);
  shift.label_before = Commonest(before);
  shift.label_after = Commonest(after);
  shift.known = shift.before_n > 0 && shift.after_n > 0;
  return shift;
}

SeriesMonitor::Shift SeriesMonitor::Estimate() const {
  std::vector<double> bets;
  bets.reserve(points_.size());
  for (const auto& p : points_) bets.push_back(detector_.LeadingLogBet(static_cast<double>(p.rank)));
  const OnsetIndex path = RestartedPathOnset(bets, detector_.count());
  if (!path.known) return {};
  const size_t from = path.low > kScanBack ? path.low - kScanBack : 0;
  std::vector<double> values;
  for (size_t i = from; i < points_.size(); ++i) values.push_back(static_cast<double>(points_[i].value));
  const OnsetIndex onset = stats::ChangePoint(values, detector_.count());
  if (!onset.known) return {};
  Shift shift = SplitAt(points_[from + onset.best].time);
  shift.low = points_[from + onset.low].time;
  shift.high = points_[from + onset.high].time;
  return shift;
}

void SeriesMonitor::Save(ByteWriter& out) const {
  detector_.Save(out);
  out.Put(static_cast<uint32_t>(points_.size()));
  for (const auto& p : points_) {
    out.Put(p.time);
    out.Put(p.value);
    out.Put(p.rank);
    out.Text(p.label);
  }
}

bool SeriesMonitor::Restore(ByteReader& in) {
  if (!detector_.Restore(in)) return false;
  points_.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) {
    auto& p = points_.emplace_back();
    in.Get(p.time);
    in.Get(p.value);
    in.Get(p.rank);
    in.Text(p.label);
  }
  return in.ok();
}

}  // namespace tocsin::detect
