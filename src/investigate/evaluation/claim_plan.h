// What is planted over a RecordedWorld: claims that are true of its records, and claims that are not, each
// made from a true one in one of four ways. Whether a claim is true is counted on the records (OracleOf) or
// known from how the world was made; a claim of which neither is certain is not planted. Pure; deterministic
// for a seed.
#pragma once

#include <string>
#include <vector>

#include "claims/claim.h"
#include "investigate/evaluation/recorded_world.h"

namespace tocsin::investigate {

struct PlantedClaim {
  claims::Claim claim;
  bool is_true = true;
  std::string how = "true";  // true, false, exaggerated, stale, mis_scoped
};

std::vector<PlantedClaim> PlantClaims(const RecordedWorld& world, uint64_t seed);

}  // namespace tocsin::investigate
