// LogTemplate: one template as the miner holds it. Value type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "stats/log_shape.h"

namespace tocsin::stats::internal {

struct TemplateItem {
  uint64_t word;
  uint64_t gap;
};

struct LogTemplate {
  uint64_t id = 0;
  std::vector<TemplateItem> items;
  uint64_t tail = 0;
  std::vector<std::string> gaps;   // as the first line had them: before each item, and after the last
  std::vector<std::string> words;  // "" where a variable is
  uint64_t last_used = 0;
  uint64_t made = 0;
  uint64_t lines = 0;
  size_t constants = 0;
  bool live = false;
};

// Whether `general`, with variables for anything, has the shape of `items` and `tail`.
template <class Items>
bool Covers(const LogTemplate& general, const Items& items, uint64_t tail) {
  if (general.tail != tail || general.items.size() != items.size()) return false;
  for (size_t i = 0; i < items.size(); ++i) {
    const TemplateItem& g = general.items[i];
    if (g.gap != items[i].gap || (g.word != kVariable && g.word != items[i].word)) return false;
  }
  return true;
}

}  // namespace tocsin::stats::internal
