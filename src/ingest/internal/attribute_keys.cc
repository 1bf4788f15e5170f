#include "ingest/internal/attribute_keys.h"

#include <algorithm>
#include <charconv>

#include "kernel/id.h"

namespace tocsin::ingest::internal {
namespace {

struct Name {
  std::string_view text;
  Key key;
  uint8_t rank;  // 3 OTel, 2 OpenInference and Tocsin, 1 older
  uint8_t content;
};

constexpr Name kNames[] = {
    {"gen_ai.operation.name", Key::kOperation, 3, kStays},
    {"llm.request.type", Key::kOperation, 1, kStays},
    {"openinference.span.kind", Key::kKind, 2, kStays},
    {"traceloop.span.kind", Key::kTraceloopKind, 1, kStays},
    {"gen_ai.provider.name", Key::kProvider, 3, kStays},
    {"gen_ai.system", Key::kProvider, 2, kStays},
    {"llm.provider", Key::kProvider, 1, kStays},
    {"llm.system", Key::kProvider, 0, kStays},
    {"gen_ai.conversation.id", Key::kConversation, 3, kStays},
    {"session.id", Key::kConversation, 2, kStays},
    {"traceloop.association.properties.session_id", Key::kConversation, 1, kStays},
    {"gen_ai.output.type", Key::kOutputType, 3, kStays},
    {"gen_ai.request.model", Key::kRequestModel, 3, kStays},
    {"llm.model_name", Key::kRequestModel, 2, kStays},
    {"llm.request.model", Key::kRequestModel, 1, kStays},
    {"gen_ai.request.max_tokens", Key::kMaxTokens, 3, kStays},
    {"llm.request.max_tokens", Key::kMaxTokens, 1, kStays},
    {"gen_ai.request.temperature", Key::kTemperature, 3, kStays},
    {"gen_ai.request.top_p", Key::kTopP, 3, kStays},
    {"llm.invocation_parameters", Key::kInvocation, 2, kStays},
    {"gen_ai.response.id", Key::kResponseId, 3, kStays},
    {"gen_ai.response.model", Key::kResponseModel, 3, kStays},
    {"llm.response.model", Key::kResponseModel, 1, kStays},
    {"gen_ai.response.finish_reasons", Key::kFinish, 3, kStays},
    {"gen_ai.response.finish_reason", Key::kFinish, 2, kStays},
    {"llm.response.finish_reason", Key::kFinish, 1, kStays},
    {"gen_ai.response.time_to_first_chunk", Key::kTimeToFirst, 3, kStays},
    {"gen_ai.server.time_to_first_token", Key::kTimeToFirst, 1, kStays},
    {"gen_ai.response.system_fingerprint", Key::kFingerprint, 3, kStays},
    {"openai.response.system_fingerprint", Key::kFingerprint, 2, kStays},
    {"gen_ai.openai.response.system_fingerprint", Key::kFingerprint, 1, kStays},
    {"gen_ai.usage.input_tokens", Key::kInputTokens, 3, kStays},
    {"llm.token_count.prompt", Key::kInputTokens, 2, kStays},
    {"gen_ai.usage.prompt_tokens", Key::kInputTokens, 1, kStays},
    {"llm.usage.prompt_tokens", Key::kInputTokens, 0, kStays},
    {"gen_ai.usage.output_tokens", Key::kOutputTokens, 3, kStays},
    {"llm.token_count.completion", Key::kOutputTokens, 2, kStays},
    {"gen_ai.usage.completion_tokens", Key::kOutputTokens, 1, kStays},
    {"llm.usage.completion_tokens", Key::kOutputTokens, 0, kStays},
    {"tocsin.cost_usd", Key::kCost, 3, kStays},
    {"gen_ai.usage.cost", Key::kCost, 2, kStays},
    {"llm.cost.total", Key::kCost, 1, kStays},
    {"gen_ai.system_instructions", Key::kSystem, 3, kByGeneration},
    {"gen_ai.input.messages", Key::kInput, 3, kByGeneration},
    {"gen_ai.output.messages", Key::kOutput, 3, kByGeneration},
    {"gen_ai.prompt", Key::kOldPrompt, 1, kByGeneration},
    {"gen_ai.completion", Key::kOldCompletion, 1, kByGeneration},
    {"gen_ai.tool.definitions", Key::kToolDefinitions, 3, kStays},
    {"llm.request.functions", Key::kToolDefinitions, 1, kStays},
    {"input.value", Key::kInputValue, 2, kByAny},
    {"traceloop.entity.input", Key::kInputValue, 1, kByAny},
    {"output.value", Key::kOutputValue, 2, kByAny},
    {"traceloop.entity.output", Key::kOutputValue, 1, kByAny},
    {"gen_ai.agent.name", Key::kAgent, 3, kStays},
    {"agent.name", Key::kAgent, 2, kStays},
    {"gen_ai.tool.name", Key::kToolName, 3, kStays},
    {"tool.name", Key::kToolName, 2, kStays},
    {"tool_call.function.name", Key::kToolName, 2, kStays},
    {"traceloop.entity.name", Key::kToolName, 1, kStays},
    {"gen_ai.tool.call.id", Key::kToolCallId, 3, kStays},
    {"tool_call.id", Key::kToolCallId, 2, kStays},
    {"tool.id", Key::kToolCallId, 1, kStays},
    {"gen_ai.tool.call.arguments", Key::kToolArguments, 3, kByTool},
    {"tool_call.function.arguments", Key::kToolArguments, 2, kByTool},
    {"tool.parameters", Key::kToolArguments, 1, kByTool},
    {"gen_ai.tool.call.result", Key::kToolResult, 3, kByTool},
    {"gen_ai.data_source.id", Key::kDataSource, 3, kStays},
    {"gen_ai.retrieval.documents", Key::kDocuments, 3, kByGeneration | kByRetrieval},
    {"retrieval.documents", Key::kDocuments, 2, kByGeneration | kByRetrieval},
    {"gen_ai.retrieval.query.text", Key::kQuery, 3, kByRetrieval},
    {"embedding.model_name", Key::kEmbeddingModel, 2, kStays},
    {"gen_ai.prompt.name", Key::kPromptName, 3, kStays},
    {"tocsin.prompt.name", Key::kPromptName, 2, kStays},
    {"llm.prompt_template.name", Key::kPromptName, 2, kStays},
    {"traceloop.prompt.key", Key::kPromptName, 1, kStays},
    {"llm.prompt_template.version", Key::kPromptVersion, 3, kStays},
    {"tocsin.prompt.version", Key::kPromptVersion, 2, kStays},
    {"traceloop.prompt.version", Key::kPromptVersion, 1, kStays},
    {"metadata", Key::kMetadata, 2, kStays},
    {"tag.tags", Key::kTags, 2, kStays},
    {"user.id", Key::kUser, 3, kStays},
    {"enduser.id", Key::kUser, 2, kStays},
    {"gen_ai.user.id", Key::kUser, 1, kStays},
    {"traceloop.association.properties.user_id", Key::kUser, 1, kStays},
    {"tocsin.tenant", Key::kTenant, 3, kStays},
    {"tenant.id", Key::kTenant, 1, kStays},
    {"tocsin.locale", Key::kLocale, 3, kStays},
    {"user.locale", Key::kLocale, 1, kStays},
    {"server.address", Key::kHost, 3, kStays},
    {"tocsin.index.version", Key::kIndexVersion, 3, kStays},
    {"tocsin.retrieval.query_embedding_model", Key::kQueryEmbedding, 3, kStays},
    {"tocsin.retrieval.index_embedding_model", Key::kIndexEmbedding, 3, kStays},
    {"tocsin.generation", Key::kGeneration, 3, kStays},
    {"error.type", Key::kErrorType, 3, kStays},
    {"http.response.status_code", Key::kHttpStatus, 3, kStays},
    {"http.status_code", Key::kHttpStatus, 1, kStays},
    {"gen_ai.evaluation.name", Key::kEvalName, 3, kStays},
    {"gen_ai.evaluation.score.value", Key::kEvalScore, 3, kStays},
    {"gen_ai.evaluation.score.label", Key::kEvalLabel, 3, kStays},
    {"gen_ai.evaluation.explanation", Key::kEvalExplanation, 3, kStays},
    {"tocsin.evaluator", Key::kEvaluator, 3, kStays},
    {"gen_ai.evaluation.evaluator", Key::kEvaluator, 2, kStays},
};

// Open addressing over the names; built once.
class NameTable {
 public:
  static constexpr size_t kSlots = 512;
  NameTable() {
    for (const Name& name : kNames) {
      size_t i = StableHash(name.text) % kSlots;
      while (slots_[i] != nullptr) i = (i + 1) % kSlots;
      slots_[i] = &name;
    }
  }
  const Name* Find(std::string_view key) const {
    for (size_t i = StableHash(key) % kSlots; slots_[i] != nullptr; i = (i + 1) % kSlots) {
      if (slots_[i]->text == key) return slots_[i];
    }
    return nullptr;
  }

