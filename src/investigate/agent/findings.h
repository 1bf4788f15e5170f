// What a model submitted, read without trust: each claim parsed on its own, what is no claim kept as words.
// Pure. Bounds: claims, hypotheses and texts; more is dropped and counted.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "claims/claim.h"
#include "kernel/status.h"

namespace tocsin::investigate {

struct ProposedHypothesis {
  std::string surface;  // one of the known ones
  std::string cause;    // the model's words
  std::vector<claims::Claim> supporting, against;
};

struct Findings {
  std::vector<ProposedHypothesis> hypotheses;
  std::vector<claims::Claim> statements;
  std::string summary;
  std::vector<std::string> not_claims;  // why each was none
  size_t dropped = 0;
};

// kInvalidArgument when it is no object at all.
Result<Findings> ReadFindings(const nlohmann::json& json, size_t max_claims);

}  // namespace tocsin::investigate
