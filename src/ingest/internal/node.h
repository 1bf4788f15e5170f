// Node and Arena: one attribute value (OTLP AnyValue, or a JSON value) as a tree of views, the common form of
// everything that is decoded before it becomes a signal.
//
//   map ─first─▶ [key a] ─next─▶ [key b] ─next─▶ …        array: the same without keys
//
// Ownership: nodes live in an Arena until its Reset; texts alias the request, a JSON parser's buffer or the
// arena. Thread-safety: none, one decoder owns it. Bounds: the arena refuses nodes beyond its limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace tocsin::ingest::internal {

enum class NodeKind : uint8_t { kNull, kString, kBool, kInt, kDouble, kBytes, kArray, kMap };

struct Node {
  std::string_view key;
  std::string_view text;  // kString, kBytes
  int64_t integer = 0;    // kInt, kBool
  double number = 0;      // kDouble
  Node* first = nullptr;
  Node* last = nullptr;
  Node* next = nullptr;
  uint32_t count = 0;
  NodeKind kind = NodeKind::kNull;
  uint8_t moved_by = 0;  // attributes: the Content bits of attribute_keys.h

  void Append(Node* child) {
    (last == nullptr ? first : last->next) = child;
    last = child;
    ++count;
  }
  bool is_text() const { return kind == NodeKind::kString; }
  // The first child of a map with this key, or null.
  const Node* Find(std::string_view name) const {
    if (kind != NodeKind::kMap) return nullptr;
    for (const Node* n = first; n != nullptr; n = n->next) {
      if (n->key == name) return n;
    }
    return nullptr;
  }
};

class Arena {
 public:
  static constexpr size_t kBlock = 64u << 10;

  Node* NewNode() {
    ++nodes_;
    return new (Allocate(sizeof(Node))) Node();
  }
  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {};
    char* to = static_cast<char*>(Allocate(text.size()));
    std::memcpy(to, text.data(), text.size());
    return {to, text.size()};
  }
  // Nodes made since the last Reset.
  size_t nodes() const { return nodes_; }
  // Forgets everything, keeps the first block.
  void Reset() {
    if (blocks_.size() > 1) blocks_.resize(1);
    used_ = 0;
    capacity_ = blocks_.empty() ? 0 : kBlock;
    nodes_ = 0;
  }

 private:
  void* Allocate(size_t size) {
    size = (size + 15) & ~size_t{15};
    if (blocks_.empty() || used_ + size > capacity_) {
      capacity_ = blocks_.empty() ? kBlock : (size > kBlock ? size : kBlock);
      blocks_.push_back(std::make_unique<char[]>(capacity_));
      used_ = 0;
      if (size > capacity_) return Allocate(size);
    }
    void* at = blocks_.back().get() + used_;
    used_ += size;
    return at;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t used_ = 0, capacity_ = 0, nodes_ = 0;
};

}  // namespace tocsin::ingest::internal
