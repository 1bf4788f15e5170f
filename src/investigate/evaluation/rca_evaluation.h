// How well root causes are ranked, on recorded windows with known causes.
//
// AS@k is the share of faulty cases whose cause is among the first k services ranked. Specificity is the
// share of fault-free windows answered "no fault". `declared` is the share of faulty cases not answered "no
// fault"; as1_declared counts a case only when both hold. The inner figures ask for the place inside the
// service too: the metric's resource, or the step of the code from which the labelled step is left. Pure; as
// slow as the ranking.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "investigate/evaluation/rca_case.h"
#include "investigate/root_cause/root_cause_ranking.h"
#include "kernel/status.h"

namespace tocsin::investigate {

struct RcaOutcome {
  std::string name, cause, fault;
  size_t rank = 0;        // of the true service, from 1; 0: not a candidate
  size_t inner_rank = 0;  // of the place inside it; 0: not named or not labelled
  bool declared = false;  // a fault was declared
  double no_fault_p = 1.0;
  double seconds = 0.0;
  std::vector<std::pair<std::string, double>> first;  // the first services, with scores
  std::string why;                                    // the first cause's heaviest fact
  double onset_s = 0.0;                               // after the window's start
};

struct RcaSummary {
  size_t cases = 0;  // faulty
  double as1 = 0.0, as3 = 0.0, as5 = 0.0;
  double declared = 0.0, as1_declared = 0.0;
  size_t inner_cases = 0;
  double inner_as1 = 0.0, inner_as3 = 0.0, inner_as5 = 0.0;
  size_t healthy_cases = 0;
  double specificity = 0.0;
  double seconds_per_case = 0.0;
  std::vector<RcaOutcome> outcomes;
};

Result<RcaSummary> EvaluateRca(const std::vector<RcaCase>& cases);

}  // namespace tocsin::investigate
