#include "ingest/internal/protobuf_value.h"

namespace tocsin::ingest::internal {
namespace {

Node* NewNode(Arena& arena) {
  if (arena.nodes() >= kMaxNodesPerItem) {
    throw ItemError{"more than " + std::to_string(kMaxNodesPerItem) + " attribute values"};
  }
  return arena.NewNode();
}

// Setting another member of the oneof clears the one before.
void SetKind(Node& node, NodeKind kind) {
  if (node.kind == kind && (kind == NodeKind::kArray || kind == NodeKind::kMap)) return;  // merged
  node.first = node.last = nullptr;
  node.count = 0;
  node.kind = kind;
}

void ReadArray(protozero::pbf_reader message, Node& into, Arena& arena, const Limits& limits, int depth) {
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    if (tag != Bytes(1)) {
      message.skip();
      continue;
    }
    Node* child = NewNode(arena);
    ReadAnyValue(message.get_message(), *child, arena, limits, depth + 1);
    into.Append(child);
  }
}

void ReadMap(protozero::pbf_reader message, Node& into, Arena& arena, const Limits& limits, int depth) {
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    if (tag == Bytes(1)) {
      ReadKeyValue(message.get_message(), into, arena, limits, depth + 1);
    } else {
      message.skip();
    }
  }
}

}  // namespace

void ReadAnyValue(protozero::pbf_reader message, Node& into, Arena& arena, const Limits& limits, int depth) {
  if (depth > limits.max_depth) {
    throw ItemError{"attribute values nested deeper than " + std::to_string(limits.max_depth)};
  }
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    switch (tag) {
      case Bytes(1):
        SetKind(into, NodeKind::kString);
        into.text = View(message);
        break;
      case Varint(2):
        SetKind(into, NodeKind::kBool);
        into.integer = message.get_uint64() != 0 ? 1 : 0;
        break;
      case Varint(3):
        SetKind(into, NodeKind::kInt);
        into.integer = message.get_int64();
        break;
      case Fixed64(4):
        SetKind(into, NodeKind::kDouble);
        into.number = message.get_double();
        break;
      case Bytes(5):
        SetKind(into, NodeKind::kArray);
        ReadArray(message.get_message(), into, arena, limits, depth);
        break;
      case Bytes(6):
        SetKind(into, NodeKind::kMap);
        ReadMap(message.get_message(), into, arena, limits, depth);
        break;
      case Bytes(7):
        SetKind(into, NodeKind::kBytes);
        into.text = View(message);
        break;
      default:
        message.skip();
    }
  }
}

void ReadKeyValue(protozero::pbf_reader message, Node& map, Arena& arena, const Limits& limits, int depth) {
  Node* node = NewNode(arena);
  map.Append(node);
  uint32_t tag = 0;
  while (NextField(message, tag)) {
    if (tag == Bytes(1)) {
      node->key = View(message);
    } else if (tag == Bytes(2)) {
      ReadAnyValue(message.get_message(), *node, arena, limits, depth);
    } else {
      message.skip();
    }
  }
}

void ReadAttribute(protozero::pbf_reader message, Node& map, Arena& arena, BatchBuilder& builder) {
  map.kind = NodeKind::kMap;
  if (map.count >= builder.limits().max_attributes) {
    builder.CountDroppedAttribute();
    return;
  }
  ReadKeyValue(message, map, arena, builder.limits(), 1);
}

}  // namespace tocsin::ingest::internal
