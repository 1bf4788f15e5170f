#include "ingest/internal/message_log.h"

namespace tocsin::ingest::internal {
namespace {

std::string_view RoleOf(std::string_view event) {
  if (event == "gen_ai.system.message") return "system";
  if (event == "gen_ai.user.message") return "user";
  if (event == "gen_ai.assistant.message") return "assistant";
  if (event == "gen_ai.tool.message") return "tool";
  if (event == "gen_ai.choice") return "assistant";
  return {};
}

}  // namespace

bool IsMessageEvent(std::string_view name) { return !RoleOf(name).empty(); }

bool IsMessageContent(std::string_view key) {
  return key == "content" || key == "gen_ai.event.content" || key == "message" || key == "tool_calls";
}

bool ReadMessageEvent(std::string_view name, const Node& content, MessageReader& reader,
                      EventMessages& into) {
  const std::string_view role = RoleOf(name);
  if (role.empty()) return false;
  const Node* json = content.Find("gen_ai.event.content");
  auto messages = reader.Read(json != nullptr ? json : &content, role);
  auto& list = name == "gen_ai.choice" ? into.output : into.input;
  for (auto& message : messages) list.push_back(std::move(message));
  return true;
}

void MessageLog::Add(std::string_view event, const RawLog& log, const AttributeKeys& keys, const Identity& id,
                     const ItemContext& context, MessageReader& reader) {
  if (!IsMessageEvent(event) || id.span_id.empty()) return;
  Call& call = calls_[{std::string(id.trace_id), std::string(id.span_id)}];
  const bool in_body = log.body.kind == NodeKind::kMap || log.body.is_text();
  ReadMessageEvent(event, in_body ? log.body : log.attributes, reader, call.messages);
  call.context = context;
  if (call.provider.empty()) call.provider = keys.Text(Key::kProvider);
  if (!call.time.known() || id.time < call.time) call.time = id.time;
}

void MessageLog::Finish(Workbench& bench, signal::Batch& batch) {
  for (auto& [ids, call] : calls_) {
    if (call.messages.output.empty()) continue;
    GenerationReader reader(bench, call.context);
    const Identity id{ids.first, ids.second, "", call.time, {}, false};
    reader.AddGeneration(AttributeKeys(), id, std::move(call.messages), batch);
    batch.generations.back().provider = bench.Name(call.provider);
  }
  calls_.clear();
}

}  // namespace tocsin::ingest::internal
