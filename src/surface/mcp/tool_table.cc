#include "surface/mcp/tool_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "act/access.h"
#include "claims/claim_text.h"

namespace tocsin::surface::mcp {
namespace {

using nlohmann::json;

constexpr size_t kMaxTextBytes = 2'000;
constexpr size_t kMaxPageBytes = 12u << 10;
constexpr size_t kMaxDataBytes = 48u << 10;
constexpr size_t kMaxErrorBytes = 1'000;

json Cut(const json& from, size_t text_bytes, size_t items, bool& cut) {
  if (from.is_string()) {
    const auto& text = from.get_ref<const std::string&>();
    if (text.size() <= text_bytes) return from;
    cut = true;
    return claims::Printable(text, text_bytes);
  }
  if (!from.is_structured()) return from;
  json out = from.is_array() ? json::array() : json::object();
  size_t n = 0;
  const size_t most = from.is_array() ? items : std::max<size_t>(items, 64);
  for (const auto& item : from.items()) {
    if (++n > most) {
      cut = true;
      break;
    }
    json value = Cut(item.value(), text_bytes, items, cut);
    if (from.is_array()) {
      out.push_back(std::move(value));
    } else {
      out[claims::Printable(item.key(), 200)] = std::move(value);
    }
  }
  return out;
}

Status Wrong(const std::string& name, std::string_view what) {
  return Status(Code::kInvalidArgument, fmt::format("'{}' {}", claims::Printable(name, 60), what));
}

Status CheckOne(const std::string& name, const json& schema, const json& value) {
  const std::string type = schema.value("type", "");
  if (type == "string") {
    if (!value.is_string()) return Wrong(name, "is no text");
    const size_t most = schema.value("maxLength", size_t{1000});
    if (value.get_ref<const std::string&>().size() > most)
      return Wrong(name, fmt::format("is longer than {} bytes", most));
    const auto one_of = schema.find("enum");
    if (one_of != schema.end() && std::ranges::find(*one_of, value) == one_of->end())
      return Wrong(name, "is none of " + one_of->dump());
  } else if (type == "integer") {
    if (!value.is_number_integer()) return Wrong(name, "is no whole number");
    const auto low = schema.value("minimum", int64_t{0}), high = schema.value("maximum", int64_t{1'000});
    if (value < low || value > high) return Wrong(name, fmt::format("is not from {} to {}", low, high));
  } else if (type == "boolean") {
    if (!value.is_boolean()) return Wrong(name, "is neither true nor false");
  } else if (type == "array") {
    if (!value.is_array()) return Wrong(name, "is no list");
    const size_t most = schema.value("maxItems", size_t{100});
    if (value.size() > most) return Wrong(name, fmt::format("has more than {} entries", most));
  } else if (type == "object") {
    if (!value.is_object()) return Wrong(name, "is no object");
  }
  return Status::Ok();
}

}  // namespace

json BoundJson(const json& from, size_t most) {
  json out = from;
  bool cut = false;
  for (size_t text_bytes = 16'384, items = 1'000; WriteJson(out).size() > most; text_bytes /= 3, items /= 2) {
    if (text_bytes < 40) return {{"cut", "this is longer than can be shown: ask for less"}};
    out = Cut(from, text_bytes, items, cut);
  }
  if (cut && out.is_object()) out["cut"] = "long texts and lists end early: ask for less";
  return out;
}

ToolAnswer ToolFailure(const Status& status) {
  ToolAnswer answer;
  answer.failed = true;
  answer.text = claims::Printable(status.message(), kMaxErrorBytes);
  answer.data = {
      {"error",
       {{"code", CodeName(status.code())}, {"message", answer.text}, {"retryable", status.retryable()}}}};
  return answer;
}

json ObjectSchema(json properties, std::vector<std::string> required) {
  json out{{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (out["properties"].is_null()) out["properties"] = json::object();
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}
json TextSchema(const char* about, size_t most) {
  return {{"type", "string"}, {"description", about}, {"maxLength", most}};
}
json CountSchema(const char* about, int64_t low, int64_t high) {
  return {{"type", "integer"}, {"description", about}, {"minimum", low}, {"maximum", high}};
}

Status CheckArguments(const json& schema, const json& arguments) {
  if (!arguments.is_object()) return Status(Code::kInvalidArgument, "'arguments' is no object");
  const json& properties = schema.at("properties");
  for (const auto& item : arguments.items()) {
    const auto known = properties.find(item.key());
    if (known == properties.end()) return Wrong(item.key(), "is not an argument of this tool");
    TOCSIN_RETURN_IF_ERROR(CheckOne(item.key(), *known, item.value()));
  }
  if (const auto required = schema.find("required"); required != schema.end()) {
    for (const json& name : *required) {
      const std::string key = name;
      if (!arguments.contains(key)) return Wrong(key, "is needed");
    }
  }
  return Status::Ok();
}

std::string TextOf(const json& arguments, const char* key) {
  const auto it = arguments.find(key);
  return it != arguments.end() && it->is_string() ? it->get<std::string>() : "";
}
int64_t CountOf(const json& arguments, const char* key, int64_t otherwise) {
  const auto it = arguments.find(key);
  return it != arguments.end() && it->is_number_integer() ? it->get<int64_t>() : otherwise;
}

const std::vector<Tool>& Tools() {
  static const std::vector<Tool> all = [] {
    std::vector<Tool> tools;
    AddIncidentTools(tools);
    AddRunbookTools(tools);
    AddRunTools(tools);
    return tools;
  }();
  return all;
}

const Tool* FindTool(std::string_view name) {
  const auto it = std::ranges::find(Tools(), name, &Tool::name);
  return it == Tools().end() ? nullptr : &*it;
}

json DescribeTool(const Tool& tool) {
  return {{"name", tool.name},
          {"title", tool.title},
          {"description", tool.about},
          {"inputSchema", tool.input_schema},
          {"annotations",
           {{"title", tool.title},
            {"readOnlyHint", tool.read_only},
            {"destructiveHint", tool.destructive},
            {"idempotentHint", tool.idempotent},
            {"openWorldHint", tool.open_world}}}};
}

ToolResult RunTool(const Tool& tool, const ToolCall& call) {
  if (const Status status = CheckArguments(tool.input_schema, call.arguments); !status.ok())
    return ToolFailure(status.WithContext(tool.name));
  return tool.run(call);
}

json ToolAnswerJson(const ToolAnswer& answer) {
  if (!answer.input_requests.is_null())
    return {{"resultType", "input_required"},
            {"inputRequests", answer.input_requests},
            {"requestState", answer.state}};
  std::string text = claims::Printable(answer.text, kMaxTextBytes);
  if (!answer.page.empty()) text.append("\n\n").append(kDataRule);
  json content = json::array({{{"type", "text"}, {"text", std::move(text)}}});
  if (!answer.page.empty())
    content.push_back({{"type", "text"}, {"text", MarkedAsData(answer.page, kMaxPageBytes)}});
  json out{{"content", std::move(content)}, {"isError", answer.failed}};
  if (answer.failed) {
    out["structuredContent"] = answer.data;
  } else if (!answer.data.is_null()) {
    out["structuredContent"] = {{"note", kDataRule}, {"data", BoundJson(answer.data, kMaxDataBytes)}};
  }
  return out;
}

std::string MarkedAsData(std::string_view text, size_t most) {
  const std::string mark = act::NewToken().substr(4, 16);
  std::string shown;
  size_t end = std::min(text.size(), most);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += (byte < 0x20 && c != '\n') || byte == 0x7F ? ' ' : c;
  }
  if (end < text.size()) shown += "\n… cut";
  return fmt::format("<data {0}>\n{1}\n</data {0}>", mark, shown);
}

}  // namespace tocsin::surface::mcp
