// ScriptedTurn: what a scripted model does with one request, and how that looks in either protocol. The
// shapes are written from the type definitions of the npm packages `openai` 6.49 and
// `@anthropic-ai/sdk` 1.13. Header only, so that tests of any folder can use it. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "ports/model/model_types.h"

namespace tocsin::ports::testing {

struct ScriptedCall {
  std::string name;
  std::string arguments;  // as the model writes them: may be no JSON
};

struct ScriptedTurn {
  enum class Kind : uint8_t {
    kAnswer,           // `text` and `calls`, ended by `finish`
    kStall,            // begins with `text`, then says nothing more and keeps the connection
    kCut,              // begins with `text`, then closes the connection
    kStatus,           // `status` and an error object with `text`
    kMalformedJson,    // 200 and half a JSON object
    kMalformedStream,  // 200, text/event-stream, and events whose data is no JSON
    kStreamError,      // begins with `text`, then an error event
    kWrongType,        // 200 and a page of HTML
    kHuge              // 200 and `bytes` of text
  } kind = Kind::kAnswer;
  std::string text = {};
  std::vector<ScriptedCall> calls = {};
  ModelFinish finish = ModelFinish::kStop;
  int64_t input_tokens = 100;
  int64_t output_tokens = 20;
  bool usage = true;  // false: the server reports none
  int status = 200;
  int64_t retry_after_s = 0;
  size_t bytes = 0;
  bool thinking = false;  // Anthropic: a block of reasoning comes first

  static ScriptedTurn Answer(std::string text) { return {.text = std::move(text)}; }
  static ScriptedTurn ToolCalls(std::vector<ScriptedCall> calls, std::string text = "") {
    return {.text = std::move(text), .calls = std::move(calls), .finish = ModelFinish::kToolCalls};
  }
  static ScriptedTurn Finished(ModelFinish finish, std::string text) {
    return {.text = std::move(text), .finish = finish};
  }
  static ScriptedTurn Of(Kind kind, std::string text = "") { return {.kind = kind, .text = std::move(text)}; }
  static ScriptedTurn Status(int status, int64_t retry_after_s = 0, std::string text = "told to fail") {
    return {.kind = Kind::kStatus, .text = std::move(text), .status = status, .retry_after_s = retry_after_s};
  }
  static ScriptedTurn Huge(size_t bytes) { return {.kind = Kind::kHuge, .bytes = bytes}; }
};

// Texts in pieces of a few characters, never within one.
inline std::vector<std::string> Pieces(const std::string& text, size_t about = 9) {
  std::vector<std::string> pieces;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(at + about, text.size());
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
    pieces.push_back(text.substr(at, end - at));
    at = end;
  }
  return pieces;
}

inline std::string CallId(size_t n) { return "call_" + std::to_string(n + 1); }

// --- OpenAI ---

inline std::string OpenAiFinish(ModelFinish finish) {
  switch (finish) {
    case ModelFinish::kToolCalls:
      return "tool_calls";
    case ModelFinish::kLength:
    case ModelFinish::kContextWindow:
      return "length";
    case ModelFinish::kRefusal:
      return "stop";
    case ModelFinish::kOther:
      return "new_reason";
    default:
      return "stop";
  }
}

inline nlohmann::json OpenAiUsage(const ScriptedTurn& t) {
  return {{"prompt_tokens", t.input_tokens},
          {"completion_tokens", t.output_tokens},
          {"total_tokens", t.input_tokens + t.output_tokens},
          {"prompt_tokens_details", {{"cached_tokens", t.input_tokens / 10}}}};
}