 private:
  std::array<const Name*, kSlots> slots_{};
};

uint8_t FlattenedContent(std::string_view key, bool& flattened) {
  flattened = true;
  if (key.starts_with(kFlatInput) || key.starts_with(kFlatOutput)) return kByGeneration;
  if (key.starts_with(kFlatPrompt) || key.starts_with(kFlatCompletion)) return kByGeneration;
  if (key.starts_with(kFlatDocuments)) return kByGeneration | kByRetrieval;
  if (key.starts_with(kFlatAssociation)) return kStays;
  flattened = false;
  return kStays;
}

bool IndexOf(std::string_view key, uint32_t& index) {
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  return error == std::errc() && end == key.data() + key.size() && key.size() <= 9;
}

Node* ChildOf(Node& parent, std::string_view key, Arena& arena) {
  parent.kind = NodeKind::kMap;
  if (parent.last != nullptr && parent.last->key == key) return parent.last;
  for (Node* n = parent.first; n != nullptr; n = n->next) {
    if (n->key == key) return n;
  }
  Node* made = arena.NewNode();
  made->key = key;
  parent.Append(made);
  return made;
}

// Maps whose keys are all numbers become arrays in their order.
void NumberedToArrays(Node& node) {
  if (node.kind != NodeKind::kMap) return;
  std::vector<std::pair<uint32_t, Node*>> numbered;
  for (Node* n = node.first; n != nullptr; n = n->next) {
    if (n->moved_by == 0) NumberedToArrays(*n);
    uint32_t index = 0;
    if (IndexOf(n->key, index)) numbered.emplace_back(index, n);
  }
  if (numbered.empty() || numbered.size() != node.count) return;
  std::sort(numbered.begin(), numbered.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  node.first = node.last = nullptr;
  node.count = 0;
  node.kind = NodeKind::kArray;
  for (const auto& [index, child] : numbered) {
    child->next = nullptr;
    node.Append(child);
  }
}

}  // namespace

void AttributeKeys::Add(Node& map) {
  static const NameTable table;
  const bool again = any_;
  for (Node* n = map.first; n != nullptr; n = n->next) {
    if (const Name* name = table.Find(n->key)) {
      n->moved_by = name->content;
      Slot& slot = slots_[static_cast<size_t>(name->key)];
      if (slot.node == nullptr || (!again && name->rank > slot.rank)) slot = {n, name->rank};
      any_ = true;
      continue;
    }
    if (n->key.size() < 12) continue;
    bool flattened = false;
    n->moved_by = FlattenedContent(n->key, flattened);
    if (flattened) {
      flattened_.push_back(n);
      any_ = true;
    }
  }
}

const Node* Unflatten(const std::vector<const Node*>& flattened, std::string_view prefix, Arena& arena) {
  static constexpr int kMaxSegments = 16;
  Node* root = nullptr;
  for (const Node* leaf : flattened) {
    if (!leaf->key.starts_with(prefix)) continue;
    if (root == nullptr) root = arena.NewNode();
    Node* at = root;
    std::string_view path = leaf->key.substr(prefix.size());
    for (int depth = 0; !path.empty() && depth < kMaxSegments; ++depth) {
      const size_t dot = depth + 1 == kMaxSegments ? std::string_view::npos : path.find('.');
      if (at->moved_by != 0) break;  // a value stands where a branch would grow
      at = ChildOf(*at, path.substr(0, dot), arena);
      path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
    }
    if (at == root || at->moved_by != 0 || at->first != nullptr) continue;
    const std::string_view key = at->key;
    Node* const next = at->next;
    *at = *leaf;
    at->key = key;
    at->next = next;
    at->moved_by = 1;  // a leaf: its value stays as it is
  }
  if (root != nullptr) NumberedToArrays(*root);
  return root;
}

}  // namespace tocsin::ingest::internal
