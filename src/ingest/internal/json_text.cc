#include "ingest/internal/json_text.h"

#include <simdjson.h>

namespace tocsin::ingest::internal {
namespace {

namespace dom = simdjson::dom;

void Convert(const dom::element& element, Node& node, Arena& arena) {
  switch (element.type()) {
    case dom::element_type::STRING:
      node.kind = NodeKind::kString;
      node.text = arena.Copy(element.get_string().value_unsafe());
      return;
    case dom::element_type::INT64:
      node.kind = NodeKind::kInt;
      node.integer = element.get_int64().value_unsafe();
      return;
    case dom::element_type::UINT64:
      node.kind = NodeKind::kDouble;
      node.number = static_cast<double>(element.get_uint64().value_unsafe());
      return;
    case dom::element_type::DOUBLE:
      node.kind = NodeKind::kDouble;
      node.number = element.get_double().value_unsafe();
      return;
    case dom::element_type::BOOL:
      node.kind = NodeKind::kBool;
      node.integer = element.get_bool().value_unsafe() ? 1 : 0;
      return;
    case dom::element_type::NULL_VALUE:
      return;
    case dom::element_type::ARRAY: {
      node.kind = NodeKind::kArray;
      const dom::array children = element.get_array().value_unsafe();
      for (const dom::element child : children) {
        Node* made = arena.NewNode();
        Convert(child, *made, arena);
        node.Append(made);
      }
      return;
    }
    case dom::element_type::OBJECT: {
      node.kind = NodeKind::kMap;
      const dom::object fields = element.get_object().value_unsafe();
      for (const dom::key_value_pair field : fields) {
        Node* made = arena.NewNode();
        made->key = arena.Copy(field.key);
        Convert(field.value, *made, arena);
        node.Append(made);
      }
      return;
    }
  }
}

}  // namespace

JsonText::JsonText() : parser_(std::make_unique<dom::parser>()) {}
JsonText::~JsonText() = default;

const Node* JsonText::Parse(std::string_view text, Arena& arena) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || (text[start] != '{' && text[start] != '[')) return nullptr;
  if (parser_->capacity() < text.size() || parser_->max_depth() != kMaxDepth) {
    if (parser_->allocate(std::max<size_t>(text.size(), 16u << 10), kMaxDepth) != simdjson::SUCCESS)
      return nullptr;
  }
  dom::element root;
  if (parser_->parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return nullptr;
  Node* node = arena.NewNode();
  Convert(root, *node, arena);
  return node;
}

}  // namespace tocsin::ingest::internal
