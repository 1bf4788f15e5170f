// Reading typed fields of OTLP/JSON from a simdjson document. All throw ItemError naming the field.
// Ownership: views into the document's buffer or the arena. Thread-safety: none.
#pragma once

#include <simdjson.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "ingest/internal/batch_builder.h"

namespace tocsin::ingest::internal {

using JsonElement = simdjson::dom::element;

[[noreturn]] void WrongType(std::string_view field, std::string_view must_be);
// trace_id as traceId; in `buffer` when it had to be changed.
std::string_view CamelName(std::string_view name, std::array<char, 64>& buffer);

std::string_view JsonString(const JsonElement& value, std::string_view field);
int64_t JsonInt64(const JsonElement& value, std::string_view field);
uint64_t JsonUint64(const JsonElement& value, std::string_view field);
double JsonDouble(const JsonElement& value, std::string_view field);
bool JsonBool(const JsonElement& value, std::string_view field);
// Names are compared without the prefix: kind(…, "SPAN_KIND_", {"UNSPECIFIED", "INTERNAL", …}).
int64_t JsonEnum(const JsonElement& value, std::string_view field, std::string_view prefix,
                 std::initializer_list<std::string_view> names);
// Hex to bytes in the arena.
std::string_view JsonId(const JsonElement& value, std::string_view field, Arena& arena);
std::string_view JsonBase64(const JsonElement& value, std::string_view field, Arena& arena);

// Calls f(camelCase name, value) for each field that is not null.
template <class F>
void ForFields(const JsonElement& object, std::string_view field, const F& f) {
  simdjson::dom::object fields;
  if (object.get(fields) != simdjson::SUCCESS) WrongType(field, "an object");
  std::array<char, 64> buffer;
  for (const auto& [key, value] : fields) {
    if (!value.is_null()) f(CamelName(key, buffer), value);
  }
}
template <class F>
void ForElements(const JsonElement& array, std::string_view field, const F& f) {
  simdjson::dom::array elements;
  if (array.get(elements) != simdjson::SUCCESS) WrongType(field, "an array");
  for (const JsonElement element : elements) f(element);
}

void ReadJsonValue(const JsonElement& value, Node& into, Arena& arena, const Limits& limits, int depth);
// A list of {key, value} into a map, bounded and counted as attributes of one item.
void ReadJsonAttributes(const JsonElement& list, Node& map, Arena& arena, BatchBuilder& builder);

}  // namespace tocsin::ingest::internal
