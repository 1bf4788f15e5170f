#include "ingest/internal/messages.h"

#include <algorithm>

namespace tocsin::ingest::internal {
namespace {

constexpr size_t kMaxMessages = 10'000;

const Node* FirstOf(const Node& node, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (const Node* found = node.Find(key); found != nullptr && found->kind != NodeKind::kNull) return found;
  }
  return nullptr;
}

std::string_view TextUnder(const Node& node, std::string_view key) {
  const Node* found = node.Find(key);
  return found != nullptr && found->is_text() ? found->text : std::string_view();
}

void AppendLine(std::string& to, std::string_view text) {
  if (text.empty()) return;
  if (!to.empty()) to += '\n';
  to += text;
}

bool IsSystem(std::string_view role) { return role == "system" || role == "developer"; }
bool IsUser(std::string_view role) { return role == "user" || role == "human"; }

}  // namespace

std::string MessageReader::Plain(const Node* node) {
  if (node == nullptr) return {};
  if (node->is_text()) return std::string(node->text);
  return writer_.Plain(*node, limits_.max_text_bytes);
}

std::string MessageReader::TextOf(const Node* node) {
  if (node == nullptr) return {};
  if (node->is_text()) {
    const Node* parsed = json_.Parse(node->text, arena_);
    // Only a list of parts is unwrapped: an answer that happens to be JSON stays as the model wrote it.
    if (parsed == nullptr || parsed->kind != NodeKind::kArray || parsed->first == nullptr ||
        parsed->first->Find("type") == nullptr) {
      return std::string(node->text);
    }
    node = parsed;
  }
  Message message;
  if (node->kind == NodeKind::kArray) {
    for (const Node* part = node->first; part != nullptr; part = part->next) ReadPart(*part, message);
  } else {
    ReadPart(*node, message);
  }
  return std::move(message.text);
}

std::vector<Message> MessageReader::Read(const Node* node, std::string_view role) {
  std::vector<Message> out;
  if (node == nullptr || node->kind == NodeKind::kNull) return out;
  const Node* list = node;
  if (node->is_text()) {
    if (node->text.empty()) return out;
    list = json_.Parse(node->text, arena_);
    if (list != nullptr && list->kind == NodeKind::kMap) {
      // A whole request or response of a chat API, or one message; any other object is the text itself.
      if (const Node* inner = FirstOf(*list, {"messages", "choices"})) {
        list = inner;
      } else if (FirstOf(*list, {"role", "parts", "message"}) == nullptr) {
        list = nullptr;
      }
    } else if (list != nullptr && (list->first == nullptr || list->first->kind != NodeKind::kMap)) {
      list = nullptr;
    }
    if (list == nullptr) {
      out.push_back({std::string(role), std::string(node->text), {}, {}, {}, {}});
      return out;
    }
  }
  if (list->kind == NodeKind::kArray) {
    for (const Node* n = list->first; n != nullptr && out.size() < kMaxMessages; n = n->next)
      ReadOne(*n, role, out);
  } else {
    ReadOne(*list, role, out);
  }
  return out;
}

void MessageReader::ReadOne(const Node& node, std::string_view role, std::vector<Message>& out) {
  Message message;
  message.role = role;
  if (node.kind == NodeKind::kMap) {
    ReadMembers(node, message);
  } else {
    message.text = Plain(&node);
  }
  out.push_back(std::move(message));
}

void MessageReader::ReadMembers(const Node& node, Message& message) {
  if (const auto finish = TextUnder(node, "finish_reason"); !finish.empty()) message.finish_reason = finish;
  if (const Node* inner = node.Find("message"); inner != nullptr && inner->kind != NodeKind::kNull) {
    const Node* map = inner->is_text() ? json_.Parse(inner->text, arena_) : inner;
    if (map != nullptr && map->kind == NodeKind::kMap) {
      ReadMembers(*map, message);
    } else {
      message.text = Plain(inner);
    }
    return;
  }
  if (const auto role = TextUnder(node, "role"); !role.empty()) message.role = role;
  const std::string_view tool_call_id = TextUnder(node, "tool_call_id");
  bool parts = false;
  for (const std::string_view key : {"parts", "contents", "content"}) {
    const Node* content = node.Find(key);
    if (content == nullptr || content->kind == NodeKind::kNull) continue;
    if (content->kind == NodeKind::kArray) {
      for (const Node* part = content->first; part != nullptr; part = part->next) ReadPart(*part, message);
    } else if (!parts) {
      AppendLine(message.text, key == "content" ? TextOf(content) : Plain(content));
    }
    parts = true;
  }
  if (!parts && node.Find("type") != nullptr) ReadPart(node, message);
  AppendLine(message.text, TextUnder(node, "refusal"));
  AppendLine(message.reasoning, TextUnder(node, "reasoning_content"));
  if (const Node* calls = node.Find("tool_calls")) {
    for (const Node* call = calls->first; call != nullptr; call = call->next) ReadCall(*call, message);
  }
  if (!tool_call_id.empty() || message.role == "tool") {
    signal::ToolCall result;
    result.id = tool_call_id.empty() ? TextUnder(node, "id") : tool_call_id;
    result.result = message.text;
    if (!result.id.empty()) message.results.push_back(std::move(result));
  }
}

