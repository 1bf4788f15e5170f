// Claim versus action: an answer that says an action has been done ("I have
// refunded your order", "Your booking has been cancelled") must have a tool call
// in its trace that could have done it.
//
// A claim is a completed first-person or passive-of-the-user's-thing assertion of a
// verb from the action table; questions, conditionals, negations, offers and quotations
// ("I can refund", "if it was cancelled", "has not been sent") are not claims.
// A call matches when its name or arguments share the verb's stem or a synonym
// (refund: refund, credit, reimburse …). O(text), bounded, thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "behavior/generation_input.h"

namespace tocsin::behavior {

struct ActionClaim {
  std::string verb;          // canonical, "refund"
  std::string sentence;      // as written, at most 240 bytes
  std::size_t offset = 0;    // of the verb in the output
  bool matched = false;      // a tool call could have done it
  std::string matched_tool;  // its name when matched
};

struct ClaimActionResult {
  std::vector<ActionClaim> claims;  // at most 16
  std::size_t unmatched = 0;
  bool any_unmatched() const { return unmatched > 0; }
};

ClaimActionResult CheckActionClaims(const GenerationInput& input);

}  // namespace tocsin::behavior
