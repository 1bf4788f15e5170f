// The policy a second time, for tests: what ARCHITECTURE.md ("Authority"), decide.h, policy_rules.h and
// policy/README.md say, written as sentences about one flat picture of the case. It shares no code with the
// rules: patterns, closed types, reach and counts are worked out anew, so that what one of the two gets wrong
// shows. Pure; thread-safe.
#pragma once

#include <set>
#include <string>

#include "act/policy/decide.h"

namespace tocsin::act::testing {

struct SpecifiedDecision {
  Decision::Verdict verdict = Decision::Verdict::kAllow;
  int needed = 0, given = 0;
  std::set<std::string> rules;  // that gave a reason
};

SpecifiedDecision Specified(const PolicyRules& rules, const PolicyFacts& facts, const ActionCall& call);
// In words; "" when they are the same.
std::string Difference(const SpecifiedDecision& specified, const Decision& decided);

}  // namespace tocsin::act::testing
