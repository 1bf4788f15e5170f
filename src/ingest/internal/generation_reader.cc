#include "ingest/internal/generation_reader.h"

#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "kernel/id.h"

namespace tocsin::ingest::internal {
namespace {

using signal::Generation;

bool IsOneOf(std::string_view value, std::initializer_list<std::string_view> set) {
  return std::find(set.begin(), set.end(), value) != set.end();
}

}  // namespace

std::optional<int64_t> IntegerOf(const Node* node) {
  if (node == nullptr) return std::nullopt;
  if (node->kind == NodeKind::kInt) return node->integer;
  if (node->kind == NodeKind::kDouble && std::fabs(node->number) < 9e15) return std::llround(node->number);
  if (!node->is_text()) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(node->text.data(), node->text.data() + node->text.size(), value);
  if (error != std::errc() || end != node->text.data() + node->text.size()) return std::nullopt;
  return value;
}

std::optional<double> NumberOf(const Node* node) {
  if (node == nullptr) return std::nullopt;
  if (node->kind == NodeKind::kDouble && std::isfinite(node->number)) return node->number;
  if (node->kind == NodeKind::kInt) return static_cast<double>(node->integer);
  if (!node->is_text()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(node->text.data(), node->text.data() + node->text.size(), value);
  if (error != std::errc() || end != node->text.data() + node->text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

std::string GenerationReader::Id(const AttributeKeys& keys, Key key) {
  const Node* node = keys.Get(key);
  if (node == nullptr) return {};
  return bench_.writer.Plain(*node, bench_.options.limits.max_name_bytes, Redactor::Kind::kIdentifier);
}

std::string GenerationReader::Short(const AttributeKeys& keys, Key key) {
  const Node* node = keys.Get(key);
  return node == nullptr ? std::string() : bench_.writer.Plain(*node, bench_.options.limits.max_name_bytes);
}

std::string GenerationReader::Content(const Node* node) {
  return node == nullptr ? std::string() : bench_.writer.Plain(*node, bench_.options.limits.max_text_bytes);
}

bool GenerationReader::IsGeneration(const AttributeKeys& keys, bool has_event_messages) const {
  if (const Node* flag = keys.Get(Key::kGeneration)) {
    return (flag->kind == NodeKind::kBool && flag->integer != 0) || flag->text == "true";
  }
  const std::string_view operation = keys.Text(Key::kOperation);
  if (IsOneOf(operation, {"chat", "text_completion", "generate_content", "completion"})) return true;
  const std::string_view kind = keys.Text(Key::kKind);
  if (kind == "LLM") return true;
  // Wrappers (agents, chains, workflows) hold the answer of a call inside them: counting both counts it
  // twice.
  if (!operation.empty() || !kind.empty() || !keys.Text(Key::kTraceloopKind).empty()) return false;
  if (has_event_messages) return true;
  if (keys.Get(Key::kRequestModel) == nullptr && keys.Get(Key::kProvider) == nullptr) return false;
  return keys.Get(Key::kOutput) != nullptr || keys.Get(Key::kOldCompletion) != nullptr ||
         keys.Get(Key::kFinish) != nullptr || keys.Get(Key::kOutputTokens) != nullptr ||
         std::any_of(keys.flattened().begin(), keys.flattened().end(), [](const Node* n) {
           return n->key.starts_with(kFlatCompletion) || n->key.starts_with(kFlatOutput);
         });
}

bool GenerationReader::IsRetrieval(const AttributeKeys& keys) const {
  return keys.Text(Key::kOperation) == "retrieval" || keys.Text(Key::kKind) == "RETRIEVER";
}

bool GenerationReader::IsTool(const AttributeKeys& keys) const {
  return keys.Text(Key::kOperation) == "execute_tool" || keys.Text(Key::kKind) == "TOOL" ||
         keys.Text(Key::kTraceloopKind) == "tool";
}

uint8_t GenerationReader::AddSpanRecords(const AttributeKeys& keys, const Identity& id, EventMessages events,
                                         signal::Batch& batch) {
  if (!keys.any() && events.empty()) return kStays;
  if (IsTool(keys)) {
    AddTool(keys, id, batch);
    return kByTool;
  }
  if (IsRetrieval(keys)) {
    AddRetrieval(keys, id, batch);
    return kByRetrieval;
  }
  if (IsGeneration(keys, !events.empty())) {
    AddGeneration(keys, id, std::move(events), batch);
    return kByGeneration;
  }
  return kStays;
}

void GenerationReader::AddGeneration(const AttributeKeys& keys, const Identity& id, EventMessages events,
                                     signal::Batch& batch) {
  Generation& g = batch.generations.emplace_back();
  ReadIdentity(keys, id, g);
  ReadNumbers(keys, g);
  ReadInvocation(keys, g);
  ReadContent(keys, std::move(events), g);
  ReadError(keys, id, g);
  CleanTexts(g);
  NamePromptVersion(g);
  ReadSlices(keys, g);
  g.documents = Documents(keys);
}

void GenerationReader::ReadIdentity(const AttributeKeys& keys, const Identity& id, Generation& g) {
  g.trace_id = id.trace_id;
  g.span_id = id.span_id;
  g.parent_span_id = id.parent_span_id;
  g.time = id.time;
  g.duration = id.duration;
  g.service = context_.service;
  g.response_id = Id(keys, Key::kResponseId);
  g.conversation_id = Id(keys, Key::kConversation);
  g.operation = Short(keys, Key::kOperation);
  if (g.operation.empty()) g.operation = "chat";
  g.agent = Short(keys, Key::kAgent);
  g.prompt_name = Short(keys, Key::kPromptName);
  g.prompt_version = Short(keys, Key::kPromptVersion);
  g.provider = Short(keys, Key::kProvider);
  g.request_model = Short(keys, Key::kRequestModel);
  g.response_model = Short(keys, Key::kResponseModel);
  g.system_fingerprint = Id(keys, Key::kFingerprint);
  g.output_type = Short(keys, Key::kOutputType);
  g.user_id = Id(keys, Key::kUser);
  g.tenant = Short(keys, Key::kTenant);
  if (g.tenant.empty()) g.tenant = context_.tenant;
  g.locale = Short(keys, Key::kLocale);
  g.host = Short(keys, Key::kHost);
  if (g.host.empty()) g.host = context_.host;
  g.region = context_.region;
  g.service_version = context_.service_version;
  g.environment = context_.environment;
  g.index_version = Short(keys, Key::kIndexVersion);
}

void GenerationReader::ReadNumbers(const AttributeKeys& keys, Generation& g) {
  g.input_tokens = IntegerOf(keys.Get(Key::kInputTokens));
  g.output_tokens = IntegerOf(keys.Get(Key::kOutputTokens));
  g.max_tokens = IntegerOf(keys.Get(Key::kMaxTokens));
  g.temperature = NumberOf(keys.Get(Key::kTemperature));
  g.top_p = NumberOf(keys.Get(Key::kTopP));
  g.cost_usd = NumberOf(keys.Get(Key::kCost));
  g.time_to_first_chunk_s = NumberOf(keys.Get(Key::kTimeToFirst));
  if (const Node* finish = keys.Get(Key::kFinish)) {
    g.finish_reason = finish->kind == NodeKind::kArray && finish->first != nullptr
                          ? bench_.writer.Plain(*finish->first, bench_.options.limits.max_name_bytes)
                          : Short(keys, Key::kFinish);
  }
  if (const Node* tools = keys.Get(Key::kToolDefinitions)) {
    std::string text = tools->is_text() ? std::string(tools->text) : Content(tools);
    const uint64_t hash = StableHash(text);
    g.tool_schema_hash = HexEncode({reinterpret_cast<const char*>(&hash), sizeof(hash)});
  }
}

void GenerationReader::ReadInvocation(const AttributeKeys& keys, Generation& g) {
  const std::string_view text = keys.Text(Key::kInvocation);
  const Node* parameters = text.empty() ? keys.Get(Key::kInvocation) : bench_.json.Parse(text, bench_.arena);
  if (parameters == nullptr) return;
  if (!g.temperature) g.temperature = NumberOf(parameters->Find("temperature"));
  if (!g.top_p) g.top_p = NumberOf(parameters->Find("top_p"));
  for (const auto key : {"max_tokens", "max_completion_tokens"}) {
    if (!g.max_tokens) g.max_tokens = IntegerOf(parameters->Find(key));
  }
  if (const Node* model = parameters->Find("model"); g.request_model.empty() && model != nullptr) {
    g.request_model = bench_.writer.Plain(*model, bench_.options.limits.max_name_bytes);
  }
}

void GenerationReader::ReadError(const AttributeKeys& keys, const Identity& id, Generation& g) {
  g.error_type = Short(keys, Key::kErrorType);
  g.http_status = IntegerOf(keys.Get(Key::kHttpStatus));
  // "404" as the type of the error is the provider's status.
  if (!g.http_status && g.error_type.size() == 3) {
    if (const auto status = IntegerOf(keys.Get(Key::kErrorType)); status && *status >= 100 && *status < 600) {
      g.http_status = status;
    }
  }
  if (g.error_type.empty() && g.http_status && *g.http_status >= 400)
    g.error_type = std::to_string(*g.http_status);
  if (g.error_type.empty() && id.failed) g.error_type = "_OTHER";
}

void GenerationReader::ReadContent(const AttributeKeys& keys, EventMessages events, Generation& g) {
  const auto unflatten = [&](std::string_view prefix) {
    return Unflatten(keys.flattened(), prefix, bench_.arena);
  };
  const auto first = [&](std::string_view role, std::initializer_list<const Node*> sources) {
    for (const Node* source : sources) {
      if (source == nullptr) continue;
      if (auto found = messages_.Read(source, role); !found.empty()) return found;
    }
    return std::vector<Message>();
  };
  const bool flat = !keys.flattened().empty();
  auto input = first("user", {keys.Get(Key::kInput), flat ? unflatten(kFlatInput) : nullptr,
                              flat ? unflatten(kFlatPrompt) : nullptr, keys.Get(Key::kOldPrompt)});
  if (input.empty()) input = std::move(events.input);
  if (input.empty()) input = messages_.Read(keys.Get(Key::kInputValue), "user");
  auto output =
      first("assistant", {keys.Get(Key::kOutput), flat ? unflatten(kFlatOutput) : nullptr,
                          flat ? unflatten(kFlatCompletion) : nullptr, keys.Get(Key::kOldCompletion)});
  if (output.empty()) output = std::move(events.output);
  if (output.empty()) output = messages_.Read(keys.Get(Key::kOutputValue), "assistant");
  g.system = messages_.TextOf(keys.Get(Key::kSystem));
  PlaceInput(std::move(input), bench_.options.limits.max_text_bytes, g);
  PlaceOutput(std::move(output), g);
}

void GenerationReader::CleanTexts(Generation& g) {
  const size_t max = bench_.options.limits.max_text_bytes;
  const auto clean = [&](std::string& text, Redactor::Kind kind = Redactor::Kind::kText) {
    const std::string_view cleaned = bench_.cleaner.Clean(text, max, kind);
    if (cleaned.data() != text.data()) text = std::string(cleaned);
  };
  for (std::string* text : {&g.system, &g.input, &g.history, &g.output, &g.reasoning, &g.finish_reason})
    clean(*text);
  static constexpr size_t kMaxCalls = 256;
  if (g.tool_calls.size() > kMaxCalls) g.tool_calls.resize(kMaxCalls);
  for (auto& call : g.tool_calls) {
    clean(call.id, Redactor::Kind::kIdentifier);
    for (std::string* text : {&call.name, &call.arguments, &call.result}) clean(*text);
  }
}

void GenerationReader::NamePromptVersion(Generation& g) {
  if (!g.prompt_version.empty() || g.system.empty()) return;
  if (g.system != bench_.last_system) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(g.system.data()), g.system.size(), digest);
    bench_.last_system = g.system;
    bench_.last_version = "sha:" + HexEncode({reinterpret_cast<const char*>(digest), 6});
  }
  g.prompt_version = bench_.last_version;
}

void GenerationReader::ReadSlices(const AttributeKeys& keys, Generation& g) {
  static constexpr size_t kMaxSlices = 32, kMaxSliceBytes = 256;
  const auto add = [&](std::string_view key, const Node& value) {
    if (g.attributes.size() >= kMaxSlices || value.kind == NodeKind::kNull) return;
    std::string text =
        IsCredentialKey(key) ? std::string(kCredentialMarker) : bench_.writer.Plain(value, kMaxSliceBytes);
    g.attributes.emplace(bench_.Text(key, kMaxSliceBytes), std::move(text));
  };
  if (const Node* metadata = keys.Get(Key::kMetadata)) {
    const Node* map = metadata->is_text() ? bench_.json.Parse(metadata->text, bench_.arena) : metadata;
    if (map != nullptr && map->kind == NodeKind::kMap) {
      for (const Node* n = map->first; n != nullptr; n = n->next) add(n->key, *n);
    }
  }
  if (const Node* tags = keys.Get(Key::kTags)) add("tags", *tags);
  for (const Node* n : keys.flattened()) {
    if (n->key.starts_with(kFlatAssociation)) add(n->key.substr(kFlatAssociation.size()), *n);
  }
}

}  // namespace tocsin::ingest::internal