inline nlohmann::json OpenAiCall(const ScriptedCall& call, size_t n) {
  return {{"id", CallId(n)},
          {"type", "function"},
          {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

inline nlohmann::json OpenAiBody(const ScriptedTurn& t) {
  const bool refusal = t.finish == ModelFinish::kRefusal;
  nlohmann::json message = {{"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}};
  if (!t.text.empty()) message[refusal ? "refusal" : "content"] = t.text;
  for (size_t i = 0; i < t.calls.size(); ++i) message["tool_calls"].push_back(OpenAiCall(t.calls[i], i));
  nlohmann::json choice = {{"index", 0}, {"message", message}, {"finish_reason", OpenAiFinish(t.finish)}};
  nlohmann::json body = {{"id", "chatcmpl-1"},
                         {"object", "chat.completion"},
                         {"created", 1'790'000'000},
                         {"model", "scripted-2026"},
                         {"choices", {choice}}};
  if (t.usage) body["usage"] = OpenAiUsage(t);
  return body;
}

// The events before the end, then those that end it.
inline std::pair<std::vector<std::string>, std::vector<std::string>> OpenAiEvents(const ScriptedTurn& t) {
  const auto chunk = [](nlohmann::json delta, nlohmann::json finish) {
    const nlohmann::json choice = {
        {"index", 0}, {"delta", std::move(delta)}, {"finish_reason", std::move(finish)}};
    const nlohmann::json body = {{"id", "chatcmpl-1"},
                                 {"object", "chat.completion.chunk"},
                                 {"created", 1'790'000'000},
                                 {"model", "scripted-2026"},
                                 {"choices", {choice}}};
    return "data: " + body.dump() + "\n\n";
  };
  std::vector<std::string> begin = {chunk({{"role", "assistant"}, {"content", ""}}, nullptr)};
  const char* member = t.finish == ModelFinish::kRefusal ? "refusal" : "content";
  for (const std::string& piece : Pieces(t.text)) begin.push_back(chunk({{member, piece}}, nullptr));
  for (size_t i = 0; i < t.calls.size(); ++i) {
    nlohmann::json first = OpenAiCall({t.calls[i].name, ""}, i);
    first["index"] = i;
    begin.push_back(chunk({{"tool_calls", {first}}}, nullptr));
    for (const std::string& piece : Pieces(t.calls[i].arguments)) {
      const nlohmann::json more = {{"index", i}, {"function", {{"arguments", piece}}}};
      begin.push_back(chunk({{"tool_calls", {more}}}, nullptr));
    }
  }
  std::vector<std::string> end = {chunk(nlohmann::json::object(), OpenAiFinish(t.finish))};
  if (t.usage) {
    nlohmann::json body = {
        {"id", "chatcmpl-1"}, {"choices", nlohmann::json::array()}, {"usage", OpenAiUsage(t)}};
    end.push_back("data: " + body.dump() + "\n\n");
  }
  end.push_back("data: [DONE]\n\n");
  return {begin, end};
}

// --- Anthropic ---

inline std::string AnthropicFinish(ModelFinish finish) {
  switch (finish) {
    case ModelFinish::kToolCalls:
      return "tool_use";
    case ModelFinish::kLength:
      return "max_tokens";
    case ModelFinish::kContextWindow:
      return "model_context_window_exceeded";
    case ModelFinish::kRefusal:
      return "refusal";
    case ModelFinish::kPaused:
      return "pause_turn";
    case ModelFinish::kOther:
      return "new_reason";
    default:
      return "end_turn";
  }
}

inline nlohmann::json AnthropicUsage(const ScriptedTurn& t) {
  return {{"input_tokens", t.input_tokens - t.input_tokens / 10},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", t.input_tokens / 10},
          {"output_tokens", t.output_tokens}};
}

inline nlohmann::json AnthropicStopDetails(const ScriptedTurn& t) {
  if (t.finish != ModelFinish::kRefusal) return nullptr;
  return {{"type", "refusal"}, {"category", nullptr}, {"explanation", t.text}};
}

inline nlohmann::json AnthropicMessage() {
  return {{"id", "msg_1"},
          {"type", "message"},
          {"role", "assistant"},
          {"model", "scripted-2026"},
          {"content", nlohmann::json::array()},
          {"stop_reason", nullptr},
          {"stop_sequence", nullptr},
          {"stop_details", nullptr}};
}

inline nlohmann::json AnthropicBody(const ScriptedTurn& t) {
  nlohmann::json body = AnthropicMessage();
  if (t.thinking)
    body["content"].push_back({{"type", "thinking"}, {"thinking", "hm"}, {"signature", "c2ln"}});
  if (!t.text.empty())
    body["content"].push_back({{"type", "text"}, {"text", t.text}, {"citations", nullptr}});
  for (size_t i = 0; i < t.calls.size(); ++i) {
    nlohmann::json input = nlohmann::json::parse(t.calls[i].arguments, nullptr, false);
    if (input.is_discarded()) input = t.calls[i].arguments;
    body["content"].push_back(
        {{"type", "tool_use"}, {"id", CallId(i)}, {"name", t.calls[i].name}, {"input", input}});
  }
  body["stop_reason"] = AnthropicFinish(t.finish);
  body["stop_details"] = AnthropicStopDetails(t);
  if (t.usage) body["usage"] = AnthropicUsage(t);
  return body;
}

inline std::pair<std::vector<std::string>, std::vector<std::string>> AnthropicEvents(const ScriptedTurn& t) {
  std::vector<std::string> begin, end;
  const auto event = [](std::vector<std::string>& list, const nlohmann::json& data) {
    list.push_back("event: " + data["type"].get<std::string>() + "\ndata: " + data.dump() + "\n\n");
  };
  nlohmann::json message = AnthropicMessage();
  if (t.usage) {
    message["usage"] = AnthropicUsage(t);
    message["usage"]["output_tokens"] = 1;
  }
  event(begin, {{"type", "message_start"}, {"message", message}});
  event(begin, {{"type", "ping"}});
  size_t index = 0;
  const auto block = [&](nlohmann::json start, const char* delta, const char* member,
                         const std::string& text) {
    event(begin, {{"type", "content_block_start"}, {"index", index}, {"content_block", std::move(start)}});
    for (const std::string& piece : Pieces(text)) {
      event(
          begin,
          {{"type", "content_block_delta"}, {"index", index}, {"delta", {{"type", delta}, {member, piece}}}});
    }
  };
  const auto stop = [&] { event(begin, {{"type", "content_block_stop"}, {"index", index++}}); };
  if (t.thinking) {
    block({{"type", "thinking"}, {"thinking", ""}, {"signature", ""}}, "thinking_delta", "thinking", "hm");
    event(begin, {{"type", "content_block_delta"},
                  {"index", index},
                  {"delta", {{"type", "signature_delta"}, {"signature", "c2ln"}}}});
    stop();
  }
  if (!t.text.empty()) {
    block({{"type", "text"}, {"text", ""}}, "text_delta", "text", t.text);
    stop();
  }
  for (size_t i = 0; i < t.calls.size(); ++i) {
    block({{"type", "tool_use"},
           {"id", CallId(i)},
           {"name", t.calls[i].name},
           {"input", nlohmann::json::object()}},
          "input_json_delta", "partial_json", t.calls[i].arguments);
    stop();
  }
  nlohmann::json delta = {
      {"type", "message_delta"},
      {"delta", {{"stop_reason", AnthropicFinish(t.finish)}, {"stop_details", AnthropicStopDetails(t)}}}};
  if (t.usage) delta["usage"] = {{"input_tokens", nullptr}, {"output_tokens", t.output_tokens}};
  event(end, delta);
  event(end, {{"type", "message_stop"}});
  return {begin, end};
}

}  // namespace tocsin::ports::testing
