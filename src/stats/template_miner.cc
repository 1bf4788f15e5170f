#include "stats/template_miner.h"

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "stats/internal/log_template.h"
#include "stats/internal/template_rivals.h"
#include "stats/log_shape.h"

namespace tocsin::stats {
namespace {

using internal::Covers;
using internal::LogTemplate;

constexpr size_t kCacheSlots = size_t{1} << 14;
constexpr size_t kMaxLeaf = 1'000;  // templates of one leaf: bounds a look-up
constexpr int kEvictionSample = 16;
constexpr int kMaxHops = 1'000;  // of Resolve; chains are as long as merges of survivors

struct CacheSlot {
  uint64_t shape = 0;
  uint32_t index = 0;
};

uint64_t Combine(uint64_t a, uint64_t b) {
  a = (a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2))) * 0xff51afd7ed558ccdULL;
  return a ^ (a >> 31);
}

}  // namespace

struct TemplateMiner::Impl {
  explicit Impl(const TemplateMinerOptions& o) : options(o) {}

  const TemplateMinerOptions options;
  LogShape shape;
  std::vector<LogTemplate> templates;
  std::vector<uint32_t> free_slots;
  std::vector<CacheSlot> cache = std::vector<CacheSlot>(kCacheSlots);
  std::unordered_map<uint64_t, std::vector<uint32_t>> leaves;  // LeafKey -> templates
  std::vector<std::vector<uint32_t>> by_length = std::vector<std::vector<uint32_t>>(kMaxShapeItems + 1);
  std::unordered_map<uint64_t, uint32_t> by_id;
  std::unordered_map<uint64_t, uint64_t> aliases;
  std::vector<uint64_t> alias_order;  // a ring
  size_t alias_at = 0;
  std::vector<TemplateEvent> events;
  uint64_t clock = 0, made = 0, evicted = 0;
  size_t hand = 0;

  // The tree's path: number of items, first item, last item.
  static uint64_t LeafKey(size_t n, uint64_t first, uint64_t last) {
    return Combine(Combine(n, first), last);
  }
  static uint64_t LeafOf(const LogTemplate& t) {
    return t.items.empty() ? LeafKey(0, 0, 0)
                           : LeafKey(t.items.size(), t.items.front().word, t.items.back().word);
  }

  uint32_t TemplateOf(std::string_view line);
  std::optional<uint32_t> Find() const;
  bool IsBetter(uint32_t index, std::optional<uint32_t> than) const;
  uint64_t NewId();
  uint32_t Make(std::string_view line, uint64_t id);
  void AddToLeaf(uint32_t index);
  void RemoveFromLeaf(uint32_t index);
  void Remove(uint32_t index);
  void Evict();
  std::optional<uint32_t> Merge(std::string_view line);
  uint32_t Widen(const internal::Places& places, const std::vector<uint32_t>& members);
  void AddAlias(uint64_t id, uint64_t into);
  uint64_t Resolve(uint64_t id) const;
};

bool TemplateMiner::Impl::IsBetter(uint32_t index, std::optional<uint32_t> than) const {
  if (!than) return true;
  const LogTemplate &a = templates[index], &b = templates[*than];
  return a.constants != b.constants ? a.constants > b.constants : a.made < b.made;
}

// The most specific template that covers the shape; the oldest of equals.
std::optional<uint32_t> TemplateMiner::Impl::Find() const {
  const auto& items = shape.items;
  const uint64_t first = items.empty() ? kVariable : items.front().word;
  const uint64_t last = items.empty() ? kVariable : items.back().word;
  std::optional<uint32_t> best;
  const auto search = [&](uint64_t f, uint64_t l) {
    const auto leaf = leaves.find(LeafKey(items.size(), f, l));
    if (leaf == leaves.end()) return;
    for (const uint32_t index : leaf->second) {
      if (Covers(templates[index], items, shape.tail) && IsBetter(index, best)) best = index;
    }
  };
  search(first, last);
  if (first != kVariable) search(kVariable, last);
  if (last != kVariable) search(first, kVariable);
  if (first != kVariable && last != kVariable) search(kVariable, kVariable);
  return best;
}

