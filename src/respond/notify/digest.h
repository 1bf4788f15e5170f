// One message that says what several would have said. Pure.
#pragma once

#include <vector>

#include "respond/notify/outbox_item.h"

namespace tocsin::respond {

// 0 is the worst; a severity that is not known counts as sev2.
int SeverityRank(const std::string& severity);

// A new item for the same destination, not yet claimed, of at least one item; the worst first. Its key
// follows from the first item's, which is held once only, so it is unique too.
OutboxItem MakeDigest(std::vector<OutboxItem> items, Time now);

}  // namespace tocsin::respond
