#include "detect/internal/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace tocsin::detect {
namespace {

constexpr size_t kMaxChanges = 20;
constexpr size_t kMaxExemplars = 20;
constexpr size_t kMaxSegmentLines = 16;
constexpr double kLeastZ = 4.0;
constexpr double kLargeEffect = 1.5;                     // beyond it, what is said matters more than how much
constexpr Duration kClockSlack = Duration::Seconds(60);  // between the clocks of services

Effect FromSides(const SideStatistic& a, const SideStatistic& b) {
  Effect e{a.mean, b.mean, a.n, b.n, 0, 0};
  if (a.n < 2 || b.n < 2) return e;
  const double na = static_cast<double>(a.n);
  const double nb = static_cast<double>(b.n);
  const double pooled = (a.variance * (na - 1) + b.variance * (nb - 1)) / (na + nb - 2);
  const double floor = 1e-6;
  e.d = (b.mean - a.mean) / std::sqrt(pooled + floor);
  e.z = (b.mean - a.mean) / std::sqrt((pooled + floor) * (1 / na + 1 / nb));
  return e;
}

template <class Value>
SideStatistic Moments(const RecordSpan& side, Value&& value) {
  SideStatistic s;
  double m2 = 0;
  for (const Record* r : side) {
    const double v = value(*r);
    if (std::isnan(v)) continue;
    ++s.n;
    const double delta = v - s.mean;
    s.mean += delta / static_cast<double>(s.n);
    m2 += delta * (v - s.mean);
  }
  s.variance = s.n > 1 ? m2 / static_cast<double>(s.n - 1) : 0;
  return s;
}

std::string_view GroupOf(std::string_view name) {
  if (name.starts_with("length.") || name.starts_with("layout.")) return "length";
  if (name.starts_with("list.") || name == "format.lists") return "list";
  if (name.find("code") != std::string_view::npos) return "code";
  if (name == "start.yes_no" || name == "format.yes_no_first") return "yes_no";
  if (name.starts_with("structure.steps")) return "steps";
  if (name == "format.math") return "math";
  for (const std::string_view prefix : {"punctuation", "words", "chars", "voice", "sentences", "prompt"}) {
    if (name.starts_with(prefix)) return prefix;
  }
  if (name.starts_with("end.") || name.starts_with("start.")) return name.substr(0, 5);
  return name;
}

double InterestOf(std::string_view name) {
  if (name == "length.chars") return 1.2;
  if (name.starts_with("format.") || name.starts_with("stance.") || name == "start.yes_no") return 1.0;
  if (name.starts_with("structure.") || name.starts_with("language")) return 1.0;
  if (name.starts_with("list.") || name.starts_with("markdown.")) return 0.9;
  if (name.starts_with("length.") || name.starts_with("layout.")) return 0.6;
  if (name.starts_with("start.") || name.starts_with("end.") || name.starts_with("voice.")) return 0.35;
  return 0.3;
}

bool Nameable(size_t feature) {
  const auto f = static_cast<Named>(feature);
  return f != Named::kFeedback && f != Named::kLatency && f != Named::kTokens && f != Named::kCost &&
         f != Named::kRetrievalScore && f != Named::kSupport && f != Named::kRetrievalEmpty &&
         f != Named::kRepetition;
}

}  // namespace

SideStatistic StatisticOf(const RecordSpan& side, size_t feature) {
  return Moments(side, [&](const Record& r) { return static_cast<double>(r.values[feature]); });
}

namespace {

double MedianOf(const RecordSpan& side, size_t feature) {
  std::vector<float> values;
  for (const Record* r : side) {
    if (!std::isnan(r->values[feature])) values.push_back(r->values[feature]);
  }
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return static_cast<double>(*middle);
}

}  // namespace

Effect NamedEffect(const Split& split, size_t feature) {
  if (SpecOf(feature).scale != Scale::kLog) {
    return FromSides(StatisticOf(split.before, feature), StatisticOf(split.after, feature));
  }
  const auto log = [&](const Record& r) { return std::log1p(static_cast<double>(r.values[feature])); };
  Effect e = FromSides(Moments(split.before, log), Moments(split.after, log));
  e.before = MedianOf(split.before, feature);
  e.after = MedianOf(split.after, feature);
  return e;
}

Effect StyleEffect(const Split& split, size_t style) {
  const auto value = [&](const Record& r) {
    return std::isnan(At(r.values, Named::kLength)) ? std::nan("") : static_cast<double>(r.style[style]);
  };
  return FromSides(Moments(split.before, value), Moments(split.after, value));
}

