// Anthropic's /v1/messages.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "ports/model/internal/bounded_json.h"
#include "ports/model/internal/protocol.h"

namespace tocsin::ports::internal {
namespace {

using nlohmann::json;

constexpr const char* kKept = "anthropic";  // member of ModelMessage::provider_json
constexpr std::string_view kFirstVersionWithoutTemperature = "2026-10-21";

json WriteAssistant(const ModelMessage& message) {
  if (!message.provider_json.empty()) {
    const json kept = ParseBoundedJson(message.provider_json);
    if (const json& blocks = MemberOf(kept, kKept); blocks.is_array()) return blocks;
  }
  json blocks = json::array();
  if (!message.text.empty()) blocks.push_back({{"type", "text"}, {"text", message.text}});
  for (const ModelToolCall& call : message.tool_calls) {
    json input = ParseBoundedJson(call.arguments_json);
    if (!input.is_object()) input = json::object();
    blocks.push_back(
        {{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", std::move(input)}});
  }
  return blocks;
}

// Turns alternate: neighbours of one role are one message, results of tools before the text of a person.
json WriteMessages(const std::vector<ModelMessage>& messages) {
  json written = json::array();
  const auto add = [&](const char* role, json block) {
    if (written.empty() || written.back()["role"] != role) {
      written.push_back({{"role", role}, {"content", json::array()}});
    }
    written.back()["content"].push_back(std::move(block));
  };
  for (const ModelMessage& message : messages) {
    if (message.role == ModelMessage::Role::kAssistant) {
      for (json& block : WriteAssistant(message)) add("assistant", std::move(block));
    } else if (message.role == ModelMessage::Role::kTool) {
      json result = {
          {"type", "tool_result"}, {"tool_use_id", message.tool_call_id}, {"content", message.text}};
      if (message.tool_failed) result["is_error"] = true;
      add("user", std::move(result));
    } else if (!message.text.empty()) {
      add("user", {{"type", "text"}, {"text", message.text}});
    }
  }
  return written;
}

Status WriteTools(const ModelRequest& request, json& body) {
  for (const ModelTool& tool : request.tools) {
    json schema = ParseBoundedJson(tool.parameters_json);
    if (!schema.is_object()) {
      return Status(Code::kInvalidArgument,
                    fmt::format("the parameters of tool '{}' are no JSON Schema", tool.name));
    }
    body["tools"].push_back(
        {{"name", tool.name}, {"description", tool.description}, {"input_schema", std::move(schema)}});
  }
  if (request.tools.empty()) return Status::Ok();
  const bool none = request.tool_choice == ModelToolChoice::kNone;
  const char* type = none ? "none" : request.tool_choice == ModelToolChoice::kRequired ? "any" : "auto";
  body["tool_choice"] = {{"type", type}};
  return Status::Ok();
}

void ReadUsage(const json& usage, ModelUsage& out) {
  if (!usage.is_object()) return;
  if (MemberOf(usage, "input_tokens").is_number()) {  // null in a delta: as it was
    out.cached_tokens = CountOf(usage, "cache_read_input_tokens");
    out.input_tokens =
        CountOf(usage, "input_tokens") + CountOf(usage, "cache_creation_input_tokens") + out.cached_tokens;
  }
  if (MemberOf(usage, "output_tokens").is_number()) out.output_tokens = CountOf(usage, "output_tokens");
  out.reported = true;
}

void SetFinish(const std::string& reason, const json& details, ModelReply& reply) {
  reply.finish_text = reason;
  reply.refusal = TextOf(details, "explanation");
  if (reason == "end_turn" || reason == "stop_sequence") {
    reply.finish = ModelFinish::kStop;
  } else if (reason == "tool_use") {
    reply.finish = ModelFinish::kToolCalls;
  } else if (reason == "max_tokens") {
    reply.finish = ModelFinish::kLength;
  } else if (reason == "model_context_window_exceeded") {
    reply.finish = ModelFinish::kContextWindow;
  } else if (reason == "pause_turn") {
    reply.finish = ModelFinish::kPaused;
  } else {
    reply.finish = reason == "refusal" ? ModelFinish::kRefusal : ModelFinish::kOther;
  }
}

// Texts and tool calls out of the blocks; the blocks themselves are kept when there is more in them.
void ReadBlocks(const json& blocks, ModelMessage& message) {
  message.role = ModelMessage::Role::kAssistant;
  bool more = false;
  for (const json& block : blocks) {
    const std::string type = TextOf(block, "type");
    if (type == "text") {
      message.text += TextOf(block, "text");
    } else if (type == "tool_use") {
      ModelToolCall& call = message.tool_calls.emplace_back();
      call.id = TextOf(block, "id");
      call.name = TextOf(block, "name");
      const json& input = MemberOf(block, "input");
      SetArguments(call, input.is_string() ? input.get<std::string>() : input.dump());
    } else {
      more = true;
    }
  }
  if (!more) return;
  json kept = blocks;  // a call whose arguments are no object cannot be sent back as it is
  for (json& block : kept) {
    if (TextOf(block, "type") == "tool_use" && !MemberOf(block, "input").is_object())
      block["input"] = json::object();
  }
  message.provider_json =
      json({{kKept, std::move(kept)}}).dump(-1, ' ', false, json::error_handler_t::replace);
}

Status Damaged(std::string_view what) {
  return Status(Code::kDataLoss, fmt::format("the answer is no message: {}", what));
}

class Stream final : public StreamDecoder {
 public:
  Status OnEvent(const SseEvent& event, const OnText& on_text) override {
    const json data = ParseBoundedJson(event.data);
    if (!data.is_object()) return Damaged("an event holds no JSON object");
    const std::string type = TextOf(data, "type");
    if (type == "error") return StreamError(ReadProviderError(event.data));
    if (type == "message_start") return OnStart(MemberOf(data, "message"));
    if (type == "message_delta") {
      const json& delta = MemberOf(data, "delta");
      if (std::string reason = TextOf(delta, "stop_reason"); !reason.empty()) finish_ = std::move(reason);
      details_ = MemberOf(delta, "stop_details");
      ReadUsage(MemberOf(data, "usage"), reply_.usage);
    }
    if (!type.starts_with("content_block_")) return Status::Ok();
    const auto index = static_cast<size_t>(CountOf(data, "index"));
    if (index >= kMaxAnswerParts) return Status(Code::kOutOfRange, "the answer has too many blocks");
    if (index >= blocks_.size()) {
      if (type != "content_block_start") return Damaged("a block goes on that did not start");
      blocks_.resize(index + 1);
    }
    if (type == "content_block_start") blocks_[index].body = MemberOf(data, "content_block");
    if (type == "content_block_delta") OnDelta(blocks_[index], MemberOf(data, "delta"), on_text);
    return Status::Ok();
  }

  Result<ModelReply> Finish() override {
    if (finish_.empty())
      return Error(Code::kUnavailable, "the answer was cut: its stream ended before it did");
    json blocks = json::array();
    for (Block& block : blocks_) {
      if (!block.body.is_object()) return Error(Damaged("a block is missing"));
      if (block.input) block.body["input"] = Input(*block.input);
      blocks.push_back(std::move(block.body));
    }
    ReadBlocks(blocks, reply_.message);
    SetFinish(finish_, details_, reply_);
    return std::move(reply_);
  }

 private:
  struct Block {
    json body;
    std::optional<std::string> input;  // pieces of a tool call's arguments
  };

  Status OnStart(const json& message) {
    if (!message.is_object()) return Damaged("it does not start with a message");
    reply_.model = TextOf(message, "model");
    reply_.response_id = TextOf(message, "id");
    ReadUsage(MemberOf(message, "usage"), reply_.usage);
    return Status::Ok();
  }
  // An object, or the text as it is when the model wrote something else.
  static json Input(const std::string& text) {
    if (text.empty()) return json::object();
    json parsed = ParseBoundedJson(text);
    return parsed.is_object() ? parsed : json(text);
  }
  static void Append(json& block, const char* member, const json& delta) {
    if (!block.is_object()) return;
    json& text = block[member];
    if (!text.is_string()) text = "";
    text.get_ref<std::string&>() += TextOf(delta, member);
  }
  static void OnDelta(Block& block, const json& delta, const OnText& on_text) {
    const std::string type = TextOf(delta, "type");
    if (type == "text_delta") {
      Append(block.body, "text", delta);
      if (const std::string text = TextOf(delta, "text"); !text.empty() && on_text) on_text(text);
    } else if (type == "input_json_delta") {
      if (!block.input) block.input.emplace();
      *block.input += TextOf(delta, "partial_json");
    } else if (type == "thinking_delta") {
      Append(block.body, "thinking", delta);
    } else if (type == "signature_delta") {
      Append(block.body, "signature", delta);
    }
  }

  ModelReply reply_;
  std::vector<Block> blocks_;
  std::string finish_;
  json details_;
};

class Anthropic final : public Protocol {
 public:
  std::string Path() const override { return "/v1/messages"; }

  std::vector<std::pair<std::string, std::string>> Headers(const ModelSettings& settings,
                                                           const std::string& key) const override {
    std::vector<std::pair<std::string, std::string>> headers = {
        {"anthropic-version", settings.anthropic_version}};
    if (!key.empty()) headers.emplace_back("x-api-key", key);
    return headers;
  }

  Result<std::string> Encode(const ModelRequest& request, const ModelSettings& settings) const override {
    json body = {{"model", settings.model},
                 {"max_tokens", request.max_tokens},
                 {"messages", WriteMessages(request.messages)}};
    if (!request.system.empty()) body["system"] = request.system;
    if (request.temperature && settings.anthropic_version < kFirstVersionWithoutTemperature) {
      body["temperature"] = *request.temperature;
    }
    TOCSIN_RETURN_IF_ERROR(WriteTools(request, body));
    if (!request.answer_schema_json.empty()) {
      json schema = ParseBoundedJson(request.answer_schema_json);
      if (!schema.is_object()) return Error(Code::kInvalidArgument, "the answer's schema is no JSON Schema");
      body["output_config"] = {{"format", {{"type", "json_schema"}, {"schema", std::move(schema)}}}};
    }
    if (settings.stream) body["stream"] = true;
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
  }

  Result<ModelReply> Decode(std::string_view text) const override {
    const json body = ParseBoundedJson(text);
    if (!body.is_object()) return Error(Damaged("no JSON object"));
    const json& blocks = MemberOf(body, "content");
    if (!blocks.is_array()) return Error(Damaged("no content"));
    if (blocks.size() > kMaxAnswerParts) return Error(Code::kOutOfRange, "the answer has too many blocks");
    ModelReply reply;
    reply.model = TextOf(body, "model");
    reply.response_id = TextOf(body, "id");
    ReadBlocks(blocks, reply.message);
    ReadUsage(MemberOf(body, "usage"), reply.usage);
    SetFinish(TextOf(body, "stop_reason"), MemberOf(body, "stop_details"), reply);
    return reply;
  }

  std::unique_ptr<StreamDecoder> NewStream() const override { return std::make_unique<Stream>(); }
};

}  // namespace

std::unique_ptr<Protocol> MakeAnthropicProtocol() { return std::make_unique<Anthropic>(); }

}  // namespace tocsin::ports::internal
