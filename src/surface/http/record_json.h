// Stored records as JSON objects, by their column names (signal/fields.h). Members named *_json hold JSON
// text and become values. Pure; thread-safe.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signal/fields.h"

namespace tocsin::surface {

inline nlohmann::ordered_json FieldJson(std::string_view name, const std::string& value) {
  if (!name.ends_with("_json")) return value;
  auto parsed = nlohmann::ordered_json::parse(value, nullptr, false);
  return parsed.is_discarded() ? nlohmann::ordered_json(value) : parsed;
}
inline nlohmann::ordered_json FieldJson(std::string_view, Time value) { return value.ns; }
inline nlohmann::ordered_json FieldJson(std::string_view, Duration value) { return value.ns; }
inline nlohmann::ordered_json FieldJson(std::string_view, bool value) { return value; }
inline nlohmann::ordered_json FieldJson(std::string_view, int64_t value) { return value; }
template <class T>
nlohmann::ordered_json FieldJson(std::string_view, const std::optional<T>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}
inline nlohmann::ordered_json FieldJson(std::string_view, const std::vector<signal::Document>& documents) {
  auto list = nlohmann::ordered_json::array();
  for (const signal::Document& d : documents) {
    list.push_back({{"id", d.id}, {"text", d.text}, {"score", FieldJson("", d.score)}});
  }
  return list;
}
inline nlohmann::ordered_json FieldJson(std::string_view, const std::vector<signal::ToolCall>& calls) {
  auto list = nlohmann::ordered_json::array();
  for (const signal::ToolCall& c : calls) {
    list.push_back({{"id", c.id},
                    {"name", c.name},
                    {"arguments", c.arguments},
                    {"result", c.result},
                    {"executed", c.executed},
                    {"failed", c.failed}});
  }
  return list;
}
inline nlohmann::ordered_json FieldJson(std::string_view, const std::map<std::string, std::string>& map) {
  return map;
}

template <class Record>
nlohmann::ordered_json RecordJson(const Record& record) {
  nlohmann::ordered_json json;
  signal::VisitFields(record, [&](std::string_view name, const auto& value) {
    const std::string_view shown = name.ends_with("_json") ? name.substr(0, name.size() - 5) : name;
    json[std::string(shown)] = FieldJson(name, value);
  });
  return json;
}

}  // namespace tocsin::surface
