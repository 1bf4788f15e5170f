#include "ingest/internal/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

namespace tocsin::ingest::internal {
namespace {

constexpr std::array<bool, 256> MakeEscaped() {
  std::array<bool, 256> table{};
  for (size_t i = 0; i < 32; ++i) table[i] = true;
  table['"'] = table['\\'] = true;
  return table;
}
constexpr auto kEscaped = MakeEscaped();

void AppendEscape(std::string& out, char c) {
  static constexpr char kDigits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kDigits[static_cast<unsigned char>(c) >> 4];
      out += kDigits[static_cast<unsigned char>(c) & 15];
  }
}

void AppendInt(std::string& out, int64_t value) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!kEscaped[static_cast<unsigned char>(text[i])]) continue;
    out.append(text, from, i - from);
    AppendEscape(out, text[i]);
    from = i + 1;
  }
  out.append(text, from, text.size() - from);
  out += '"';
}

void AppendJsonDouble(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    char buffer[40];
    // A whole number of twenty digits is an integer too large for most readers of JSON: 1e+20 is not.
    const bool large = std::fabs(value) >= 1e15;
    const auto end =
        large ? std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific)
              : std::to_chars(buffer, buffer + sizeof(buffer), value);
    out.append(buffer, end.ptr);
  }
}

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    for (size_t k = 0; k < 3; ++k) word = word << 8 | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) out += k <= n ? kDigits[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

void JsonWriter::Value(std::string& out, const Node& node) {
  switch (node.kind) {
    case NodeKind::kNull:
      out += "null";
      return;
    case NodeKind::kString:
      Text(out, node.text);
      return;
    case NodeKind::kBool:
      out += node.integer != 0 ? "true" : "false";
      return;
    case NodeKind::kInt:
      AppendInt(out, node.integer);
      return;
    case NodeKind::kDouble:
      AppendJsonDouble(out, node.number);
      return;
    case NodeKind::kBytes:
      Text(out, Base64(node.text));
      return;
    case NodeKind::kMap:
      Map(out, node);
      return;
    case NodeKind::kArray:
      out += '[';
      for (const Node* n = node.first; n != nullptr; n = n->next) {
        if (n != node.first) out += ',';
        Value(out, *n);
      }
      out += ']';
      return;
  }
}

void JsonWriter::Member(std::string& out, const Node& node) {
  AppendJsonString(out, cleaner_.Clean(node.key, limits_.max_name_bytes));
  out += ':';
  if (node.kind != NodeKind::kNull && IsCredentialKey(node.key)) {
    AppendJsonString(out, kCredentialMarker);
    cleaner_.CountRedaction();
    return;
  }
  Value(out, node);
}

std::string JsonWriter::Plain(const Node& node, size_t max_bytes, Redactor::Kind kind) {
  if (node.kind == NodeKind::kNull) return {};
  if (node.is_text()) return std::string(cleaner_.Clean(node.text, max_bytes, kind));
  std::string out;
  Value(out, node);
  return std::string(cleaner_.Clean(out, max_bytes, kind));
}

}  // namespace tocsin::ingest::internal
