// TraceAssembler: holds a generation until its siblings (retrievals, tool executions of the same trace, or of
// the same conversation shortly before) have had time to arrive, then gives it out joined.
//
// A generation is released once the newest event time seen is `window` past its end, once it has waited
// `window` of the machine's time (Tick), or when more than `max_waiting` wait. Order of release is order of
// arrival. Memory is bounded by max_waiting generations and 4 x max_waiting siblings.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "detect/internal/observation.h"
#include "kernel/time.h"
#include "signal/generation.h"

namespace tocsin::detect {

// A generation with what belongs to it joined in.
Observation JoinSiblings(signal::Generation generation, const std::vector<signal::Retrieval>& retrievals,
                         const std::vector<signal::ToolExecution>& tools);

class TraceAssembler {
 public:
  TraceAssembler(Duration window, size_t max_waiting) : window_(window), max_waiting_(max_waiting) {}

  void Add(const signal::Generation& generation);
  void Add(const signal::Retrieval& retrieval);
  void Add(const signal::ToolExecution& execution);
  // Moves out what is due. `all`: everything.
  std::vector<Observation> Release(bool all);
  void Tick(Time now) { now_ = now; }
  size_t waiting() const { return waiting_.size(); }

  void Save(ByteWriter& out) const;
  void Restore(ByteReader& in);

 private:
  struct Waiting {
    signal::Generation generation;
    Time arrived;  // machine's time at the last Tick
  };
  struct Siblings {
    std::vector<signal::Retrieval> retrievals;
    std::vector<signal::ToolExecution> tools;
  };
  void Saw(Time event) { newest_ = std::max(newest_, event); }
  Siblings& SiblingsOf(const std::string& trace, const std::string& conversation);
  Observation Join(Waiting&& waiting);

  Duration window_;
  size_t max_waiting_;
  std::deque<Waiting> waiting_;
  std::unordered_map<std::string, Siblings> siblings_;  // by trace id, else "c:" + conversation
  std::deque<std::string> sibling_order_;
  Time newest_{};
  Time now_{};
};

}  // namespace tocsin::detect
