// Contrast: which recorded attributes moved with the change, and which are refuted as its cause.
// An attribute that took one value throughout did not vary and is refuted; one that was never recorded can
// neither be blamed nor cleared. Association is Cramér's V between the attribute and before/after.
// Pure, thread-safe, O(records x attributes).
#pragma once

#include <vector>

#include "detect/internal/composition.h"
#include "detect/internal/segment_table.h"

namespace tocsin::detect {

std::vector<ContrastLine> ContrastAttributes(const RecordSpan& before, const RecordSpan& after,
                                             const SegmentTable& table);
// The sentence on the model: "moved", or what remains once every other surface is refuted, or what cannot be
// excluded because it was not recorded.
std::string ModelSentence(const std::vector<ContrastLine>& lines);

}  // namespace tocsin::detect