void MessageReader::ReadPart(const Node& part, Message& message) {
  if (part.is_text()) return AppendLine(message.text, part.text);
  if (part.kind != NodeKind::kMap) return;
  if (const Node* inner = part.Find("message_content")) return ReadPart(*inner, message);
  const std::string_view type = TextUnder(part, "type");
  if (type == "tool_call" || type == "tool_use" || type == "function_call" || type == "server_tool_call") {
    return ReadCall(part, message);
  }
  if (type == "tool_call_response" || type == "tool_result" || type == "server_tool_call_response") {
    return ReadResult(part, FirstOf(part, {"response", "result", "content", "output"}), message);
  }
  if (type == "reasoning" || type == "thinking") {
    return AppendLine(message.reasoning, Plain(FirstOf(part, {"content", "thinking", "text"})));
  }
  if (const Node* text = FirstOf(part, {"content", "text"});
      text != nullptr && (type.empty() || text->is_text())) {
    if (type != "blob") return AppendLine(message.text, Plain(text));
  }
  if (type.empty()) return AppendLine(message.text, Plain(&part));
  const std::string_view modality = TextUnder(part, "modality");
  AppendLine(message.text, "[" + std::string(modality.empty() ? type : modality) + "]");
}

void MessageReader::ReadCall(const Node& call, Message& message) {
  if (const Node* inner = call.Find("tool_call"); inner != nullptr && inner->kind == NodeKind::kMap) {
    return ReadCall(*inner, message);
  }
  signal::ToolCall made;
  made.id = Plain(FirstOf(call, {"id", "call_id"}));
  const Node* function = call.Find("function");
  if (function == nullptr || function->kind != NodeKind::kMap) function = &call;
  made.name = Plain(FirstOf(*function, {"name"}));
  made.arguments = Plain(FirstOf(*function, {"arguments", "input", "parameters"}));
  message.calls.push_back(std::move(made));
}

void MessageReader::ReadResult(const Node& part, const Node* result, Message& message) {
  signal::ToolCall made;
  made.id = Plain(FirstOf(part, {"id", "tool_use_id", "call_id"}));
  made.name = Plain(FirstOf(part, {"name"}));
  made.result = result != nullptr && result->kind == NodeKind::kArray ? TextOf(result) : Plain(result);
  const Node* failed = part.Find("is_error");
  made.failed = failed != nullptr && failed->kind == NodeKind::kBool && failed->integer != 0;
  AppendLine(message.text, made.result);
  message.results.push_back(std::move(made));
}

namespace {

// "role: text" lines, newest last; the oldest go first when there are too many.
std::string HistoryOf(const std::vector<Message>& messages, size_t skip, size_t max_bytes) {
  std::vector<std::string> lines;
  size_t bytes = 0;
  for (size_t i = messages.size(); i-- > 0;) {
    const Message& m = messages[i];
    if (i == skip || IsSystem(m.role)) continue;
    std::string line = m.role + ": " + m.text;
    for (const auto& call : m.calls) line += (m.text.empty() ? "" : " ") + ("[calls " + call.name + "]");
    bytes += line.size() + 1;
    if (bytes > max_bytes) break;
    lines.push_back(std::move(line));
  }
  std::string out;
  out.reserve(bytes);
  for (size_t i = lines.size(); i-- > 0;) AppendLine(out, lines[i]);
  return out;
}

void MarkExecuted(std::vector<signal::ToolCall>& calls, const signal::ToolCall& result) {
  const auto found =
      std::find_if(calls.begin(), calls.end(), [&](const auto& c) { return c.id == result.id; });
  if (found == calls.end()) {
    calls.push_back(result);
    calls.back().executed = true;
    return;
  }
  found->result = result.result;
  found->executed = true;
  found->failed = result.failed;
}

}  // namespace

void PlaceInput(std::vector<Message> messages, size_t max_history_bytes, signal::Generation& generation) {
  size_t last_user = messages.size();
  std::string system;
  for (size_t i = 0; i < messages.size(); ++i) {
    // A user message that only carries tool results is not what the user asked.
    if (IsUser(messages[i].role) && messages[i].results.empty()) last_user = i;
    if (IsSystem(messages[i].role)) AppendLine(system, messages[i].text);
  }
  if (generation.system.empty()) generation.system = std::move(system);
  generation.history = HistoryOf(messages, last_user, max_history_bytes);
  // Calls and results after the user's message belong to the answer being made.
  for (size_t i = last_user == messages.size() ? 0 : last_user; i < messages.size(); ++i) {
    for (auto& call : messages[i].calls) generation.tool_calls.push_back(std::move(call));
    for (auto& result : messages[i].results) MarkExecuted(generation.tool_calls, result);
  }
  if (last_user < messages.size()) generation.input = std::move(messages[last_user].text);
}

void PlaceOutput(std::vector<Message> messages, signal::Generation& generation) {
  for (auto& message : messages) {
    AppendLine(generation.output, message.text);
    AppendLine(generation.reasoning, message.reasoning);
    for (auto& call : message.calls) generation.tool_calls.push_back(std::move(call));
    for (auto& result : message.results) MarkExecuted(generation.tool_calls, result);
    if (generation.finish_reason.empty()) generation.finish_reason = std::move(message.finish_reason);
  }
}

}  // namespace tocsin::ingest::internal