void TemplateMiner::Impl::AddToLeaf(uint32_t index) {
  std::vector<uint32_t>& leaf = leaves[LeafOf(templates[index])];
  if (leaf.size() >= kMaxLeaf) {
    const auto least = std::min_element(leaf.begin(), leaf.end(), [&](uint32_t a, uint32_t b) {
      return templates[a].last_used < templates[b].last_used;
    });
    ++evicted;
    Remove(*least);
  }
  leaves[LeafOf(templates[index])].push_back(index);
}

void TemplateMiner::Impl::RemoveFromLeaf(uint32_t index) {
  const auto leaf = leaves.find(LeafOf(templates[index]));
  if (leaf == leaves.end()) return;
  std::erase(leaf->second, index);
  if (leaf->second.empty()) leaves.erase(leaf);
}

void TemplateMiner::Impl::Remove(uint32_t index) {
  RemoveFromLeaf(index);
  LogTemplate& t = templates[index];
  std::erase(by_length[t.items.size()], index);
  by_id.erase(t.id);
  t = {};
  free_slots.push_back(index);
}

// The template used least recently of a few, taken in turn.
void TemplateMiner::Impl::Evict() {
  std::optional<uint32_t> victim;
  for (int sampled = 0; sampled < kEvictionSample;) {
    hand = (hand + 1) % templates.size();
    const LogTemplate& t = templates[hand];
    if (!t.live) continue;
    ++sampled;
    if (!victim || t.last_used < templates[*victim].last_used) victim = static_cast<uint32_t>(hand);
  }
  ++evicted;
  Remove(*victim);
}

uint32_t TemplateMiner::Impl::Make(std::string_view line, uint64_t id) {
  if (by_id.size() >= options.max_templates) Evict();
  if (free_slots.empty()) {
    free_slots.push_back(static_cast<uint32_t>(templates.size()));
    templates.emplace_back();
  }
  const uint32_t index = free_slots.back();
  free_slots.pop_back();
  LogTemplate& t = templates[index];
  t.id = id;
  t.made = ++made;
  t.last_used = clock;
  t.tail = shape.tail;
  t.live = true;
  for (const ShapeItem& item : shape.items) {
    t.items.push_back({item.word, item.gap});
    t.gaps.emplace_back(line.substr(item.gap_begin, item.begin - item.gap_begin));
    const bool variable = item.word == kVariable;
    t.words.emplace_back(variable ? std::string_view() : line.substr(item.begin, item.end - item.begin));
    t.constants += variable ? 0 : 1;
  }
  t.gaps.emplace_back(line.substr(shape.tail_begin, shape.length - shape.tail_begin));
  by_length[t.items.size()].push_back(index);
  by_id[id] = index;
  AddToLeaf(index);
  return index;
}

uint64_t TemplateMiner::Impl::NewId() {
  uint64_t id = Combine(shape.hash, shape.items.size());
  // Taken when its first holder has become something this line is not, or was merged into something that has.
  while (id == 0 || by_id.contains(id) || (aliases.contains(id) && by_id.contains(Resolve(id)))) {
    id = Combine(id, 1);
  }
  aliases.erase(id);
  return id;
}

void TemplateMiner::Impl::AddAlias(uint64_t id, uint64_t into) {
  if (id == into) return;
  if (alias_order.size() < options.max_aliases) {
    alias_order.push_back(id);
  } else {
    aliases.erase(alias_order[alias_at]);
    alias_order[alias_at] = id;
    alias_at = (alias_at + 1) % alias_order.size();
  }
  aliases[id] = into;
}

uint64_t TemplateMiner::Impl::Resolve(uint64_t id) const {
  for (int hops = 0; hops < kMaxHops; ++hops) {
    const auto it = aliases.find(id);
    if (it == aliases.end()) break;
    id = it->second;
  }
  return id;
}

