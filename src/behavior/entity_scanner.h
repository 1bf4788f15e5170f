// Finds the chunks of a text that look like identifiers, dates, amounts or plain numbers, and normalises
// them. The inside of grounding; a separate file because context and answer are read by the same scanner.
// O(text), no allocation per chunk beyond the callback's own. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "behavior/grounding.h"

namespace tocsin::behavior {

struct ScannedEntity {
  Entity entity;
  bool named = false;  // a word like "order" or "#" stands in front, or it has a configured prefix
};

// Lower-cased letters and digits of `text` only: "4111-1111" and "4111 1111" become one string.
std::string SquashAlnum(std::string_view text);

// Calls `found` for each identifier-like token, in order, and `number` (if set) with the normalised decimal
// of every number, identifier or not ("1,250.00" -> "1250").
void ScanEntities(std::string_view text, const GroundingOptions& options,
                  const std::function<void(ScannedEntity&&)>& found,
                  const std::function<void(const std::string&)>& number);

}  // namespace tocsin::behavior
