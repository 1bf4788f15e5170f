// Evidence: turns the records before and after an onset into the lines of a finding. Pure functions.
// Bounds: 16 lines, 16 segments, 20 changes, 20 exemplars a side. Thread-safe.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "detect/finding.h"
#include "detect/internal/composition.h"
#include "detect/internal/segment_table.h"
#include "signal/verdicts.h"

namespace tocsin::detect {

struct Split {
  RecordSpan before, after;
};

// Mean, variance and n of one named feature on one side.
struct SideStatistic {
  double mean = 0, variance = 0;
  uint64_t n = 0;
};
SideStatistic StatisticOf(const RecordSpan& side, size_t feature);

struct Effect {
  double before = 0, after = 0;
  uint64_t before_n = 0, after_n = 0;
  double d = 0;  // standardised difference, after - before
  double z = 0;  // of its significance
};
// Of features on a log scale (lengths, times) before and after are medians, and d is of the logarithm.
Effect NamedEffect(const Split& split, size_t feature);
Effect StyleEffect(const Split& split, size_t style);

// What a title may name: the largest significant effects, one of each group of kindred features.
struct NamedChange {
  std::string name;   // "length.chars"
  std::string words;  // "answers are shorter"
  Effect effect;
  bool is_named = false;
  size_t feature = 0;
  double interest = 0;
};
std::vector<NamedChange> LargestChanges(const Split& split, size_t limit);

// Where a change sits: the value of one attribute that carries most of it.
struct Concentration {
  std::string attribute, value;
  size_t attribute_index = 0;
  uint16_t value_index = 0;
  double traffic_share = 1;
  double change_share = 0;
};
std::optional<Concentration> Concentrated(const Split& split, size_t feature, const SegmentTable& table);
std::vector<SegmentLine> SegmentLines(const Split& split, size_t feature, const SegmentTable& table,
                                      const std::vector<SegmentTable::Segment>& found);

std::vector<ChangeLine> JudgeChanges(const std::deque<signal::Change>& changes, const StreamKey& stream,
                                     const OnsetEstimate& onset);

// After: those that show the change best; before: for each the nearest question.
std::vector<Exemplar> PickExemplars(const Split& split, std::optional<Named> metric,
                                    const std::vector<uint64_t>& clearest);

}  // namespace tocsin::detect