// Makes the oldest of the members variable in these places; it takes over every template it then covers.
uint32_t TemplateMiner::Impl::Widen(const internal::Places& places, const std::vector<uint32_t>& members) {
  const uint32_t keep = *std::min_element(members.begin(), members.end(), [&](uint32_t a, uint32_t b) {
    return templates[a].made < templates[b].made;
  });
  RemoveFromLeaf(keep);
  LogTemplate& t = templates[keep];
  for (const uint16_t p : places) {
    t.items[p].word = kVariable;
    t.words[p].clear();
  }
  t.constants -= places.size();
  t.last_used = clock;
  events.push_back({TemplateEvent::Kind::kWidened, t.id, 0});
  const std::vector<uint32_t> peers = by_length[t.items.size()];
  for (const uint32_t other : peers) {
    const LogTemplate& o = templates[other];
    if (other == keep || !Covers(t, o.items, o.tail)) continue;
    t.lines += o.lines;
    events.push_back({TemplateEvent::Kind::kMerged, o.id, t.id});
    AddAlias(o.id, t.id);
    Remove(other);
  }
  AddToLeaf(keep);
  return keep;
}

// Makes the line's shape and templates like it one template, when there is evidence that they are.
std::optional<uint32_t> TemplateMiner::Impl::Merge(std::string_view line) {
  const std::vector<uint32_t>& peers = by_length[shape.items.size()];
  const size_t scanned = std::min(peers.size(), options.max_scan);
  const auto rivals = internal::FindOneTemplate(line, shape, templates, std::span(peers).last(scanned));
  if (!rivals) return std::nullopt;
  return Widen(rivals->places, rivals->members);
}

uint32_t TemplateMiner::Impl::TemplateOf(std::string_view line) {
  if (const auto found = Find()) return *found;
  if (const auto merged = Merge(line)) return *merged;
  const uint32_t index = Make(line, NewId());
  events.push_back({TemplateEvent::Kind::kNew, templates[index].id, 0});
  return index;
}

TemplateMiner::TemplateMiner(const TemplateMinerOptions& options) : impl_(std::make_unique<Impl>(options)) {}
TemplateMiner::~TemplateMiner() = default;

uint64_t TemplateMiner::Add(std::string_view line) {
  Impl& m = *impl_;
  ++m.clock;
  m.shape.Read(line);
  CacheSlot& slot = m.cache[m.shape.hash % kCacheSlots];
  const bool known = slot.shape == m.shape.hash && slot.index < m.templates.size() &&
                     m.templates[slot.index].live &&
                     Covers(m.templates[slot.index], m.shape.items, m.shape.tail);
  if (!known) slot = {m.shape.hash, m.TemplateOf(line)};
  LogTemplate& t = m.templates[slot.index];
  t.last_used = m.clock;
  ++t.lines;
  return t.id;
}

uint64_t TemplateMiner::Resolve(uint64_t id) const { return impl_->Resolve(id); }

std::string TemplateMiner::Text(uint64_t id) const {
  const auto it = impl_->by_id.find(Resolve(id));
  if (it == impl_->by_id.end()) return "";
  const LogTemplate& t = impl_->templates[it->second];
  std::string text;
  for (size_t i = 0; i < t.items.size(); ++i) {
    text += t.gaps[i];
    text += t.items[i].word == kVariable ? kWildcard : t.words[i];
  }
  return text + t.gaps.back();
}

void TemplateMiner::Restore(uint64_t id, std::string_view text) {
  if (id == 0 || impl_->by_id.contains(id)) return;
  impl_->shape.ReadTemplate(text);
  impl_->Make(text, id);
}

void TemplateMiner::RestoreAlias(uint64_t id, uint64_t into) {
  if (id != 0 && into != 0) impl_->AddAlias(id, into);
}

bool TemplateMiner::has_events() const { return !impl_->events.empty(); }
std::vector<TemplateEvent> TemplateMiner::TakeEvents() { return std::exchange(impl_->events, {}); }
size_t TemplateMiner::size() const { return impl_->by_id.size(); }
uint64_t TemplateMiner::evicted() const { return impl_->evicted; }

}  // namespace tocsin::stats
