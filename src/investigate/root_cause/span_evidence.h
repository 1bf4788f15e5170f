// Work and calls: which services became slower in what they do themselves, and which between themselves and
// their neighbours.
//
// Times are compared as means of logarithms, so an effect is a factor and one stalled request is one
// observation. Work: the factors of a service's operations are combined by inverse variance. Calls: for each
// service, the likelihood ratio of one common factor on all its exchanges against none; a service whose every
// exchange slowed outweighs a neighbour with one slow exchange, and the other way round. Both are judged
// against the spread of factors over all services (the median factor is common to all and is taken out, so a
// surge that slows everybody points at nobody).
#pragma once

#include <cstddef>

#include "investigate/root_cause/channel_evidence.h"

namespace tocsin::investigate {

struct SpanEvidence {
  EvidenceByService work;
  EvidenceByService calls;
};

SpanEvidence SpanEvidenceAt(const RootCauseInput& input, size_t onset);

}  // namespace tocsin::investigate
