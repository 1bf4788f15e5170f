// SegmentTable: one rank detector per (feature, attribute, value), and e-BH over all of them at once
// (Wang & Ramdas 2022). Values beyond the bound count as "(other)". An attribute is watched once it has had
// two values: a segment that is the whole stream says nothing the stream's own monitors do not.
//
// Also interns attribute values for records. Not thread-safe. ~0.6 MB when every slot is used.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "detect/internal/observation.h"
#include "detect/internal/rank_detector.h"
#include "kernel/rng.h"

namespace tocsin::detect {

class SegmentTable {
 public:
  SegmentTable(double alpha, size_t max_values, const std::vector<std::string>& user_attributes);

  // Interned values of an observation, 0 = not recorded.
  std::array<uint16_t, kMaxAttributes> Intern(const AttributeValues& values);
  // Bets every watched feature in every segment of the generation.
  void Observe(const std::array<uint16_t, kMaxAttributes>& attributes, const NamedValues& values, Rng& rng);

  struct Segment {
    size_t attribute = 0;
    uint16_t value = 0;
    size_t feature = 0;
    double log_e_value = 0;
    uint64_t count = 0;
  };
  // Those found by e-BH at level alpha now; cheap unless one is rich enough.
  std::vector<Segment> Found() const;
  double log_e_value(size_t attribute, uint16_t value, size_t feature) const;
  double threshold() const;  // ln(K / alpha): what a single segment needs

  std::string AttributeName(size_t attribute) const;
  const std::string& ValueName(size_t attribute, uint16_t value) const { return names_[attribute][value]; }
  size_t ValueCount(size_t attribute) const { return names_[attribute].size(); }
  void ResetWealth(FindingKind kind);  // of the features of this kind
  void Forget();

  void Save(ByteWriter& out) const;
  bool Restore(ByteReader& in);

 private:
  RankDetector& DetectorOf(size_t attribute, uint16_t value, size_t slot);

  double alpha_;
  size_t max_values_;
  std::vector<std::string> user_attributes_;
  std::vector<size_t> features_;                          // watched: indices into NamedValues
  std::vector<std::vector<std::string>> names_;           // [attribute][value], [0] = ""
  std::vector<std::map<std::string, uint16_t>> indices_;  // [attribute]
  std::map<uint32_t, RankDetector> detectors_;            // attribute << 20 | value << 8 | slot
  double richest_ = -1e9;                                 // upper bound of the present log e-values
};

std::string_view BuiltInAttributeName(size_t attribute);

}  // namespace tocsin::detect
