#include "surface/replay/recorded_answer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tocsin::surface {
namespace {

using Json = nlohmann::json;

// Reads members of one object and remembers the first that is wrong.
class Members {
 public:
  explicit Members(const Json& object, std::string where = "") : object_(object), where_(std::move(where)) {}

  void Text(const char* name, std::string& out) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (value->is_string()) {
      out = value->get<std::string>();
    } else if (value->is_number_integer()) {
      out = value->dump();  // prompt_id is a number in some files
    } else {
      Wrong(name, "a text", *value);
    }
  }
  void Number(const char* name, std::optional<double>& out) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_number()) return Wrong(name, "a number", *value);
    out = value->get<double>();
  }
  void Count(const char* name, std::optional<int64_t>& out) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_number_integer()) return Wrong(name, "a whole number", *value);
    out = value->get<int64_t>();
  }
  void Flag(const char* name, bool& out) {
    const Json* value = Find(name);
    if (value == nullptr) return;
    if (!value->is_boolean()) return Wrong(name, "true or false", *value);
    out = value->get<bool>();
  }
  const Json* Of(const char* name, Json::value_t type, const char* expected) {
    const Json* value = Find(name);
    if (value == nullptr) return nullptr;
    if (value->type() == type) return value;
    Wrong(name, expected, *value);
    return nullptr;
  }
  const Json* Find(const char* name) const {
    const auto it = object_.find(name);
    return it == object_.end() || it->is_null() ? nullptr : &*it;
  }
  void Fail(std::string message) {
    if (status_.ok()) status_ = Status(Code::kInvalidArgument, std::move(message));
  }
  const Status& status() const { return status_; }

 private:
  void Wrong(const char* name, const char* expected, const Json& value) {
    Fail(fmt::format("member '{}{}' is {}, not {}", where_, name, value.type_name(), expected));
  }
  const Json& object_;
  std::string where_;
  Status status_;
};

void ReadTime(Members& members, Time& out) {
  std::string text;
  members.Text("time", text);
  if (text.empty() || !members.status().ok()) return;
  auto time = ParseTime(text);
  if (!time) return members.Fail(fmt::format("member 'time': {}", time.error().message()));
  out = *time;
}

void ReadDocuments(Members& members, std::vector<signal::Document>& out) {
  const Json* list = members.Of("documents", Json::value_t::array, "a list");
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const Json& item = (*list)[i];
    if (!item.is_object()) return members.Fail(fmt::format("documents[{}] is not an object", i));
    Members inner(item, fmt::format("documents[{}].", i));
    signal::Document& document = out.emplace_back();
    inner.Text("id", document.id);
    inner.Text("text", document.text);
    inner.Number("score", document.score);
    if (!inner.status().ok()) return members.Fail(inner.status().message());
  }
}

std::string TextOrJson(const Json* value) {
  if (value == nullptr) return {};
  return value->is_string() ? value->get<std::string>() : value->dump();
}

void ReadToolCalls(Members& members, std::vector<signal::ToolCall>& out) {
  const Json* list = members.Of("tool_calls", Json::value_t::array, "a list");
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const Json& item = (*list)[i];
    if (!item.is_object()) return members.Fail(fmt::format("tool_calls[{}] is not an object", i));
    Members inner(item, fmt::format("tool_calls[{}].", i));
    signal::ToolCall& call = out.emplace_back();
    inner.Text("id", call.id);
    inner.Text("name", call.name);
    call.arguments = TextOrJson(inner.Find("arguments"));
    call.result = TextOrJson(inner.Find("result"));
    call.executed = inner.Find("result") != nullptr;
    inner.Flag("executed", call.executed);
    inner.Flag("failed", call.failed);
    if (call.name.empty()) inner.Fail(fmt::format("tool_calls[{}] has no name", i));
    if (!inner.status().ok()) return members.Fail(inner.status().message());
  }
}

// A number, "thumbs_up" or "thumbs_down", or {score, label, comment}.
void ReadFeedback(Members& members, std::optional<RecordedFeedback>& out) {
  const Json* value = members.Find("feedback");
  if (value == nullptr) return;
  RecordedFeedback feedback;
  if (value->is_number()) {
    feedback.score = value->get<double>();
  } else if (value->is_string()) {
    feedback.label = value->get<std::string>();
  } else if (value->is_object()) {
    Members inner(*value, "feedback.");
    inner.Number("score", feedback.score);
    inner.Text("label", feedback.label);
    inner.Text("comment", feedback.comment);
    if (!inner.status().ok()) return members.Fail(inner.status().message());
  } else {
    return members.Fail("member 'feedback' is neither a number, a label nor an object");
  }
  out = std::move(feedback);
}

void ReadAttributes(Members& members, std::map<std::string, std::string>& out) {
  const Json* object = members.Of("attributes", Json::value_t::object, "an object");
  if (object == nullptr) return;
  for (const auto& [key, value] : object->items()) out[key] = TextOrJson(&value);
}

}  // namespace

Result<RecordedAnswer> ParseRecordedAnswer(std::string_view line) {
  const Json row = Json::parse(line, nullptr, false);
  if (row.is_discarded()) return Error(Code::kInvalidArgument, "not a JSON object");
  if (!row.is_object())
    return Error(Code::kInvalidArgument, fmt::format("a JSON {}, not an object", row.type_name()));
  Members members(row);
  RecordedAnswer answer;
  ReadTime(members, answer.time);
  members.Text("service", answer.service);
  members.Text("prompt_name", answer.prompt_name);
  members.Text("prompt_version", answer.prompt_version);
  members.Text("prompt_id", answer.prompt_id);
  members.Text("dataset", answer.dataset);
  members.Text("task", answer.task);
  members.Text("system", answer.system);
  members.Text("prompt", answer.prompt);
  members.Text("output", answer.output);
  members.Text("model", answer.model);
  members.Text("reported_model", answer.reported_model);
  members.Text("conversation_id", answer.conversation_id);
  members.Text("error_type", answer.error_type);
  members.Number("latency_s", answer.latency_s);
  members.Number("cost_usd", answer.cost_usd);
  members.Number("temperature", answer.temperature);
  members.Count("input_tokens", answer.input_tokens);
  members.Count("output_tokens", answer.output_tokens);
  ReadDocuments(members, answer.documents);
  ReadToolCalls(members, answer.tool_calls);
  ReadFeedback(members, answer.feedback);
  ReadAttributes(members, answer.attributes);
  if (members.Find("prompt") == nullptr) members.Fail("member 'prompt' is missing");
  if (members.Find("output") == nullptr && answer.error_type.empty())
    members.Fail("member 'output' is missing");
  if (!members.status().ok()) return Error(members.status());
  return answer;
}

}  // namespace tocsin::surface
