// LearnedMonitor: a PairMonitor fed by a live stream: gathers its reference first, then decides which live
// generations bet and which are set aside, unpaired, as later reference.
//
// The first `reference_size` generations are the reference. Each bet uses one up, so once stock and reserve
// together fall under a floor, every second generation is set aside; it enters the reference when it is
// `kReserveAge` generations old, so that a sudden change meets references from before it. While the wealth
// is suspicious nothing is added. All these rules look at counts and at past wealth only, never at a
// generation not yet paired, which is what PairMonitor's guarantee asks (docs/adr/0010).
//
// Not thread-safe. Memory: reference and reserve, about 3 KB an item.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "detect/internal/codec.h"
#include "detect/pair_monitor.h"

namespace tocsin::detect {

class LearnedMonitor {
 public:
  LearnedMonitor(double alpha, size_t reference_size, uint64_t seed);

  // True when this generation raised the alarm.
  bool Observe(uint64_t index, uint32_t segment, const behavior::GenerationFeatures& features);
  // Forgets everything; the next generations are the new reference.
  void Restart();

  bool learning() const { return learned_ < reference_size_; }
  size_t learned() const { return learned_; }
  uint64_t set_aside() const { return set_aside_; }
  bool alarmed() const { return monitor_.alarmed(); }
  double threshold() const;
  MonitorState state() const { return monitor_.state(); }
  const PairMonitor& monitor() const { return monitor_; }
  // Stream numbers of the estimated onset; unknown when too little is kept.
  struct OnsetNumbers {
    uint64_t best = 0, low = 0, high = 0;
    bool known = false;
  };
  OnsetNumbers EstimateOnset() const;

  void Save(ByteWriter& out) const;
  bool Restore(ByteReader& in);

 private:
  bool SetAside(const MonitorItem& item);
  void Release(uint64_t index);

  double alpha_;
  size_t reference_size_;
  uint64_t seed_;
  uint64_t restarts_ = 0;
  PairMonitor monitor_;
  size_t learned_ = 0;
  uint64_t set_aside_ = 0;
  bool toggle_ = false;
  std::deque<MonitorItem> reserve_;    // never paired, oldest first
  std::deque<uint64_t> observed_ids_;  // stream numbers of the last generations that were observed
  uint64_t observed_ = 0;
};

}  // namespace tocsin::detect
