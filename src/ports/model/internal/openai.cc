// OpenAI's /v1/chat/completions.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ports/model/internal/bounded_json.h"
#include "ports/model/internal/protocol.h"

namespace tocsin::ports::internal {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

json WriteMessage(const ModelMessage& message) {
  if (message.role == ModelMessage::Role::kUser) return {{"role", "user"}, {"content", message.text}};
  if (message.role == ModelMessage::Role::kTool) {
    // The protocol has no member for a failure, so the text says it.
    return {{"role", "tool"},
            {"tool_call_id", message.tool_call_id},
            {"content", message.tool_failed ? "ERROR: " + message.text : message.text}};
  }
  json written = {{"role", "assistant"}, {"content", nullptr}};
  if (!message.text.empty() || message.tool_calls.empty()) written["content"] = message.text;
  for (const ModelToolCall& call : message.tool_calls) {
    const std::string& arguments = call.malformed ? call.raw : call.arguments_json;
    written["tool_calls"].push_back({{"id", call.id},
                                     {"type", "function"},
                                     {"function", {{"name", call.name}, {"arguments", arguments}}}});
  }
  return written;
}

Status WriteTools(const ModelRequest& request, json& body) {
  for (const ModelTool& tool : request.tools) {
    json parameters = ParseBoundedJson(tool.parameters_json);
    if (!parameters.is_object()) {
      return Status(Code::kInvalidArgument,
                    fmt::format("the parameters of tool '{}' are no JSON Schema", tool.name));
    }
    body["tools"].push_back(
        {{"type", "function"},
         {"function",
          {{"name", tool.name}, {"description", tool.description}, {"parameters", std::move(parameters)}}}});
  }
  if (request.tools.empty()) return Status::Ok();
  const bool none = request.tool_choice == ModelToolChoice::kNone;
  body["tool_choice"] = none                                                ? "none"
                        : request.tool_choice == ModelToolChoice::kRequired ? "required"
                                                                            : "auto";
  return Status::Ok();
}

Status WriteAnswerFormat(const ModelRequest& request, json& body) {
  if (request.answer_schema_json.empty()) return Status::Ok();
  json schema = ParseBoundedJson(request.answer_schema_json);
  if (!schema.is_object()) return Status(Code::kInvalidArgument, "the answer's schema is no JSON Schema");
  body["response_format"] = {
      {"type", "json_schema"},
      {"json_schema", {{"name", request.answer_name}, {"schema", std::move(schema)}, {"strict", true}}}};
  return Status::Ok();
}

// A text, null, or a list of parts with texts.
std::string ReadContent(const json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string text;
  if (content.is_array()) {
    for (const json& part : content) text += TextOf(part, "text");
  }
  return text;
}

std::string ReadArguments(const json& function) {
  const json& arguments = MemberOf(function, "arguments");
  if (arguments.is_object()) return arguments.dump();  // as some servers have it
  return arguments.is_string() ? arguments.get<std::string>() : std::string();
}

void ReadUsage(const json& usage, ModelUsage& out) {
  if (!usage.is_object()) return;
  out.input_tokens = CountOf(usage, "prompt_tokens");
  out.output_tokens = CountOf(usage, "completion_tokens");
  out.cached_tokens = CountOf(MemberOf(usage, "prompt_tokens_details"), "cached_tokens");
  out.reported = true;
}

void SetFinish(const std::string& reason, ModelReply& reply) {
  reply.finish_text = reason;
  if (reason == "length") {
    reply.finish = ModelFinish::kLength;
  } else if (reason == "content_filter" || !reply.refusal.empty()) {
    reply.finish = ModelFinish::kRefusal;
  } else if (reason == "tool_calls" || (reason == "stop" && !reply.message.tool_calls.empty())) {
    reply.finish = ModelFinish::kToolCalls;
  } else {
    reply.finish = reason == "stop" ? ModelFinish::kStop : ModelFinish::kOther;
  }
}

Status Damaged(std::string_view what) {
  return Status(Code::kDataLoss, fmt::format("the answer is no chat completion: {}", what));
}

class Stream final : public StreamDecoder {
 public:
  Stream() { reply_.message.role = ModelMessage::Role::kAssistant; }

  Status OnEvent(const SseEvent& event, const OnText& on_text) override {
    if (done_) return Status::Ok();
    if (event.data.starts_with("[DONE]")) {
      done_ = true;
      return Status::Ok();
    }
    const json chunk = ParseBoundedJson(event.data);
    if (!chunk.is_object()) return Damaged("an event holds no JSON object");
    if (event.name == "error" || chunk.contains("error")) return StreamError(ReadProviderError(event.data));
    if (reply_.model.empty()) reply_.model = TextOf(chunk, "model");
    if (reply_.response_id.empty()) reply_.response_id = TextOf(chunk, "id");
    ReadUsage(MemberOf(chunk, "usage"), reply_.usage);
    const json& choices = MemberOf(chunk, "choices");
    if (!choices.is_array() || choices.empty()) return Status::Ok();
    const json& choice = choices[0];
    if (std::string reason = TextOf(choice, "finish_reason"); !reason.empty()) finish_ = std::move(reason);
    return OnDelta(MemberOf(choice, "delta"), on_text);
  }

