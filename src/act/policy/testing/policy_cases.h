// Random cases for the policy: a call that would be allowed, then a few things about it changed, most often
// to exactly a bound or one nanosecond, instance or unit beside it. Few changes at a time, so that each rule
// is often the only one that decides. The same seed gives the same cases. Not thread-safe.
#pragma once

#include <string>

#include "act/policy/decide.h"
#include "kernel/rng.h"

namespace tocsin::act::testing {

struct PolicyCase {
  PolicyRules rules;
  PolicyFacts facts;
  ActionCall call;
};

// By an agent at tier auto; nothing about it is asked or refused.
PolicyCase CalmCase();
PolicyCase RandomCase(Rng& rng);
// What a person needs to see of a case that fails.
std::string Describe(const PolicyCase& c);

}  // namespace tocsin::act::testing
