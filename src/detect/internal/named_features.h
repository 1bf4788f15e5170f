// The named monitors' features: what each is called, how it is binned, whose evidence it is.
// Values are NaN when they do not apply to a generation. Tables are immutable; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "detect/finding.h"

namespace tocsin::detect {

enum class Named : uint8_t {
  kLength,
  kRefusal,
  kHedging,
  kApology,
  kFlattery,
  kRepetition,
  kOtherLanguage,
  kJson,
  kCodeBroken,
  kCodeFences,
  kLists,
  kSteps,
  kBoxed,
  kYesNo,
  kUnsupported,
  kUnmatchedClaim,
  kTruncated,
  kEmpty,
  kError,
  kToolCall,
  kToolEmpty,
  kLatency,
  kTokens,
  kCost,
  kRetrievalScore,
  kRetrievalEmpty,
  kSupport,
  kFeedback,  // one value per feedback, not per generation
  kCount
};
inline constexpr size_t kNamedCount = static_cast<size_t>(Named::kCount);
using NamedValues = std::array<float, kNamedCount>;
inline float& At(NamedValues& values, Named feature) { return values[static_cast<size_t>(feature)]; }
inline float At(const NamedValues& values, Named feature) { return values[static_cast<size_t>(feature)]; }

// {0,1}, [0,1], ln(1+x), [-1,1], any score (an evaluator's scale is not known)
enum class Scale : uint8_t { kBinary, kUnit, kLog, kSigned, kScore };

struct NamedSpec {
  std::string_view name;
  std::string_view unit;  // of the value shown
  Scale scale;
  FindingKind kind;
  double weight;              // share of the named monitors' alpha, relative
  bool in_segments;           // watched per segment too
  bool pages;                 // may open an incident that wakes somebody
  double least_ratio;         // an alarm with a smaller ratio of means is not material (0 = any)
  std::string_view up, down;  // words
  int8_t bad;                 // which way opens an incident: +1 up, -1 down, 0 either
};
const NamedSpec& SpecOf(Named feature);
const NamedSpec& SpecOf(size_t index);
double TotalNamedWeight();

inline constexpr size_t kNamedBins = 64;
size_t BinCount(const NamedSpec& spec);
size_t BinOf(const NamedSpec& spec, double value);

}  // namespace tocsin::detect
