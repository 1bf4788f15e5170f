// Says in words what separates live from reference in the kept pairs of a PairMonitor.
// Pure function of its arguments; O(kept pairs * features).
#pragma once

#include <deque>
#include <vector>

#include "detect/pair_monitor.h"
#include "detect/pair_monitor_impl.h"

namespace tocsin::detect {

std::vector<ChangeInWords> DescribeChange(const std::deque<KeptPair>& kept, size_t onset,
                                          const stats::DiscriminantBank& bank,
                                          const stats::OnlineLogistic& ngrams,
                                          const behavior::NgramNames* names, size_t limit);

}  // namespace tocsin::detect
