#include "stats/internal/template_rivals.h"

#include <algorithm>
#include <map>
#include <utility>

#include "stats/log_lexicon.h"
#include "stats/template_evidence.h"

namespace tocsin::stats::internal {
namespace {

bool IsCapitals(std::string_view word) {
  size_t capitals = 0;
  for (const char c : word) {
    if (c >= 'a' && c <= 'z') return false;
    capitals += c >= 'A' && c <= 'Z' ? 1 : 0;
  }
  return capitals >= 2;
}

class Search {
 public:
  Search(std::string_view line, const LogShape& shape, const std::vector<LogTemplate>& templates)
      : line_(line), shape_(shape), templates_(templates) {}

  std::optional<Rivals> Run(std::span<const uint32_t> peers) const;

 private:
  struct Group {
    std::vector<uint32_t> members;
    TemplateEvidence evidence;
  };

  bool Compare(const LogTemplate& t, Places& places, TemplateEvidence& evidence) const;
  Expected ExpectedAt(size_t place) const;
  void Complete(const Places& places, Group& group) const;

  std::string_view line_;
  const LogShape& shape_;
  const std::vector<LogTemplate>& templates_;
};

// Where the line and a template differ, so that the template would have to widen. False when the punctuation
// is another, or too much differs.
bool Search::Compare(const LogTemplate& t, Places& places, TemplateEvidence& evidence) const {
  places.clear();
  evidence = {};
  evidence.variable_seen = true;
  if (t.tail != shape_.tail) return false;
  for (size_t i = 0; i < shape_.items.size(); ++i) {
    const uint64_t theirs = t.items[i].word, ours = shape_.items[i].word;
    if (t.items[i].gap != shape_.items[i].gap) return false;
    if (theirs == ours) {
      evidence.constants += ours == kVariable ? 0 : 1;
      continue;
    }
    if (theirs == kVariable) continue;
    if (ours != kVariable) evidence.variable_seen = false;
    places.push_back(static_cast<uint16_t>(i));
    if (places.size() > shape_.items.size() / 3 + 1) return false;
  }
  return !places.empty();
}

// What the words around a place lead one to expect there.
Expected Search::ExpectedAt(size_t place) const {
  const auto& items = shape_.items;
  const ShapeItem& item = items[place];
  if (item.word == kVariable) return Expected::kName;
  const auto at = [&](size_t i) { return i < line_.size() ? line_[i] : ' '; };
  const char before = item.begin > 0 ? at(item.begin - 1) : ' ';
  if ((before == '\'' || before == '"') && at(item.end) == before) return Expected::kName;
  // A word joined to the item after it by a space alone.
  const auto word = [&](size_t i) {
    const bool joined = items[i].word != kVariable && items[i + 1].gap == 0;
    return joined ? line_.substr(items[i].begin, items[i].end - items[i].begin) : std::string_view();
  };
  if (place == 0) return Expected::kNothing;
  const std::string_view previous = word(place - 1);
  if (IsOneOf(previous, kPrepositions)) return Expected::kMaybeName;
  if (place < 2 || !IsOneOf(previous, kNamedNouns)) return Expected::kNothing;
  return IsOneOf(word(place - 2), kPrepositions) ? Expected::kName : Expected::kNothing;
}

void Search::Complete(const Places& places, Group& group) const {
  TemplateEvidence& e = group.evidence;
  e.variants = group.members.size() + 1;
  e.places = places.size();
  e.opening = places.front() == 0;
  e.expected = Expected::kName;
  e.capitals = true;
  for (const uint16_t p : places) {
    const ShapeItem& item = shape_.items[p];
    e.expected = std::min(e.expected, ExpectedAt(p));
    e.capitals = e.capitals && IsCapitals(line_.substr(item.begin, item.end - item.begin));
    for (const uint32_t m : group.members) e.capitals = e.capitals && IsCapitals(templates_[m].words[p]);
  }
  for (const uint32_t m : group.members) e.lines += templates_[m].lines;
}

std::optional<Rivals> Search::Run(std::span<const uint32_t> peers) const {
  std::map<Places, Group> groups;
  Places places;
  TemplateEvidence evidence;
  for (const uint32_t peer : peers) {
    if (!Compare(templates_[peer], places, evidence)) continue;
    Group& group = groups[places];
    if (!group.members.empty()) {
      evidence.variable_seen = evidence.variable_seen || group.evidence.variable_seen;
      evidence.constants = std::min(evidence.constants, group.evidence.constants);
    }
    group.evidence = evidence;
    group.members.push_back(peer);
  }
  std::optional<Rivals> best;
  for (auto& [where, group] : groups) {
    Complete(where, group);
    if (!AreOneTemplate(group.evidence)) continue;
    const bool better = !best || where.size() < best->places.size() ||
                        (where.size() == best->places.size() && group.members.size() > best->members.size());
    if (better) best = Rivals{where, std::move(group.members)};
  }
  return best;
}

}  // namespace

std::optional<Rivals> FindOneTemplate(std::string_view line, const LogShape& shape,
                                      const std::vector<LogTemplate>& templates,
                                      std::span<const uint32_t> peers) {
  return Search(line, shape, templates).Run(peers);
}

}  // namespace tocsin::stats::internal
