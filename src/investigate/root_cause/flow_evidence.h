// Steps: how strongly the next step of a service's operations changed at an onset.
//
// For each step `from` in its context, the share of traces that go on to `to` after the onset is compared
// with the share before it (reference and window before the onset together) by a Bayes factor: H1, a share
// nobody could foresee (uniform); H0, the old share, which the mix of requests moves between windows (beta of
// concentration kMixConcentration around it). Only rises count: what vanishes makes something else rise. A
// rise that takes the place of errors is a recovery and counts nothing, and so does getting further than
// before (an early end gives way to another step). Contexts of one step add up.
#pragma once

#include <cstddef>

#include "investigate/root_cause/channel_evidence.h"

namespace tocsin::investigate {

// Evidence for an onset at the start of bucket `onset`. Services without any are absent. O(outcomes).
EvidenceByService FlowEvidence(const RootCauseInput& input, size_t onset);

// ln of the Bayes factor for hits2 of n2 after, given hits1 of n1 before. Positive: changed.
double ShareChangeNats(double hits1, double n1, double hits2, double n2);

}  // namespace tocsin::investigate
