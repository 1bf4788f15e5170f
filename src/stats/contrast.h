// Contrast: which recorded attribute separates shifted generations from unshifted ones?
//
// Per attribute, an e-value against "whether a generation is shifted does not depend on this attribute":
// Beta(1/2,1/2)-mixture likelihood with one rate per value over the best single-rate likelihood (universal
// inference, Wasserman, Ramdas, Balakrishnan 2020; Krichevsky-Trofimov mixtures). E[e] <= 1 under that
// hypothesis for independent generations. An attribute with one value did not vary and is refuted as a cause
// of a difference; ranked last. Rare values past max_values are pooled. Pure, deterministic, thread-safe,
// O(records * attributes).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "stats/clopper_pearson.h"

namespace tocsin::stats {

struct ContrastRecord {
  bool shifted = false;  // e.g. the monitor's score of this generation is above the reference's median
  std::vector<std::pair<std::string, std::string>> attributes;
};

struct ContrastValue {
  std::string value;
  uint64_t shifted = 0, count = 0;
  Interval rate;  // of shifted, exact 95 %
};

struct ContrastAttribute {
  std::string attribute;
  double log_e_value = 0.0;
  bool varied = false;                // more than one value was recorded
  double spread = 0.0;                // largest minus smallest shifted rate over values seen at least 5 times
  std::vector<ContrastValue> values;  // highest shifted rate first
};

// Strongest first; ties by name.
std::vector<ContrastAttribute> RankAttributes(const std::vector<ContrastRecord>& records,
                                              size_t max_values = 32);

}  // namespace tocsin::stats
