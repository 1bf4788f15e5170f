// For tests and fuzzers only: a whole Batch as text, so that two can be compared and searched.
#pragma once

#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "signal/batch.h"
#include "signal/fields.h"

namespace tocsin::ingest::internal {

inline void PrintValue(std::string& out, const std::string& v) { out += '"' + v + '"'; }
inline void PrintValue(std::string& out, const Time& v) { out += std::to_string(v.ns); }
inline void PrintValue(std::string& out, const Duration& v) { out += std::to_string(v.ns); }
inline void PrintValue(std::string& out, bool v) { out += v ? "true" : "false"; }
inline void PrintValue(std::string& out, int64_t v) { out += std::to_string(v); }
inline void PrintValue(std::string& out, double v) {
  uint64_t bits;
  std::memcpy(&bits, &v, sizeof(bits));
  out += v != v ? "nan" : std::to_string(v) + "/" + std::to_string(bits);
}
template <class T>
void PrintValue(std::string& out, const std::optional<T>& v) {
  if (v) {
    PrintValue(out, *v);
  } else {
    out += '-';
  }
}
inline void PrintValue(std::string& out, const signal::Document& v) {
  out += "doc " + v.id + "|" + v.text + "|";
  PrintValue(out, v.score);
}
inline void PrintValue(std::string& out, const signal::ToolCall& v) {
  out += "call " + v.id + "|" + v.name + "|" + v.arguments + "|" + v.result;
  PrintValue(out, v.executed);
  PrintValue(out, v.failed);
}
template <class T>
void PrintValue(std::string& out, const std::vector<T>& v) {
  for (const auto& item : v) {
    PrintValue(out, item);
    out += ';';
  }
}
inline void PrintValue(std::string& out, const std::map<std::string, std::string>& v) {
  for (const auto& [key, value] : v) out += key + "=" + value + ";";
}

inline std::string BatchText(const signal::Batch& batch) {
  std::string out;
  signal::VisitBatch(batch, [&](const auto& records) {
    using Record = typename std::decay_t<decltype(records)>::value_type;
    for (const auto& record : records) {
      out += std::string("== ") + signal::Schema<Record>::kTable + "\n";
      signal::VisitFields(record, [&](const char* name, const auto& value) {
        out += std::string(name) + ": ";
        PrintValue(out, value);
        out += '\n';
      });
    }
  });
  return out;
}

}  // namespace tocsin::ingest::internal
