// Prompt-injection suspicion: instruction-like text where data was expected, in the
// user's turn, a retrieved document or a tool result.
//
// A score in [0, 1] from independent cues (1 - product of misses): overriding
// instructions ("ignore previous instructions"), role tags and chat-template marks,
// commands addressed to an assistant, demands for secrecy, exfiltration (send … to a
// URL or address, image links with data in the query), encoded blobs, invisible characters.
// It is a suspicion: the caller combines it with what the model then did.
// O(text), bounded, thread-safe; no text is ever executed or followed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "behavior/generation_input.h"

namespace tocsin::behavior {

enum class InjectionSource : std::uint8_t { kPrompt, kDocument, kToolResult };

struct InjectionFinding {
  InjectionSource source = InjectionSource::kPrompt;
  std::string source_id;          // document id or tool name, empty for the prompt
  double score = 0.0;             // [0, 1]
  std::vector<std::string> cues;  // "override", "role_tag", … sorted, unique
  std::string excerpt;            // around the strongest cue, at most 200 bytes
};

struct InjectionResult {
  double score = 0.0;                      // the largest of the findings
  std::vector<InjectionFinding> findings;  // with score >= threshold, strongest first, at most 16
};

inline constexpr double kInjectionThreshold = 0.5;

// `from_user` lowers the weight of plain imperatives, which users are entitled to.
InjectionFinding ScoreInjection(std::string_view text, bool from_user);

InjectionResult CheckInjection(const GenerationInput& input);

}  // namespace tocsin::behavior
