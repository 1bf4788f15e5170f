// Does the verifier catch what is not true? Claims, true and false, are planted over recorded worlds and run.
//
// Caught means not verified: refuted, or unverifiable. Every claim is run a second time over data in which a
// part is missing (a hole in its own window, a window that is not over, a store that says it is partial),
// where nothing may be verified. Deterministic for a seed; a world takes about a second.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "kernel/status.h"
#include "stats/clopper_pearson.h"

namespace tocsin::investigate {

struct VerifyOptions {
  size_t worlds = 6;
  uint64_t seed = 1;
};

struct VerifyTally {
  uint64_t n = 0, verified = 0, refuted = 0, unverifiable = 0;
};

struct VerifyMiss {
  std::string claim;  // as one line
  std::string how;
  std::string verdict, why;
};

struct VerifyResult {
  VerifyTally true_claims, false_claims, partial;
  std::map<std::string, VerifyTally> by_plant;  // false, exaggerated, stale, mis_scoped
  std::map<std::string, VerifyTally> by_kind_true, by_kind_false;
  std::vector<VerifyMiss>
      misses;  // false ones verified, true ones refuted, partial ones verified; at most 50
  double seconds = 0;
  double false_caught() const;
  double true_refuted() const;
  stats::Interval false_caught_interval() const;
  stats::Interval true_refuted_interval() const;
};

Result<VerifyResult> EvaluateVerifier(const VerifyOptions& options);

}  // namespace tocsin::investigate
