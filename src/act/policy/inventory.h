// Inventory: what there is to act on, as people wrote it down: kinds ("deployment", "model", "flag",
// "document") and their entries with what is known of each. What an agent or a log line names is a parameter
// only when it is in here. Value type; immutable once shared, then thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "act/plan/plan.h"

namespace tocsin::act {

struct InventoryEntry {
  std::optional<double> traffic;  // share of requests that pass through it, 0 … 1
  std::optional<int> instances;   // it should have
  std::optional<double> users;
  std::map<std::string, std::string> facts;  // anything else, for people
};

class Inventory {
 public:
  void Add(const std::string& kind, const std::string& name, InventoryEntry entry) {
    entries_[kind].insert_or_assign(name, std::move(entry));
  }
  bool HasKind(std::string_view kind) const { return entries_.find(kind) != entries_.end(); }
  const InventoryEntry* Find(std::string_view kind, std::string_view name) const {
    const auto of_kind = entries_.find(kind);
    if (of_kind == entries_.end()) return nullptr;
    const auto it = of_kind->second.find(name);
    return it == of_kind->second.end() ? nullptr : &it->second;
  }
  const auto& entries() const { return entries_; }

 private:
  std::map<std::string, std::map<std::string, InventoryEntry, std::less<>>, std::less<>> entries_;
};

}  // namespace tocsin::act
