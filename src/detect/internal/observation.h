// Observation: one generation with its trace joined and everything measured on it. Record: what a stream
// keeps of it for evidence, about 2 KB.
//
// Value types; not shared between threads.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "behavior/generation_features.h"
#include "behavior/grounding.h"
#include "behavior/injection.h"
#include "behavior/prompt_stratum.h"
#include "detect/internal/codec.h"
#include "detect/internal/named_features.h"
#include "detect/internal/text_sketch.h"
#include "signal/generation.h"

namespace tocsin::detect {

// Recorded attributes watched as segments and contrasted; user-defined ones follow at kBuiltInAttributes.
enum class Attribute : uint8_t {
  kResponseModel,
  kSystemFingerprint,
  kPromptVersion,
  kToolSchemaHash,
  kIndexVersion,
  kSampling,  // temperature, top_p, max_tokens
  kTenant,
  kRegion,
  kLocale,
  kHost,
  kServiceVersion,
  kEnvironment,
  kProvider,
  kRequestModel,
  kCount
};
inline constexpr size_t kBuiltInAttributes = static_cast<size_t>(Attribute::kCount);
inline constexpr size_t kMaxUserAttributes = 8;
inline constexpr size_t kMaxAttributes = kBuiltInAttributes + kMaxUserAttributes;
using AttributeValues = std::array<std::string, kMaxAttributes>;  // "" = not recorded

struct Observation {
  signal::Generation generation;  // documents and tool results joined
  bool retrieved = false;         // a retrieval belongs to it
  std::string query_embedding_model, index_embedding_model, data_source;
  behavior::GenerationFeatures features;
  NamedValues values{};
  AttributeValues attributes;
  behavior::InjectionResult injection;
  std::string note;  // what a check found: "unsupported: ACC-4417"
  Sketch prompt_sketch{}, output_sketch{};
};

struct Record {
  uint64_t index = 0;  // number of the generation in its stream, from 1
  Time time;
  uint8_t stratum = 0;
  NamedValues values{};
  NamedValues ranks{};  // p of RankDetector, NaN when it did not bet
  behavior::StyleVector style{};
  Sketch prompt_sketch{}, output_sketch{};
  std::array<uint16_t, kMaxAttributes> attributes{};  // interned; 0 = not recorded
  std::string trace_id, span_id, response_id, conversation_id;
  std::string prompt, output, note;  // excerpts

  void Save(ByteWriter& out) const;
  void Restore(ByteReader& in);
};

// Joins, measures, checks. `names` learns n-grams. O(text).
struct MeasureOptions {
  behavior::GroundingOptions grounding;
  std::vector<std::string> user_attributes;
};
void Measure(Observation& observation, const MeasureOptions& options, behavior::NgramNames* names);

// Evidence of an observation; attributes are left to the caller to intern.
Record MakeRecord(const Observation& observation, uint64_t index);

// The first `bytes` of a text, cut at a UTF-8 boundary, with "…" when cut.
std::string Excerpt(std::string_view text, size_t bytes);

}  // namespace tocsin::detect
