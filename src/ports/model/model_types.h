// What Tocsin asks a language model and what it gets back, whatever the provider's protocol.
//
// Value types. *_json members hold one JSON text. A conversation is a vector of messages: append the reply's
// `message`, then one kTool message for each of its tool calls, and ask again. Text of a model is untrusted:
// nothing here interprets it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/time.h"

namespace tocsin::ports {

struct ModelToolCall {
  std::string id;
  std::string name;
  std::string arguments_json = "{}";  // always a JSON object; what the model wrote may be none: see below
  bool malformed = false;  // the model's arguments were no JSON object: they are in `raw`, arguments are {}
  std::string raw;
};

struct ModelMessage {
  enum class Role : uint8_t { kUser, kAssistant, kTool };
  Role role = Role::kUser;
  std::string text = {};                       // kTool: the result of the call
  std::vector<ModelToolCall> tool_calls = {};  // kAssistant only
  std::string tool_call_id = {};               // kTool only
  bool tool_failed = false;                    // kTool only
  // kAssistant: the turn as the provider gave it, when it holds more than text and tool calls (reasoning that
  // must be sent back unchanged). Sent back to the same protocol only; opaque. "" = nothing more.
  std::string provider_json = {};

  static ModelMessage User(std::string text) { return {.text = std::move(text)}; }
  static ModelMessage ToolResult(std::string call_id, std::string text, bool failed = false) {
    return {.role = Role::kTool,
            .text = std::move(text),
            .tool_call_id = std::move(call_id),
            .tool_failed = failed};
  }
};

struct ModelTool {
  std::string name;
  std::string description;
  std::string parameters_json = R"({"type":"object","properties":{}})";  // JSON Schema of the arguments
};

enum class ModelToolChoice : uint8_t { kAuto, kNone, kRequired };

struct ModelRequest {
  std::string system;
  std::vector<ModelMessage> messages;
  std::vector<ModelTool> tools;
  ModelToolChoice tool_choice = ModelToolChoice::kAuto;  // looked at only when there are tools
  std::string answer_schema_json;      // JSON Schema the answer's text must follow; "" = any text
  std::string answer_name = "answer";  // of the schema: letters, digits, _ and -
  int64_t max_tokens = 4096;           // of the answer
  std::optional<double> temperature;   // left out where the protocol has none
};

enum class ModelFinish : uint8_t {
  kStop,           // said what it had to say
  kToolCalls,      // waits for results
  kLength,         // cut at max_tokens
  kContextWindow,  // cut because the conversation is too long
  kRefusal,        // would not answer, or a filter took the answer
  kPaused,         // wants to go on: append the message and ask again
  kOther           // a reason this version does not know: finish_text has it
};

struct ModelUsage {
  int64_t input_tokens = 0;   // all that was read, cached or not
  int64_t cached_tokens = 0;  // of these, read from the provider's cache
  int64_t output_tokens = 0;  // reasoning included
  bool reported = false;      // false: the provider said nothing, the numbers are the budget's estimate
};

struct ModelReply {
  ModelMessage message;  // role kAssistant
  ModelFinish finish = ModelFinish::kStop;
  std::string finish_text;  // the provider's word for it
  std::string refusal;      // what it said about refusing, "" when nothing
  ModelUsage usage;         // of this answer; failed tries are only in the budget
  double cost_usd = 0;      // by the prices of the settings
  std::string model;        // that answered, as the provider names it
  std::string response_id;
  int tries = 1;
  Duration took;

  // The answer is incomplete: neither its text nor its tool calls may be taken for what was meant.
  bool truncated() const { return finish == ModelFinish::kLength || finish == ModelFinish::kContextWindow; }
};

}  // namespace tocsin::ports
