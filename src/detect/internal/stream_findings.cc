// StreamMonitors: onset, evidence and the finding itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "detect/internal/contrast.h"
#include "detect/internal/stream_monitors.h"
#include "detect/internal/title.h"
#include "stats/change_point.h"

namespace tocsin::detect {
namespace {

constexpr size_t kBeforeKept = 400;
constexpr size_t kBeforeWanted = 200;
constexpr uint64_t kScanBack = 150;  // generations before the path's onset that are scanned too
constexpr size_t kMaxLines = 16;
constexpr size_t kMaxWords = 12;

}  // namespace

Time StreamMonitors::TimeOf(uint64_t index) const {
  if (recent_.empty()) return {};
  if (index <= recent_.front().index) return recent_.front().time;
  const uint64_t at = std::min<uint64_t>(index - recent_.front().index, recent_.size() - 1);
  return recent_[at].time;
}

void StreamMonitors::SetOnset(Changed& c, uint64_t best, uint64_t low, uint64_t high) const {
  c.best = std::max<uint64_t>(best, 1);
  c.low = std::clamp<uint64_t>(low, 1, c.best);
  c.high = std::max(high, c.best);
  c.onset = {TimeOf(c.best), TimeOf(c.low), TimeOf(c.high), true};
}

void StreamMonitors::SetOnsetTimes(Changed& c, Time best, Time low, Time high) const {
  const auto index = [&](Time t) {
    for (const auto& r : recent_) {
      if (r.time >= t) return r.index;
    }
    return generations_;
  };
  SetOnset(c, index(best), index(low), index(high));
  c.onset = {best, low, high, true};
}

void StreamMonitors::OnsetFromRanks(Changed& c, size_t feature) const {
  std::vector<double> bets;
  std::vector<uint64_t> numbers;
  const auto& segment = c.first.segment;
  for (const auto& r : recent_) {
    const float rank = r.ranks[feature];
    if (std::isnan(rank)) continue;
    if (segment && r.attributes[segment->attribute] != segment->value) continue;
    const auto p = static_cast<double>(rank);
    const double bet = named_[feature].LeadingLogBet(p);
    bets.push_back(bet);
    numbers.push_back(r.index);
  }
  const OnsetIndex onset = RestartedPathOnset(bets, generations_);
  if (!onset.known) return;
  SetOnset(c, numbers[onset.best], numbers[onset.low], numbers[onset.high]);
}

// One number a record that tells the two sides apart: style and named features, each by its standardised
// difference between what is surely before and surely after.
std::vector<double> StreamMonitors::Discriminant(const RecordSpan& records, uint64_t low,
                                                 uint64_t best) const {
  Split sure;
  const uint64_t late = best + (generations_ - std::min(best, generations_)) / 3;
  for (const Record* r : records) {
    if (r->index < low) sure.before.push_back(r);
    if (r->index >= late) sure.after.push_back(r);
  }
  std::vector<double> scores(records.size(), 0);
  if (sure.before.size() < 5 || sure.after.size() < 5) return scores;
  for (size_t s = 0; s < behavior::kStyleCount; ++s) {
    const Effect e = StyleEffect(sure, s);
    if (std::abs(e.z) < 3 || e.before == e.after) continue;
    const double scale = e.d / (e.after - e.before) * std::abs(e.d);  // d per unit, weighted by its size
    for (size_t i = 0; i < records.size(); ++i)
      scores[i] += scale * static_cast<double>(records[i]->style[s]);
  }
  return scores;
}

void StreamMonitors::SharpenOnset(Changed& c) const {
  if (!c.onset.known) return;
  const auto& segment = c.first.segment;
  RecordSpan records;
  std::vector<double> values;
  const uint64_t from = c.low > kScanBack ? c.low - kScanBack : 0;
  for (const auto& r : recent_) {
    if (r.index < from || std::isnan(At(r.values, Named::kLength))) continue;
    if (segment && r.attributes[segment->attribute] != segment->value) continue;
    if (c.first.metric) {
      const float v = At(r.values, *c.first.metric);
      if (std::isnan(v)) continue;
      values.push_back(static_cast<double>(BinOf(SpecOf(*c.first.metric), static_cast<double>(v))));
    }
    records.push_back(&r);
  }
  if (!c.first.metric) values = Discriminant(records, c.low, c.best);
  const OnsetIndex onset = stats::ChangePoint(values, c.raised);
  if (!onset.known) return;
  SetOnset(c, records[onset.best]->index, records[onset.low]->index, records[onset.high]->index);
}

void StreamMonitors::EstimateOnset(Changed& c) const {
  if (c.first.monitor == "learned") {
    const auto onset = learned_.EstimateOnset();
    if (onset.known) SetOnset(c, onset.best, onset.low, onset.high);
  } else if (c.first.monitor == "feedback" || !c.first.evaluator.empty()) {
    const auto it = evaluations_.find(c.first.evaluator);
    const auto shift = it == evaluations_.end() ? feedback_.Estimate() : it->second.Estimate();
    if (shift.known) SetOnsetTimes(c, shift.onset, shift.low, shift.high);
  } else if (c.first.metric) {
    OnsetFromRanks(c, static_cast<size_t>(*c.first.metric));
  }
  if (c.first.monitor == "learned" || c.first.metric) SharpenOnset(c);
  if (!c.onset.known) {
    const uint64_t back = std::min<uint64_t>(generations_, 100);
    SetOnset(c, generations_ - back + 1, 1, generations_);
  }
}

// The last answers before the onset, topped up from the baseline, so that later answers do not push them out.
void StreamMonitors::KeepBefore(Changed& c) const {
  c.before.clear();
  for (auto it = recent_.rbegin(); it != recent_.rend() && c.before.size() < kBeforeKept; ++it) {
    if (it->index < c.best) c.before.push_back(*it);
  }
  const uint64_t oldest = recent_.empty() ? 0 : recent_.front().index;
  for (const auto& r : baseline_) {
    if (c.before.size() >= kBeforeWanted) break;
    if (r.index < oldest && r.index < c.best) c.before.push_back(r);
  }
}

Split StreamMonitors::SplitOf(const Changed& c) const {
  Split split;
  for (const auto& r : c.before) {
    if (r.index < c.best) split.before.push_back(&r);
  }
  for (const auto& r : recent_) {
    if (r.index >= c.best) split.after.push_back(&r);
  }
  return split;
}

Split StreamMonitors::AlarmedSplit(const Changed& c) const {
  Split split = SplitOf(c);
  if (!c.first.segment) return split;
  const auto outside = [&](const Record* r) {
    return r->attributes[c.first.segment->attribute] != c.first.segment->value;
  };
  std::erase_if(split.before, outside);
  std::erase_if(split.after, outside);
  return split;
}

double StreamMonitors::RatePerHour() const {
  if (recent_.size() < 2) return 0;
  const size_t from = recent_.size() > 200 ? recent_.size() - 200 : 0;
  const double seconds = (recent_.back().time - recent_[from].time).seconds();
  return seconds > 0 ? static_cast<double>(recent_.size() - 1 - from) * 3600 / seconds : 0;
}

void StreamMonitors::Complete(Finding& f, Time time) const {
  f.stream = key_;
  f.time = time;
  f.generation = generations_;
  f.rate_per_hour = RatePerHour();
  if (!f.onset.known) f.onset = {time, time, time, true};
  if (f.changes.empty()) f.changes = JudgeChanges(*context_.changes, key_, f.onset);
}

void StreamMonitors::AddLines(Finding& finding, const Split& split, const Changed&) const {
  for (size_t f = 0; f < kNamedCount; ++f) {
    const NamedSpec& spec = SpecOf(f);
    const Effect e = NamedEffect(split, f);
    const bool alarmed = alarmed_.contains(std::string(spec.name));
    if (!alarmed && (e.after_n < 8 || std::abs(e.z) < 4)) continue;
    if (static_cast<Named>(f) == Named::kFeedback) continue;
    EvidenceLine line;
    line.monitor = spec.name;
    line.words = e.d >= 0 ? spec.up : spec.down;
    line.before = e.before;
    line.after = e.after;
    line.before_n = e.before_n;
    line.after_n = e.after_n;
    line.unit = spec.unit;
    line.log_e_value = std::max(named_[f].log_e_value(spec.bad), -20.0);
    line.threshold = NamedThreshold(spec.weight);
    line.alarmed = alarmed;
    finding.lines.push_back(std::move(line));
  }
  std::ranges::stable_sort(finding.lines, [](const EvidenceLine& a, const EvidenceLine& b) {
    return a.alarmed != b.alarmed ? a.alarmed : a.log_e_value > b.log_e_value;
  });
  if (finding.lines.size() > kMaxLines) finding.lines.resize(kMaxLines);
  const auto state = learned_.state();
  if (!learned_.learning()) {
    EvidenceLine line;
    line.monitor = "learned";
    line.words = "answers can be told from earlier ones by what they say and how";
    line.before_n = line.after_n = state.paired;
    line.log_e_value = std::max(state.alarmed ? state.max_log_e_value : state.log_e_value, -20.0);
    line.threshold = learned_.threshold();
    line.alarmed = alarmed_.contains("learned");
    finding.lines.push_back(std::move(line));
  }
}

void StreamMonitors::AddScores(Finding& finding, const Changed& changed, TitleFacts& facts) const {
  const auto add = [&](const std::string& monitor, const SeriesMonitor& series, double threshold,
                       bool leading) {
    const auto shift = leading ? series.Estimate() : series.SplitAt(changed.onset.time);
    if (!shift.known) return;
    EvidenceLine line;
    line.monitor = monitor;
    line.words = shift.after < shift.before ? "scores fell" : "scores rose";
    line.before = shift.before;
    line.after = shift.after;
    line.before_n = shift.before_n;
    line.after_n = shift.after_n;
    line.unit = "score";
    line.log_e_value = std::max(series.log_e_value(), -20.0);
    line.threshold = threshold;
    line.alarmed = alarmed_.contains(monitor);
    finding.lines.insert(line.alarmed ? finding.lines.begin() : finding.lines.end(), line);
    if (!leading) return;
    facts.score_before = shift.before;
    facts.score_after = shift.after;
    if (shift.label_before != shift.label_after) {
      finding.notes.push_back(fmt::format("The evaluator itself changed: {} before, {} after.",
                                          shift.label_before.empty() ? "(not named)" : shift.label_before,
                                          shift.label_after.empty() ? "(not named)" : shift.label_after));
    }
  };
  add("feedback", feedback_, NamedThreshold(SpecOf(Named::kFeedback).weight),
      changed.first.monitor == "feedback");
  for (const auto& [name, series] : evaluations_) {
    add("evaluation " + name, series, NamedThreshold(3), changed.first.evaluator == name);
  }
}

void StreamMonitors::AddWords(Finding& finding) const {
  for (const auto& change : learned_.monitor().Explain(context_.names, kMaxWords)) {
    finding.words.push_back({Excerpt(change.feature, 64), Excerpt(change.words, 120), change.weight,
                             change.reference_mean, change.live_mean});
  }
}

// The kind of the first alarm, unless a more specific monitor is as good as alarmed.
FindingKind StreamMonitors::KindOf(const Changed& changed, const Split& split) const {
  if (changed.first.kind != FindingKind::kBehavior || !changed.first.evaluator.empty()) {
    return changed.first.kind;
  }
  for (const Named f : {Named::kUnmatchedClaim, Named::kUnsupported}) {
    const size_t i = static_cast<size_t>(f);
    const NamedSpec& spec = SpecOf(f);
    const Effect e = NamedEffect(split, i);
    const bool clear = named_[i].log_e_value(spec.bad) >= NamedThreshold(spec.weight);
    if (clear && e.before < 0.02 && e.after >= 0.05) return spec.kind;
  }
  return FindingKind::kBehavior;
}

std::optional<size_t> StreamMonitors::LeadingFeature(const Changed& changed, const Split& split) const {
  if (changed.first.metric) return static_cast<size_t>(*changed.first.metric);
  std::optional<size_t> best;
  double largest = 0;
  for (const auto& c : LargestChanges(split, 8)) {
    if (c.is_named && std::abs(c.effect.z) > largest) {
      largest = std::abs(c.effect.z);
      best = c.feature;
    }
  }
  return best;
}

namespace {

NamedChange LeadingChange(const Split& split, size_t feature) {
  const NamedSpec& spec = SpecOf(feature);
  const Effect e = NamedEffect(split, feature);
  return {std::string(spec.name), std::string(e.d >= 0 ? spec.up : spec.down), e, true, feature, 10};
}

size_t FeatureOfKind(FindingKind kind, std::optional<size_t> leading) {
  if (kind == FindingKind::kGrounding) return static_cast<size_t>(Named::kUnsupported);
  if (kind == FindingKind::kActionClaim) return static_cast<size_t>(Named::kUnmatchedClaim);
  return leading.value_or(static_cast<size_t>(Named::kLength));
}

Split Within(const Split& split, const Concentration& where) {
  Split inside;
  for (const Record* r : split.before) {
    if (r->attributes[where.attribute_index] == where.value_index) inside.before.push_back(r);
  }
  for (const Record* r : split.after) {
    if (r->attributes[where.attribute_index] == where.value_index) inside.after.push_back(r);
  }
  return inside;
}

}  // namespace

Finding StreamMonitors::Build(const Changed& changed, bool update, Time time) const {
  Finding f;
  const Split split = SplitOf(changed);
  f.kind = KindOf(changed, split);
  f.family = "behavior";
  f.update = update;
  f.page = changed.page;
  f.alpha = context_.options->alpha;
  f.leading_monitor = changed.first.monitor;
  f.onset = changed.onset;
  f.after_count = generations_ - std::min(changed.best, generations_) + 1;
  TitleFacts facts;
  facts.kind = f.kind;
  facts.stream = key_;
  facts.onset = f.onset.time;
  facts.score_name = changed.first.evaluator;
  AddLines(f, split, changed);
  AddScores(f, changed, facts);
  if (alarmed_.contains("learned")) AddWords(f);
  const auto leading = LeadingFeature(changed, split);
  const size_t feature = FeatureOfKind(f.kind, leading);
  const auto where = leading ? Concentrated(split, feature, segments_) : std::nullopt;
  const Split affected = where ? Within(split, *where) : split;
  f.segments = SegmentLines(split, feature, segments_, segments_.Found());
  f.contrast = ContrastAttributes(affected.before, affected.after, segments_);
  f.notes.push_back(ModelSentence(f.contrast));
  f.exemplars = PickExemplars(affected,
                              changed.first.metric || f.kind != FindingKind::kBehavior
                                  ? std::optional<Named>(static_cast<Named>(feature))
                                  : std::nullopt,
                              [&] {
                                std::vector<uint64_t> ids;
                                if (!alarmed_.contains("learned")) return ids;
                                for (const auto& e : learned_.monitor().Exemplars(20))
                                  ids.push_back(e.live_id);
                                return ids;
                              }());
  if (where) {
    f.affected_share = where->traffic_share;
    f.notes.push_back(fmt::format("{} {} is {:.0f} % of the traffic and {:.0f} % of the change.",
                                  where->attribute, where->value, where->traffic_share * 100,
                                  where->change_share * 100));
  }
  f.composition = Decompose(split.before, split.after,
                            {changed.first.metric, generations_, update ? size_t{49} : size_t{99}});
  facts.changes = LargestChanges(affected, 6);
  facts.concentration = where;
  if (changed.first.metric || f.kind != FindingKind::kBehavior)
    facts.leading = LeadingChange(affected, feature);
  f.title = MakeTitle(facts);
  for (const auto& line : f.lines) f.log_e_value = std::max(f.log_e_value, line.log_e_value);
  f.log_e_value = std::max(f.log_e_value, changed.first.log_e_value);
  Complete(f, time);
  return f;
}

}  // namespace tocsin::detect
