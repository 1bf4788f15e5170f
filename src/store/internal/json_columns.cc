#include "store/internal/json_columns.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace tocsin::store::internal {
namespace {

void PutText(std::string& out, std::string_view raw) {
  const std::string repaired = IsUtf8(raw) ? std::string() : RepairUtf8(raw);
  const std::string_view text = repaired.empty() ? raw : std::string_view(repaired);
  out += '"';
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, start, i - start);
    start = i + 1;
    if (c == '\n') {
      out += "\\n";
    } else if (c >= 0x20) {
      out += '\\';
      out += static_cast<char>(c);
    } else {
      out += fmt::format("\\u{:04x}", c);
    }
  }
  out.append(text, start);
  out += '"';
}

void PutMember(std::string& out, const char* key, std::string_view text) {
  out += out.back() == '{' ? "\"" : ",\"";
  out += key;
  out += "\":";
  PutText(out, text);
}

Status Damaged(const char* what) {
  return Status(Code::kDataLoss, fmt::format("a stored column of {} is not readable JSON", what));
}

// Calls each(element) for the objects of an array; false when the text is anything else.
template <class Each>
bool ForObjects(std::string_view text, Each each) {
  const nlohmann::json array = nlohmann::json::parse(text, nullptr, false);
  if (!array.is_array()) return false;
  for (const nlohmann::json& object : array) {
    if (!object.is_object()) return false;
    each(object);
  }
  return true;
}

std::string Member(const nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}
bool Flag(const nlohmann::json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

}  // namespace

std::string ToJson(const std::vector<signal::Document>& documents) {
  std::string out = "[";
  for (const signal::Document& d : documents) {
    if (out.size() > 1) out += ',';
    out += '{';
    PutMember(out, "id", d.id);
    PutMember(out, "text", d.text);
    if (d.score && std::isfinite(*d.score)) out += fmt::format(",\"score\":{}", *d.score);
    out += '}';
  }
  return out + "]";
}

std::string ToJson(const std::vector<signal::ToolCall>& calls) {
  std::string out = "[";
  for (const signal::ToolCall& c : calls) {
    if (out.size() > 1) out += ',';
    out += '{';
    PutMember(out, "id", c.id);
    PutMember(out, "name", c.name);
    PutMember(out, "arguments", c.arguments);
    PutMember(out, "result", c.result);
    out += fmt::format(",\"executed\":{},\"failed\":{}}}", c.executed, c.failed);
  }
  return out + "]";
}

std::string ToJson(const Attributes& attributes) {
  std::string out = "{";
  for (const auto& [key, value] : attributes) {
    if (out.size() > 1) out += ',';
    PutText(out, key);
    out += ':';
    PutText(out, value);
  }
  return out + "}";
}

Status FromJson(std::string_view text, std::vector<signal::Document>& documents) {
  documents.clear();
  if (text == "[]") return Status::Ok();
  const bool good = ForObjects(text, [&](const nlohmann::json& object) {
    signal::Document& d = documents.emplace_back();
    d.id = Member(object, "id");
    d.text = Member(object, "text");
    const auto score = object.find("score");
    if (score != object.end() && score->is_number()) d.score = score->get<double>();
  });
  return good ? Status::Ok() : Damaged("documents");
}

Status FromJson(std::string_view text, std::vector<signal::ToolCall>& calls) {
  calls.clear();
  if (text == "[]") return Status::Ok();
  const bool good = ForObjects(text, [&](const nlohmann::json& object) {
    signal::ToolCall& c = calls.emplace_back();
    c.id = Member(object, "id");
    c.name = Member(object, "name");
    c.arguments = Member(object, "arguments");
    c.result = Member(object, "result");
    c.executed = Flag(object, "executed");
    c.failed = Flag(object, "failed");
  });
  return good ? Status::Ok() : Damaged("tool calls");
}

Status FromJson(std::string_view text, Attributes& attributes) {
  attributes.clear();
  if (text == "{}") return Status::Ok();
  const nlohmann::json object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) return Damaged("attributes");
  for (const auto& [key, value] : object.items()) {
    attributes[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return Status::Ok();
}

bool IsUtf8(std::string_view text) {
  size_t i = 0;
  uint64_t high = 0;
  for (; i + 8 <= text.size() && i < 64; i += 8) {  // short ASCII texts are most of them
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    high |= word;
  }
  if (i + 8 > text.size()) {
    for (; i < text.size(); ++i) high |= static_cast<uint64_t>(static_cast<unsigned char>(text[i]));
    if ((high & 0x8080808080808080ULL) == 0) return true;
  }
  return simdjson::validate_utf8(text.data(), text.size());
}

std::string RepairUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (i + length <= text.size() && simdjson::validate_utf8(text.data() + i, length)) {
      out.append(text, i, length);
      i += length;
    } else {
      out += "\xEF\xBF\xBD";
      ++i;
    }
  }
  return out;
}

}  // namespace tocsin::store::internal
