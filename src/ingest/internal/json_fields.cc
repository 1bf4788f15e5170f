#include "ingest/internal/json_fields.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "ingest/internal/protobuf_value.h"
#include "kernel/id.h"

namespace tocsin::ingest::internal {
namespace {

template <class Int>
std::optional<Int> ParseWhole(std::string_view text) {
  Int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Node* NewNode(Arena& arena) {
  if (arena.nodes() >= kMaxNodesPerItem) {
    throw ItemError{"more than " + std::to_string(kMaxNodesPerItem) + " attribute values"};
  }
  return arena.NewNode();
}

void ReadKeyValue(const JsonElement& pair, Node& map, Arena& arena, const Limits& limits, int depth) {
  Node* node = NewNode(arena);
  ForFields(pair, "attribute", [&](std::string_view name, const JsonElement& value) {
    if (name == "key") node->key = JsonString(value, "attribute key");
    if (name == "value") ReadJsonValue(value, *node, arena, limits, depth);
  });
  map.Append(node);
}

void SetKind(Node& node, NodeKind kind) {
  node.first = node.last = nullptr;
  node.count = 0;
  node.kind = kind;
}

int Base64Digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

}  // namespace

void WrongType(std::string_view field, std::string_view must_be) {
  throw ItemError{std::string(field) + " must be " + std::string(must_be)};
}

std::string_view CamelName(std::string_view name, std::array<char, 64>& buffer) {
  if (name.find('_') == std::string_view::npos || name.size() > buffer.size()) return name;
  size_t n = 0;
  bool raise = false;
  for (const char c : name) {
    if (c == '_') {
      raise = true;
      continue;
    }
    buffer[n++] = raise && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    raise = false;
  }
  return {buffer.data(), n};
}

std::string_view JsonString(const JsonElement& value, std::string_view field) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) WrongType(field, "a string");
  return text;
}

int64_t JsonInt64(const JsonElement& value, std::string_view field) {
  int64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    if (const auto parsed = ParseWhole<int64_t>(text)) return *parsed;
  }
  double real = 0;
  if (value.is_double() && value.get(real) == simdjson::SUCCESS && std::floor(real) == real &&
      std::fabs(real) < 9e18) {
    return static_cast<int64_t>(real);
  }
  WrongType(field, "a 64-bit integer, as number or string");
}

uint64_t JsonUint64(const JsonElement& value, std::string_view field) {
  uint64_t number = 0;
  if (value.get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    if (const auto parsed = ParseWhole<uint64_t>(text)) return *parsed;
  }
  double real = 0;
  if (value.is_double() && value.get(real) == simdjson::SUCCESS && std::floor(real) == real && real >= 0 &&
      real < 1.8e19) {
    return static_cast<uint64_t>(real);
  }
  WrongType(field, "an unsigned 64-bit integer, as number or string");
}

double JsonDouble(const JsonElement& value, std::string_view field) {
  double number = 0;
  if (value.is_number() && value.get(number) == simdjson::SUCCESS) return number;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (text == "Infinity") return std::numeric_limits<double>::infinity();
    if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && std::isfinite(number)) return number;
  }
  WrongType(field, "a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
}

bool JsonBool(const JsonElement& value, std::string_view field) {
  bool flag = false;
  if (value.get(flag) != simdjson::SUCCESS) WrongType(field, "true or false");
  return flag;
}

int64_t JsonEnum(const JsonElement& value, std::string_view field, std::string_view prefix,
                 std::initializer_list<std::string_view> names) {
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return static_cast<int32_t>(JsonInt64(value, field));
  if (text.starts_with(prefix)) {
    int64_t i = 0;
    for (const auto name : names) {
      if (text.substr(prefix.size()) == name) return i;
      ++i;
    }
  }
  if (const auto number = ParseWhole<int32_t>(text)) return *number;
  WrongType(field, "a number or a name of its enum");
}

std::string_view JsonId(const JsonElement& value, std::string_view field, Arena& arena) {
  std::string bytes;
  const std::string_view hex = JsonString(value, field);
  if (hex.size() > 256 || !HexDecode(hex, bytes)) WrongType(field, "hex digits");
  return arena.Copy(bytes);
}

std::string_view JsonBase64(const JsonElement& value, std::string_view field, Arena& arena) {
  std::string_view text = JsonString(value, field);
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  uint32_t word = 0;
  int bits = 0;
  for (const char c : text) {
    const int digit = Base64Digit(c);
    if (digit < 0) WrongType(field, "base64");
    word = word << 6 | static_cast<uint32_t>(digit);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(word >> bits & 255);
    }
  }
  return arena.Copy(bytes);
}

void ReadJsonValue(const JsonElement& value, Node& into, Arena& arena, const Limits& limits, int depth) {
  if (depth > limits.max_depth) {
    throw ItemError{"attribute values nested deeper than " + std::to_string(limits.max_depth)};
  }
  ForFields(value, "attribute value", [&](std::string_view name, const JsonElement& v) {
    if (name == "stringValue") {
      SetKind(into, NodeKind::kString);
      into.text = JsonString(v, name);
    } else if (name == "boolValue") {
      SetKind(into, NodeKind::kBool);
      into.integer = JsonBool(v, name) ? 1 : 0;
    } else if (name == "intValue") {
      SetKind(into, NodeKind::kInt);
      into.integer = JsonInt64(v, name);
    } else if (name == "doubleValue") {
      SetKind(into, NodeKind::kDouble);
      into.number = JsonDouble(v, name);
    } else if (name == "bytesValue") {
      SetKind(into, NodeKind::kBytes);
      into.text = JsonBase64(v, name, arena);
    } else if (name == "arrayValue") {
      SetKind(into, NodeKind::kArray);
      ForFields(v, name, [&](std::string_view inner, const JsonElement& list) {
        if (inner != "values") return;
        ForElements(list, "arrayValue.values", [&](const JsonElement& e) {
          Node* child = NewNode(arena);
          if (!e.is_null()) ReadJsonValue(e, *child, arena, limits, depth + 1);
          into.Append(child);
        });
      });
    } else if (name == "kvlistValue") {
      SetKind(into, NodeKind::kMap);
      ForFields(v, name, [&](std::string_view inner, const JsonElement& list) {
        if (inner != "values") return;
        ForElements(list, "kvlistValue.values",
                    [&](const JsonElement& e) { ReadKeyValue(e, into, arena, limits, depth + 1); });
      });
    }
  });
}

void ReadJsonAttributes(const JsonElement& list, Node& map, Arena& arena, BatchBuilder& builder) {
  map.kind = NodeKind::kMap;
  ForElements(list, "attributes", [&](const JsonElement& pair) {
    if (map.count >= builder.limits().max_attributes) {
      builder.CountDroppedAttribute();
    } else {
      ReadKeyValue(pair, map, arena, builder.limits(), 1);
    }
  });
}

}  // namespace tocsin::ingest::internal
