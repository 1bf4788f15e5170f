// TemplateMiner: which kind of line a log line is, found while lines stream by.
//
// A fixed-depth parse tree in the manner of Drain (He, Zhu, Zheng, Lyu, "Drain: an online log parsing
// approach with fixed depth tree", ICWS 2017), with three differences that make one configuration serve every
// system:
//   * lines are first masked by rules about tokens (log_shape.h), and a list is one variable whatever its
//   length;
//   * the tree's levels are the number of items, the first item and the last item, each exact or variable, so
//     that a variable at the front does not hide a line from its template;
//   * a word is not made variable because a line is similar, but because of evidence: templates start with
//   the
//     words of their first line, and templates that differ in the same places only are merged once there are
//     more of them than constant words explain (Evidence in the .cc), or at once when one has a variable
//     there.
//
// Ids: 64 bits of the hash of the template's first shape, so that the same kind of line gets the same id in
// every process; it is kept while the template generalises. Of merged templates the oldest survives, the
// others resolve to it (Resolve). Templates are restored from their text, so ids survive a restart.
//
// Bounds: max_templates live ones (the least recently used of a sample makes room), kMaxShapeItems items and
// kMaxShapeBytes bytes each, aliases of the last max_aliases merges. Cost: one pass over the line and one
// table look-up for a shape seen before; a walk over few templates otherwise; a scan of at most max_scan
// templates when a new one is made. Thread-safety: none, one owner. Deterministic.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin::stats {

struct TemplateMinerOptions {
  size_t max_templates = 10'000;
  size_t max_aliases = 50'000;
  size_t max_scan = 2'000;
};

// What happened to templates since the last call of TakeEvents.
struct TemplateEvent {
  enum class Kind : uint8_t { kNew, kWidened, kMerged } kind;
  uint64_t id;
  uint64_t into;  // kMerged: the survivor
};

class TemplateMiner {
 public:
  explicit TemplateMiner(const TemplateMinerOptions& options = {});
  ~TemplateMiner();
  TemplateMiner(const TemplateMiner&) = delete;
  TemplateMiner& operator=(const TemplateMiner&) = delete;

  // The template of a line, made when there is none. Never 0.
  uint64_t Add(std::string_view line);

  // The template that lines of `id` belong to now; `id` itself when it is live or not known.
  uint64_t Resolve(uint64_t id) const;
  // "Connection from <*> closed"; "" when `id` is neither live nor merged.
  std::string Text(uint64_t id) const;

  // Makes a template known under an id given earlier, as Text gave it. Before the first Add.
  void Restore(uint64_t id, std::string_view text);
  void RestoreAlias(uint64_t id, uint64_t into);

  bool has_events() const;
  std::vector<TemplateEvent> TakeEvents();

  size_t size() const;  // live templates
  uint64_t evicted() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::stats