std::vector<NamedChange> LargestChanges(const Split& split, size_t limit) {
  std::vector<NamedChange> all;
  for (size_t f = 0; f < kNamedCount; ++f) {
    if (!Nameable(f)) continue;
    const Effect e = NamedEffect(split, f);
    if (std::abs(e.z) < kLeastZ || e.after_n < 8) continue;
    const NamedSpec& spec = SpecOf(f);
    all.push_back({std::string(spec.name), std::string(e.d > 0 ? spec.up : spec.down), e, true, f, 0});
  }
  for (size_t s = 0; s < behavior::kStyleCount; ++s) {
    const Effect e = StyleEffect(split, s);
    if (std::abs(e.z) < kLeastZ || e.after_n < 8) continue;
    const auto style = static_cast<behavior::Style>(s);
    const auto words = e.d > 0 ? behavior::StyleWordsUp(style) : behavior::StyleWordsDown(style);
    all.push_back({std::string(behavior::StyleName(style)), std::string(words), e, false, s, 0});
  }
  for (auto& change : all) {
    change.interest = std::min(std::abs(change.effect.d), kLargeEffect) * InterestOf(change.name);
  }
  std::ranges::stable_sort(all, std::greater<>(), &NamedChange::interest);
  std::vector<NamedChange> chosen;
  std::set<std::string, std::less<>> groups;
  for (auto& change : all) {
    if (chosen.size() == limit) break;
    if (groups.insert(std::string(GroupOf(change.name))).second) chosen.push_back(std::move(change));
  }
  return chosen;
}

namespace {

struct Cell {
  double sum[2] = {0, 0};
  uint64_t n[2] = {0, 0};
  double Mean(size_t side) const { return n[side] > 0 ? sum[side] / static_cast<double>(n[side]) : 0; }
};

std::vector<Cell> CellsOf(const Split& split, size_t feature, size_t attribute, const SegmentTable& table) {
  std::vector<Cell> cells(table.ValueCount(attribute));
  const bool log = SpecOf(feature).scale == Scale::kLog;
  for (size_t side = 0; side < 2; ++side) {
    for (const Record* r : side == 0 ? split.before : split.after) {
      const auto v = static_cast<double>(r->values[feature]);
      if (std::isnan(v) || r->attributes[attribute] >= cells.size()) continue;
      Cell& cell = cells[r->attributes[attribute]];
      cell.sum[side] += log ? std::log1p(v) : v;
      ++cell.n[side];
    }
  }
  return cells;
}

}  // namespace

std::optional<Concentration> Concentrated(const Split& split, size_t feature, const SegmentTable& table) {
  std::optional<Concentration> best;
  for (size_t a = 0; a < kMaxAttributes; ++a) {
    if (table.ValueCount(a) < 3) continue;
    const auto cells = CellsOf(split, feature, a, table);
    double total = 0;
    uint64_t after = 0;
    for (const auto& c : cells) {
      after += c.n[1];
      if (c.n[0] >= 5) total += static_cast<double>(c.n[1]) * (c.Mean(1) - c.Mean(0));
    }
    if (std::abs(total) < 1e-9 || after < 20) continue;
    for (size_t v = 1; v < cells.size(); ++v) {
      const auto& c = cells[v];
      if (c.n[0] < 5 || c.n[1] < 3) continue;
      const double share = static_cast<double>(c.n[1]) * (c.Mean(1) - c.Mean(0)) / total;
      const double traffic = static_cast<double>(c.n[1]) / static_cast<double>(after);
      if (share < 0.75 || traffic > 0.6) continue;
      if (best && best->change_share - best->traffic_share >= share - traffic) continue;
      best = Concentration{table.AttributeName(a),
                           table.ValueName(a, static_cast<uint16_t>(v)),
                           a,
                           static_cast<uint16_t>(v),
                           traffic,
                           std::min(share, 1.0)};
    }
  }
  return best;
}

std::vector<SegmentLine> SegmentLines(const Split& split, size_t feature, const SegmentTable& table,
                                      const std::vector<SegmentTable::Segment>& found) {
  std::vector<SegmentLine> lines;
  const bool log = SpecOf(feature).scale == Scale::kLog;
  for (size_t a = 0; a < kMaxAttributes; ++a) {
    if (table.ValueCount(a) < 3) continue;
    const auto cells = CellsOf(split, feature, a, table);
    for (size_t v = 1; v < cells.size(); ++v) {
      if (cells[v].n[0] < 3 || cells[v].n[1] < 3) continue;  // a new value is the contrast's business
      SegmentLine line;
      line.attribute = table.AttributeName(a);
      line.value = table.ValueName(a, static_cast<uint16_t>(v));
      line.feature = SpecOf(feature).name;
      line.unit = SpecOf(feature).unit;
      line.before = log ? std::expm1(cells[v].Mean(0)) : cells[v].Mean(0);
      line.after = log ? std::expm1(cells[v].Mean(1)) : cells[v].Mean(1);
      line.before_n = cells[v].n[0];
      line.after_n = cells[v].n[1];
      line.log_e_value = std::max(table.log_e_value(a, static_cast<uint16_t>(v), feature), -20.0);
      line.changed = std::ranges::any_of(found, [&](const SegmentTable::Segment& s) {
        return s.attribute == a && s.value == v && s.feature == feature;
      });
      lines.push_back(std::move(line));
    }
  }
  std::ranges::stable_sort(lines, [](const SegmentLine& x, const SegmentLine& y) {
    return x.changed != y.changed ? x.changed : x.log_e_value > y.log_e_value;
  });
  if (lines.size() > kMaxSegmentLines) lines.resize(kMaxSegmentLines);
  return lines;
}

