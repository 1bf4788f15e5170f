#include "detect/internal/named_features.h"

#include <algorithm>
#include <cmath>

namespace tocsin::detect {
namespace {

using K = FindingKind;
using S = Scale;

// name, unit, scale, kind, weight, segments, pages, least ratio, up, down, bad
constexpr std::array<NamedSpec, kNamedCount> kSpecs{{
    {"length.chars", "characters", S::kLog, K::kBehavior, 3, true, true, 0, "answers are longer",
     "answers are shorter", 0},
    {"stance.refusal", "share", S::kBinary, K::kBehavior, 3, true, true, 0, "more refusals", "fewer refusals",
     0},
    {"stance.hedging", "rate", S::kUnit, K::kBehavior, 1, true, true, 0, "more hedging", "less hedging", 0},
    {"stance.apology", "rate", S::kUnit, K::kBehavior, 1, true, true, 0, "more apologies", "fewer apologies",
     0},
    {"stance.flattery", "rate", S::kUnit, K::kBehavior, 1, true, true, 0, "more agreement and flattery",
     "less agreement and flattery", 0},
    {"words.repetition", "rate", S::kUnit, K::kBehavior, 1, false, true, 0, "more repeated phrases",
     "fewer repeated phrases", 0},
    {"language.differs", "share", S::kBinary, K::kBehavior, 1, true, true, 0,
     "more answers in another language than the question",
     "fewer answers in another language than the question", 0},
    {"format.json", "share", S::kBinary, K::kBehavior, 2, true, true, 0, "more answers in valid JSON",
     "fewer answers in valid JSON", 0},
    {"format.code_broken", "share", S::kBinary, K::kBehavior, 1, false, true, 0,
     "more code blocks with unbalanced brackets", "fewer code blocks with unbalanced brackets", 0},
    {"format.code_fences", "share", S::kBinary, K::kBehavior, 1, true, true, 0,
     "more answers with fenced code blocks", "fewer answers with fenced code blocks", 0},
    {"format.lists", "share", S::kBinary, K::kBehavior, 1, true, true, 0, "more answers with lists",
     "fewer answers with lists", 0},
    {"structure.steps", "rate", S::kUnit, K::kBehavior, 1, false, true, 0, "more step-by-step reasoning",
     "less step-by-step reasoning", 0},
    {"format.boxed", "share", S::kBinary, K::kBehavior, 1, false, true, 0, "more boxed answers",
     "fewer boxed answers", 0},
    {"format.yes_no_first", "share", S::kBinary, K::kBehavior, 1, false, true, 0,
     "more answers opening with yes or no", "fewer answers opening with yes or no", 0},
    {"grounding.unsupported", "share", S::kBinary, K::kGrounding, 10, true, true, 0,
     "more answers naming identifiers absent from their context",
     "fewer answers naming identifiers absent from their context", 1},
    {"action.unmatched_claim", "share", S::kBinary, K::kActionClaim, 10, true, true, 0,
     "more answers claiming an action that no tool performed",
     "fewer answers claiming an action that no tool performed", 1},
    {"finish.truncated", "share", S::kBinary, K::kBehavior, 3, true, true, 0,
     "more answers cut at the token limit", "fewer answers cut at the token limit", 1},
    {"output.empty", "share", S::kBinary, K::kBehavior, 3, true, true, 0, "more empty answers",
     "fewer empty answers", 1},
    {"error.rate", "share", S::kBinary, K::kBehavior, 3, true, true, 0, "more failed calls",
     "fewer failed calls", 1},
    {"tools.call_rate", "share", S::kBinary, K::kBehavior, 2, true, true, 0, "more answers that call a tool",
     "fewer answers that call a tool", 0},
    {"tools.empty_result", "share", S::kBinary, K::kBehavior, 3, false, true, 0,
     "more tool calls that return nothing", "fewer tool calls that return nothing", 1},
    {"latency", "ms", S::kLog, K::kBehavior, 1, false, false, 1.5, "slower answers", "faster answers", 1},
    {"tokens.output", "tokens", S::kLog, K::kBehavior, 1, false, false, 1.5, "more output tokens",
     "fewer output tokens", 1},
    {"cost", "millionths of a dollar", S::kLog, K::kBehavior, 1, false, false, 1.5, "dearer answers",
     "cheaper answers", 1},
    {"retrieval.top_score", "score", S::kUnit, K::kRetrieval, 2, true, true, 0,
     "the best passages score higher", "the best passages score lower", -1},
    {"retrieval.empty", "share", S::kBinary, K::kRetrieval, 3, true, true, 0,
     "more retrievals that return nothing", "fewer retrievals that return nothing", 1},
    {"retrieval.support", "share", S::kUnit, K::kRetrieval, 3, true, true, 0,
     "the passages hold more of the answer", "the passages hold less of the answer", -1},
    {"feedback", "score", S::kSigned, K::kFeedback, 5, true, true, 0, "satisfaction rose",
     "satisfaction fell", -1},
}};

}  // namespace

const NamedSpec& SpecOf(size_t index) { return kSpecs[index]; }
const NamedSpec& SpecOf(Named feature) { return kSpecs[static_cast<size_t>(feature)]; }

double TotalNamedWeight() {
  double total = 0;
  for (const auto& spec : kSpecs) total += spec.weight;
  return total;
}

size_t BinCount(const NamedSpec& spec) { return spec.scale == Scale::kBinary ? 2 : kNamedBins; }

size_t BinOf(const NamedSpec& spec, double value) {
  double unit = value;
  switch (spec.scale) {
    case Scale::kBinary:
      return value > 0.5 ? 1 : 0;
    case Scale::kUnit:
      unit = std::sqrt(std::clamp(value, 0.0, 1.0));
      break;
    case Scale::kLog:
      unit = std::log1p(std::max(value, 0.0)) / 12.0;
      break;
    case Scale::kScore: {
      const double squashed =
          value < 0 ? value / (1.0 - value) : (value <= 1 ? value : 1.0 + std::log(value) / 5.0);
      unit = (squashed + 1.0) / 3.0;
      break;
    }
    case Scale::kSigned:
      unit = (std::clamp(value, -1.0, 1.0) + 1.0) / 2.0;
      break;
  }
  const double bin = std::clamp(unit, 0.0, 1.0) * static_cast<double>(kNamedBins - 1) + 0.5;
  return static_cast<size_t>(bin);
}

}  // namespace tocsin::detect
