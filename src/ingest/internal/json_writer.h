// Writes Nodes as JSON text, cleaned: keys and string values pass the TextCleaner, values under a credential
// key are replaced, NaN and infinities become strings as OTLP/JSON has them, bytes become base64.
// Thread-safety: none; borrows the cleaner of its decoder.
#pragma once

#include <string>
#include <string_view>

#include "ingest/internal/node.h"
#include "ingest/internal/text_cleaner.h"
#include "kernel/limits.h"

namespace tocsin::ingest::internal {

// JSON string with quotes. The text must be valid UTF-8.
void AppendJsonString(std::string& out, std::string_view text);
void AppendJsonDouble(std::string& out, double value);
std::string Base64(std::string_view bytes);

class JsonWriter {
 public:
  JsonWriter(TextCleaner& cleaner, const Limits& limits) : cleaner_(cleaner), limits_(limits) {}

  void Value(std::string& out, const Node& node);
  // Children for which skip(child) is true are left out.
  template <class Skip>
  void Map(std::string& out, const Node& map, const Skip& skip) {
    out += '{';
    bool first = true;
    for (const Node* n = map.first; n != nullptr; n = n->next) {
      if (skip(*n)) continue;
      if (!first) out += ',';
      first = false;
      Member(out, *n);
    }
    out += '}';
  }
  void Map(std::string& out, const Node& map) {
    Map(out, map, [](const Node&) { return false; });
  }
  void Text(std::string& out, std::string_view text) {
    AppendJsonString(out, cleaner_.Clean(text, limits_.max_attribute_bytes));
  }
  // A string as it is, anything else as JSON.
  std::string Plain(const Node& node, size_t max_bytes, Redactor::Kind kind = Redactor::Kind::kText);

 private:
  void Member(std::string& out, const Node& node);

  TextCleaner& cleaner_;
  const Limits& limits_;
};

}  // namespace tocsin::ingest::internal
