// The neighbours of a generation: retrievals, tool executions, evaluations and feedback as events.
#include <algorithm>

#include "ingest/internal/generation_reader.h"
#include "kernel/id.h"

namespace tocsin::ingest::internal {
namespace {

constexpr size_t kMaxDocuments = 1000;

const Node* FirstOf(const Node& node, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (const Node* found = node.Find(key)) return found;
  }
  return nullptr;
}

}  // namespace

std::vector<signal::Document> GenerationReader::Documents(const AttributeKeys& keys) {
  const Node* list = keys.Get(Key::kDocuments);
  if (list != nullptr && list->is_text()) list = bench_.json.Parse(list->text, bench_.arena);
  if (list == nullptr && !keys.flattened().empty())
    list = Unflatten(keys.flattened(), kFlatDocuments, bench_.arena);
  std::vector<signal::Document> documents;
  if (list == nullptr) return documents;
  if (const Node* inner = FirstOf(*list, {"documents", "results"}); inner != nullptr) list = inner;
  if (list->kind != NodeKind::kArray) return documents;
  for (const Node* n = list->first; n != nullptr && documents.size() < kMaxDocuments; n = n->next) {
    auto& document = documents.emplace_back();
    if (n->is_text()) {
      document.text = Content(n);
      continue;
    }
    const Node* inner = n->Find("document");
    const Node& from = inner != nullptr && inner->kind == NodeKind::kMap ? *inner : *n;
    if (const Node* id = FirstOf(from, {"id", "document_id"})) {
      document.id =
          bench_.writer.Plain(*id, bench_.options.limits.max_name_bytes, Redactor::Kind::kIdentifier);
    }
    document.text = Content(FirstOf(from, {"content", "text", "page_content"}));
    document.score = NumberOf(FirstOf(from, {"score"}));
  }
  return documents;
}

void GenerationReader::AddRetrieval(const AttributeKeys& keys, const Identity& id, signal::Batch& batch) {
  auto& r = batch.retrievals.emplace_back();
  r.trace_id = id.trace_id;
  r.span_id = id.span_id;
  r.parent_span_id = id.parent_span_id;
  r.time = id.time;
  r.duration = id.duration;
  r.service = context_.service;
  r.conversation_id = Id(keys, Key::kConversation);
  r.data_source = Short(keys, Key::kDataSource);
  r.query = Content(keys.Get(Key::kQuery));
  if (r.query.empty()) r.query = Content(keys.Get(Key::kInputValue));
  r.query_embedding_model = Short(keys, Key::kQueryEmbedding);
  if (r.query_embedding_model.empty()) r.query_embedding_model = Short(keys, Key::kEmbeddingModel);
  if (r.query_embedding_model.empty()) r.query_embedding_model = Short(keys, Key::kRequestModel);
  r.index_embedding_model = Short(keys, Key::kIndexEmbedding);
  r.index_version = Short(keys, Key::kIndexVersion);
  r.documents = Documents(keys);
  // Documents only in output.value: a JSON list, or the text itself as one passage.
  if (const Node* output = keys.Get(Key::kOutputValue); r.documents.empty() && output != nullptr) {
    r.documents.push_back({"", Content(output), std::nullopt});
  }
}

void GenerationReader::AddTool(const AttributeKeys& keys, const Identity& id, signal::Batch& batch) {
  auto& t = batch.tool_executions.emplace_back();
  t.trace_id = id.trace_id;
  t.span_id = id.span_id;
  t.parent_span_id = id.parent_span_id;
  t.time = id.time;
  t.duration = id.duration;
  t.service = context_.service;
  t.conversation_id = Id(keys, Key::kConversation);
  t.call_id = Id(keys, Key::kToolCallId);
  t.name = Short(keys, Key::kToolName);
  t.arguments = Content(keys.Get(Key::kToolArguments));
  if (t.arguments.empty()) t.arguments = Content(keys.Get(Key::kInputValue));
  t.result = Content(keys.Get(Key::kToolResult));
  if (t.result.empty()) t.result = Content(keys.Get(Key::kOutputValue));
  t.failed = id.failed || keys.Get(Key::kErrorType) != nullptr;
}

void GenerationReader::AddEvaluation(const AttributeKeys& keys, const Identity& id, signal::Batch& batch) {
  signal::Evaluation e;
  e.time = id.time;
  e.trace_id = id.trace_id;
  e.span_id = id.span_id;
  e.service = context_.service;
  e.response_id = Id(keys, Key::kResponseId);
  e.name = Short(keys, Key::kEvalName);
  e.score = NumberOf(keys.Get(Key::kEvalScore));
  e.label = Short(keys, Key::kEvalLabel);
  e.explanation = Content(keys.Get(Key::kEvalExplanation));
  e.evaluator = Short(keys, Key::kEvaluator);
  if (e.name == "user_feedback" || e.name == "user-feedback") {
    signal::Feedback f;
    f.time = e.time;
    f.trace_id = e.trace_id;
    f.span_id = e.span_id;
    f.response_id = e.response_id;
    f.conversation_id = Id(keys, Key::kConversation);
    f.service = e.service;
    if (e.score) f.score = std::clamp(*e.score, -1.0, 1.0);
    f.label = e.label;
    if (!f.score && (f.label == "thumbs_up" || f.label == "up" || f.label == "positive")) f.score = 1;
    if (!f.score && (f.label == "thumbs_down" || f.label == "down" || f.label == "negative")) f.score = -1;
    f.comment = e.explanation;
    f.user_id = Id(keys, Key::kUser);
    const std::string content = f.trace_id + "|" + f.span_id + "|" + f.response_id + "|" +
                                std::to_string(f.time.ns) + "|" + f.label + "|" + f.comment;
    f.id = "ev:" + Base32(StableHash(content), 13);
    batch.feedbacks.push_back(std::move(f));
  }
  batch.evaluations.push_back(std::move(e));
}

}  // namespace tocsin::ingest::internal
