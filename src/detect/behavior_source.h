// Behaviour for claims: the named features of the monitors and the style features of one answer, measured the
// same way as the monitors do. Ownership: by the runtime. Thread-safe: immutable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "claims/verifier.h"

namespace tocsin::detect {

struct BehaviorSourceOptions {
  std::vector<std::string> entity_prefixes;  // as in behavior/grounding.h
};

std::unique_ptr<claims::BehaviorSource> MakeBehaviorSource(const BehaviorSourceOptions& options);

// What a rise, or a fall, of a feature is called: "more refusals"; "" when there is no such feature.
std::string_view BehaviorWords(std::string_view feature, bool up);

}  // namespace tocsin::detect
