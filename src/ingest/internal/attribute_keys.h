// AttributeKeys: the attributes that mean something, whatever the convention's name for them, found in one
// pass over a span or event. docs/formats/generation-mapping.md is this table in words.
// Ownership: slots point into the item's nodes. Thread-safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "ingest/internal/node.h"

namespace tocsin::ingest::internal {

enum class Key : uint8_t {
  kAgent,
  kConversation,
  kCost,
  kDataSource,
  kDocuments,
  kEmbeddingModel,
  kErrorType,
  kEvalExplanation,
  kEvalLabel,
  kEvalName,
  kEvalScore,
  kEvaluator,
  kFingerprint,
  kFinish,
  kGeneration,
  kHost,
  kHttpStatus,
  kIndexEmbedding,
  kIndexVersion,
  kInput,
  kInputTokens,
  kInputValue,
  kInvocation,
  kKind,
  kLocale,
  kMaxTokens,
  kMetadata,
  kOldCompletion,
  kOldPrompt,
  kOperation,
  kOutput,
  kOutputTokens,
  kOutputType,
  kOutputValue,
  kPromptName,
  kPromptVersion,
  kProvider,
  kQuery,
  kQueryEmbedding,
  kRequestModel,
  kResponseId,
  kResponseModel,
  kSystem,
  kTags,
  kTemperature,
  kTenant,
  kTimeToFirst,
  kToolArguments,
  kToolCallId,
  kToolDefinitions,
  kToolName,
  kToolResult,
  kTopP,
  kTraceloopKind,
  kUser,
  kCount
};

// Which record takes an attribute's text out of attributes_json (Node::moved_by).
enum Content : uint8_t { kStays = 0, kByGeneration = 1, kByRetrieval = 2, kByTool = 4, kByAny = 7 };

class AttributeKeys {
 public:
  // Recognises the children of a map. A name of higher rank wins; among equals the first seen. Later calls
  // (events of the span) only fill what is still unknown.
  void Add(Node& map);

  const Node* Get(Key key) const { return slots_[static_cast<size_t>(key)].node; }
  // The text of a string attribute, "" when absent or of another kind.
  std::string_view Text(Key key) const {
    const Node* node = Get(key);
    return node != nullptr && node->is_text() ? node->text : std::string_view();
  }
  // "llm.input_messages.0.message.content" and the like, in order of arrival.
  const std::vector<const Node*>& flattened() const { return flattened_; }
  bool any() const { return any_; }

 private:
  struct Slot {
    const Node* node = nullptr;
    uint8_t rank = 0;
  };
  std::array<Slot, static_cast<size_t>(Key::kCount)> slots_{};
  std::vector<const Node*> flattened_;
  bool any_ = false;
};

// The flattened families, as prefixes of their keys.
inline constexpr std::string_view kFlatInput = "llm.input_messages.";
inline constexpr std::string_view kFlatOutput = "llm.output_messages.";
inline constexpr std::string_view kFlatPrompt = "gen_ai.prompt.";
inline constexpr std::string_view kFlatCompletion = "gen_ai.completion.";
inline constexpr std::string_view kFlatDocuments = "retrieval.documents.";
inline constexpr std::string_view kFlatAssociation = "traceloop.association.properties.";

// The attributes of one family as a tree: numbered places become arrays. Null when there are none.
const Node* Unflatten(const std::vector<const Node*>& flattened, std::string_view prefix, Arena& arena);

}  // namespace tocsin::ingest::internal
