// Messages: what went in and out of a model, read from any of the conventions' shapes:
//   {role, parts: [{type: text|tool_call|tool_call_response|reasoning|…}]}            OTel GenAI
//   {role, content: "…" or [{type: text|tool_use|tool_result|…}], tool_calls: […]}    chat APIs, older events
//   {message: {role, content, contents, tool_calls: [{tool_call: {…}}]}}              OpenInference,
//   unflattened
// Roles: the last user message is the input, what came before it the history, system and developer the system
// text. Thread-safety: none; pure over its arguments.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ingest/internal/json_text.h"
#include "ingest/internal/json_writer.h"
#include "ingest/internal/node.h"
#include "signal/generation.h"

namespace tocsin::ingest::internal {

struct Message {
  std::string role, text, reasoning, finish_reason;
  std::vector<signal::ToolCall> calls;    // asked for by this message
  std::vector<signal::ToolCall> results;  // id, result, failed
};

class MessageReader {
 public:
  MessageReader(JsonText& json, JsonWriter& writer, Arena& arena, const Limits& limits)
      : json_(json), writer_(writer), arena_(arena), limits_(limits) {}

  // A list of messages, one message, a JSON text of either, or plain text (one message of `role`).
  std::vector<Message> Read(const Node* node, std::string_view role);
  // Plain text of content: a string, a list of parts, or other JSON.
  std::string TextOf(const Node* node);

 private:
  void ReadOne(const Node& node, std::string_view role, std::vector<Message>& out);
  void ReadMembers(const Node& node, Message& message);
  void ReadPart(const Node& part, Message& message);
  void ReadCall(const Node& call, Message& message);
  void ReadResult(const Node& part, const Node* result, Message& message);
  std::string Plain(const Node* node);

  JsonText& json_;
  JsonWriter& writer_;
  Arena& arena_;
  const Limits& limits_;
};

// Distributes the messages over the generation. Texts are not cleaned yet.
void PlaceInput(std::vector<Message> messages, size_t max_history_bytes, signal::Generation& generation);
void PlaceOutput(std::vector<Message> messages, signal::Generation& generation);

}  // namespace tocsin::ingest::internal