std::vector<ChangeLine> JudgeChanges(const std::deque<signal::Change>& changes, const StreamKey& stream,
                                     const OnsetEstimate& onset) {
  std::vector<ChangeLine> lines;
  for (const auto& c : changes) {
    if (!onset.known || c.time < onset.low - Duration::Hours(24) ||
        c.time > onset.high + Duration::Hours(24)) {
      continue;
    }
    ChangeLine line{Excerpt(c.id, 80),
                    Excerpt(c.kind, 40),
                    Excerpt(c.subject, 120),
                    Excerpt(c.summary, 200),
                    Excerpt(c.before, 120),
                    Excerpt(c.after, 120),
                    c.time,
                    "",
                    "",
                    (onset.time - c.time).seconds()};
    const Duration lag = onset.time - c.time;
    if (!c.service.empty() && c.service != stream.service) {
      line.verdict = "other_scope";
      line.words = "concerns " + Excerpt(c.service, 60);
    } else if (c.time > onset.high + kClockSlack) {
      line.verdict = "refuted_after_onset";
      line.words = FormatDuration(c.time - onset.time) + " after the onset: cannot be the cause";
    } else {
      line.verdict = "possible";
      line.words = lag.ns >= 0 ? FormatDuration(lag) + " before the onset"
                               : "inside the onset interval, " + FormatDuration(Duration{-lag.ns}) +
                                     " after the estimate";
    }
    lines.push_back(std::move(line));
  }
  const auto rank = [](const ChangeLine& l) {
    return l.verdict == "possible" ? 0 : l.verdict == "refuted_after_onset" ? 1 : 2;
  };
  std::ranges::stable_sort(lines, [&](const ChangeLine& a, const ChangeLine& b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : std::abs(a.lag_seconds) < std::abs(b.lag_seconds);
  });
  if (lines.size() > kMaxChanges) lines.resize(kMaxChanges);
  return lines;
}

namespace {

Exemplar ToExemplar(const Record& r, bool after) {
  return {r.trace_id, r.span_id, r.response_id, r.conversation_id, r.time, r.prompt, r.output, r.note, after};
}

const Record* Nearest(const RecordSpan& side, const Record& to, std::set<const Record*>& used) {
  const Record* best = nullptr;
  double distance = 1e300;
  for (const Record* r : side) {
    if (used.contains(r)) continue;
    const double d = SquaredDistance(r->prompt_sketch, to.prompt_sketch);
    if (d < distance) {
      distance = d;
      best = r;
    }
  }
  if (best != nullptr) used.insert(best);
  return best;
}

}  // namespace

std::vector<Exemplar> PickExemplars(const Split& split, std::optional<Named> metric,
                                    const std::vector<uint64_t>& clearest) {
  RecordSpan chosen;
  for (const uint64_t id : clearest) {
    const auto it = std::ranges::find_if(split.after, [&](const Record* r) { return r->index == id; });
    if (it != split.after.end()) chosen.push_back(*it);
  }
  if (metric) {
    const Effect e = NamedEffect(split, static_cast<size_t>(*metric));
    RecordSpan sorted = split.after;
    std::erase_if(sorted, [&](const Record* r) { return std::isnan(At(r->values, *metric)); });
    std::ranges::stable_sort(sorted, [&](const Record* a, const Record* b) {
      const float x = At(a->values, *metric);
      const float y = At(b->values, *metric);
      return e.d >= 0 ? x > y : x < y;
    });
    chosen.insert(chosen.begin(), sorted.begin(),
                  sorted.begin() + static_cast<std::ptrdiff_t>(std::min(sorted.size(), kMaxExemplars)));
  }
  for (const Record* r : split.after) chosen.push_back(r);
  std::vector<Exemplar> out;
  std::vector<Exemplar> earlier;
  std::set<const Record*> seen, used;
  for (const Record* r : chosen) {
    if (out.size() == kMaxExemplars) break;
    if (!seen.insert(r).second) continue;
    out.push_back(ToExemplar(*r, true));
    if (const Record* b = Nearest(split.before, *r, used)) earlier.push_back(ToExemplar(*b, false));
  }
  out.insert(out.end(), earlier.begin(), earlier.end());
  return out;
}

}  // namespace tocsin::detect