  Result<ModelReply> Finish() override {
    if (finish_.empty())
      return Error(Code::kUnavailable, "the answer was cut: its stream ended before it did");
    for (auto& [call, arguments] : calls_) {
      SetArguments(call, std::move(arguments));
      reply_.message.tool_calls.push_back(std::move(call));
    }
    SetFinish(finish_, reply_);
    return std::move(reply_);
  }

 private:
  Status OnDelta(const json& delta, const OnText& on_text) {
    const std::string text = TextOf(delta, "content");
    reply_.message.text += text;
    if (!text.empty() && on_text) on_text(text);
    reply_.refusal += TextOf(delta, "refusal");
    const json& calls = MemberOf(delta, "tool_calls");
    if (!calls.is_array()) return Status::Ok();
    for (const json& call : calls) {
      const auto index = static_cast<size_t>(CountOf(call, "index"));
      if (index >= kMaxAnswerParts) return Status(Code::kOutOfRange, "the answer has too many tool calls");
      if (index >= calls_.size()) calls_.resize(index + 1);
      auto& [known, arguments] = calls_[index];
      if (std::string id = TextOf(call, "id"); !id.empty()) known.id = std::move(id);
      const json& function = MemberOf(call, "function");
      known.name += TextOf(function, "name");
      arguments += ReadArguments(function);
    }
    return Status::Ok();
  }

  ModelReply reply_;
  std::vector<std::pair<ModelToolCall, std::string>> calls_;
  std::string finish_;
  bool done_ = false;
};

class OpenAi final : public Protocol {
 public:
  std::string Path() const override { return "/v1/chat/completions"; }

  std::vector<std::pair<std::string, std::string>> Headers(const ModelSettings&,
                                                           const std::string& key) const override {
    if (key.empty()) return {};
    return {{"Authorization", "Bearer " + key}};
  }

  Result<std::string> Encode(const ModelRequest& request, const ModelSettings& settings) const override {
    json body = {{"model", settings.model}, {"messages", json::array()}};
    if (!request.system.empty())
      body["messages"].push_back({{"role", "system"}, {"content", request.system}});
    for (const ModelMessage& message : request.messages) body["messages"].push_back(WriteMessage(message));
    body[settings.legacy_max_tokens ? "max_tokens" : "max_completion_tokens"] = request.max_tokens;
    if (request.temperature) body["temperature"] = *request.temperature;
    TOCSIN_RETURN_IF_ERROR(WriteTools(request, body));
    TOCSIN_RETURN_IF_ERROR(WriteAnswerFormat(request, body));
    if (settings.stream) {
      body["stream"] = true;
      body["stream_options"] = {{"include_usage", true}};
    }
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
  }

  Result<ModelReply> Decode(std::string_view text) const override {
    const json body = ParseBoundedJson(text);
    if (!body.is_object()) return Error(Damaged("no JSON object"));
    const json& choices = MemberOf(body, "choices");
    if (!choices.is_array() || choices.empty()) return Error(Damaged("no choices"));
    const json& message = MemberOf(choices[0], "message");
    if (!message.is_object()) return Error(Damaged("no message"));
    ModelReply reply;
    reply.model = TextOf(body, "model");
    reply.response_id = TextOf(body, "id");
    reply.message.role = ModelMessage::Role::kAssistant;
    reply.message.text = ReadContent(MemberOf(message, "content"));
    reply.refusal = TextOf(message, "refusal");
    const json& calls = MemberOf(message, "tool_calls");
    if (calls.is_array()) {
      if (calls.size() > kMaxAnswerParts)
        return Error(Code::kOutOfRange, "the answer has too many tool calls");
      for (const json& call : calls) {
        ModelToolCall& read = reply.message.tool_calls.emplace_back();
        read.id = TextOf(call, "id");
        read.name = TextOf(MemberOf(call, "function"), "name");
        SetArguments(read, ReadArguments(MemberOf(call, "function")));
      }
    }
    ReadUsage(MemberOf(body, "usage"), reply.usage);
    SetFinish(TextOf(choices[0], "finish_reason"), reply);
    return reply;
  }

  std::unique_ptr<StreamDecoder> NewStream() const override { return std::make_unique<Stream>(); }
};

}  // namespace

std::unique_ptr<Protocol> MakeOpenAiProtocol() { return std::make_unique<OpenAi>(); }

}  // namespace tocsin::ports::internal
