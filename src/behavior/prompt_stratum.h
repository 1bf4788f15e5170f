// A fixed partition of prompts, the stratum a generation is compared within.
//
// The partition is a rule, not learnt: nothing of the reference or of the traffic goes into
// it, so pairs matched on it stay exactly exchangeable under no change. It looks at what most
// decides the shape of an answer: length of the prompt, whether it asks, orders or carries
// material, asks for code or a list. Callers with segments of their own use those on top.
// Thread-safe, O(prompt).
#pragma once

#include <cstdint>
#include <string>

#include "behavior/style_features.h"

namespace tocsin::behavior {

inline constexpr std::uint32_t kPromptStrata = 8;

std::uint32_t PromptStratum(const PromptVector& prompt);
std::string PromptStratumName(std::uint32_t stratum);  // "short question"

}  // namespace tocsin::behavior
