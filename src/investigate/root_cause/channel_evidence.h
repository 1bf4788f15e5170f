// What one kind of evidence says of every service, for one possible onset.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "investigate/root_cause/root_cause_ranking.h"

namespace tocsin::investigate {

struct ChannelEvidence {
  double nats = 0.0;
  std::vector<EvidenceFact> facts;  // heaviest first, at most kFactsPerChannel
};

inline constexpr size_t kFactsPerChannel = 3;

using EvidenceByService = std::unordered_map<std::string, ChannelEvidence>;

}  // namespace tocsin::investigate
