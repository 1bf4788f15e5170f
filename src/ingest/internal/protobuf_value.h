// AnyValue and KeyValue lists from protobuf bytes into Nodes, with protobuf's own rules for repeated and
// merged fields. Throws ItemError (too deep, too many) and protozero's exceptions (damaged bytes).
#pragma once

#include <protozero/pbf_reader.hpp>

#include "ingest/internal/batch_builder.h"

namespace tocsin::ingest::internal {

constexpr uint32_t Tag(uint32_t field, protozero::pbf_wire_type type) {
  return field << 3 | static_cast<uint32_t>(type);
}
constexpr uint32_t Varint(uint32_t field) { return Tag(field, protozero::pbf_wire_type::varint); }
constexpr uint32_t Bytes(uint32_t field) { return Tag(field, protozero::pbf_wire_type::length_delimited); }
constexpr uint32_t Fixed64(uint32_t field) { return Tag(field, protozero::pbf_wire_type::fixed64); }

inline std::string_view View(protozero::pbf_reader& reader) {
  const auto view = reader.get_view();
  return {view.data(), view.size()};
}
inline bool NextField(protozero::pbf_reader& reader, uint32_t& tag) {
  if (!reader.next()) return false;
  tag = Tag(reader.tag(), reader.wire_type());
  return true;
}
inline double AsDouble(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}
inline int64_t AsInt32(uint64_t varint) { return static_cast<int32_t>(static_cast<uint32_t>(varint)); }

// The largest tree one item may carry.
inline constexpr size_t kMaxNodesPerItem = 200'000;

void ReadAnyValue(protozero::pbf_reader message, Node& into, Arena& arena, const Limits& limits, int depth);
// One KeyValue message, appended to a map.
void ReadKeyValue(protozero::pbf_reader message, Node& map, Arena& arena, const Limits& limits, int depth);
// As ReadKeyValue for the attributes of an item: beyond the bound they are dropped and counted.
void ReadAttribute(protozero::pbf_reader message, Node& map, Arena& arena, BatchBuilder& builder);

}  // namespace tocsin::ingest::internal
