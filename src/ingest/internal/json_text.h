// JsonText: JSON texts found inside attribute values, as Nodes. Texts are copied into the arena.
// Thread-safety: none. Depth is bounded; too deep or not JSON gives null.
#pragma once

#include <memory>
#include <string_view>

#include "ingest/internal/node.h"

namespace simdjson::dom {
class parser;
class element;
}  // namespace simdjson::dom

namespace tocsin::ingest::internal {

class JsonText {
 public:
  static constexpr int kMaxDepth = 32;
  JsonText();
  ~JsonText();
  // Null when the text is not a JSON object or array.
  const Node* Parse(std::string_view text, Arena& arena);

 private:
  std::unique_ptr<simdjson::dom::parser> parser_;
};

}  // namespace tocsin::ingest::internal
