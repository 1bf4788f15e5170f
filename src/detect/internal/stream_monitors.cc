#include "detect/internal/stream_monitors.h"

#include <fmt/format.h>
#include <numbers>

#include <algorithm>
#include <cmath>

#include "behavior/prompt_stratum.h"

namespace tocsin::detect {
namespace {

constexpr double kLearnedShare = 0.40;
constexpr double kNamedShare = 0.07;
constexpr double kSegmentShare = 0.03;
constexpr double kEvaluatorWeight = 3;
constexpr uint64_t kNamedBurnIn = 50;  // values a named monitor only learns from
constexpr uint64_t kSeriesBurnIn = 30;
constexpr size_t kKeptRecords = 1024;
constexpr size_t kMaxInjectionSources = 256;
constexpr double kLeastEffect = 0.15;  // standardised; a smaller shift is not worth an incident

NamedSpec EvaluationSpec() {
  NamedSpec spec = SpecOf(Named::kFeedback);
  spec.name = "evaluation";
  spec.scale = Scale::kScore;
  spec.kind = FindingKind::kEvaluator;
  spec.bad = 0;
  spec.weight = kEvaluatorWeight;
  return spec;
}

}  // namespace

StreamMonitors::StreamMonitors(StreamKey key, const SharedContext& context)
    : key_(std::move(key)),
      context_(context),
      rng_(StableHash(key_.Name(), context.options->seed)),
      learned_(context.options->alpha * kLearnedShare, context.options->reference_size,
               StableHash(key_.Name(), context.options->seed + 1)),
      segments_(context.options->alpha * kSegmentShare, context.options->max_segment_values,
                context.options->segment_attributes),
      feedback_(SpecOf(Named::kFeedback), kSeriesBurnIn),
      inventory_(context.options->index_embedding_models) {
  for (size_t f = 0; f < kNamedCount; ++f) named_.emplace_back(behavior::kPromptStrata, BinCount(SpecOf(f)));
}

double StreamMonitors::NamedThreshold(double weight) const {
  const double total = TotalNamedWeight() + kEvaluatorWeight * static_cast<double>(kMaxEvaluators);
  return -std::log(context_.options->alpha * kNamedShare * weight / total);
}

void StreamMonitors::ObserveNamed(Record& record) {
  for (size_t f = 0; f < kNamedCount; ++f) {
    const float value = record.values[f];
    if (std::isnan(value)) continue;
    const size_t bin = BinOf(SpecOf(f), static_cast<double>(value));
    if (named_[f].count() < kNamedBurnIn) {
      named_[f].Learn(record.stratum, bin);
      record.ranks[f] = 0.5F;
    } else {
      record.ranks[f] = static_cast<float>(named_[f].Add(record.stratum, bin, rng_.Uniform()));
    }
  }
}

void StreamMonitors::Observe(const Observation& o, std::vector<Finding>& out) {
  dirty_ = true;
  ++generations_;
  Record record = MakeRecord(o, generations_);
  record.attributes = segments_.Intern(o.attributes);
  ObserveNamed(record);
  segments_.Observe(record.attributes, record.values, rng_);
  const bool answered = !std::isnan(At(o.values, Named::kLength));
  if (baseline_.size() < context_.options->reference_size) baseline_.push_back(record);
  recent_.push_back(std::move(record));
  if (recent_.size() > kKeptRecords) recent_.pop_front();
  const bool learned_alarm = answered && learned_.Observe(generations_, 0, o.features);
  for (auto& finding : inventory_.Observe(o, key_)) {
    Complete(finding, o.generation.time);
    out.push_back(std::move(finding));
  }
  if (answered) {
    if (const auto effect = injection_.Observe(o)) AddInjection(*effect, o, out);
  }
  Handle(NewAlarms(learned_alarm), o.generation.time, out);
  MaybeUpdate(o.generation.time, out);
}

std::vector<StreamMonitors::Alarm> StreamMonitors::NewAlarms(bool learned_alarm) {
  std::vector<Alarm> alarms;
  NamedAlarms(alarms);
  SegmentAlarms(alarms);
  if (learned_alarm && alarmed_.insert("learned").second) {
    Alarm alarm;
    alarm.monitor = "learned";
    alarm.log_e_value = learned_.state().log_e_value;
    alarms.push_back(std::move(alarm));
  }
  return alarms;
}

// Is the shift large enough to matter? Looks at the records kept.
bool StreamMonitors::Material(size_t feature) const {
  Changed probe;
  OnsetFromRanks(probe, feature);
  if (probe.best == 0) return true;
  KeepBefore(probe);
  const Split split = SplitOf(probe);
  const Effect e = NamedEffect(split, feature);
  if (e.before_n < 8 || e.after_n < 3) return true;
  const NamedSpec& spec = SpecOf(feature);
  if (spec.least_ratio > 0) {
    const double ratio = e.before > 0 ? e.after / e.before : 10;
    return ratio >= spec.least_ratio || ratio <= 1 / spec.least_ratio;
  }
  return std::abs(e.d) >= kLeastEffect;
}

void StreamMonitors::NamedAlarms(std::vector<Alarm>& alarms) {
  for (size_t f = 0; f < kNamedCount; ++f) {
    const NamedSpec& spec = SpecOf(f);
    const double threshold = NamedThreshold(spec.weight);
    if (!named_[f].rich(std::exp(threshold)) || named_[f].log_e_value(spec.bad) < threshold) continue;
    if (alarmed_.contains(std::string(spec.name))) continue;
    if (!Material(f)) {
      named_[f].ResetWealth();
      continue;
    }
    alarmed_.insert(std::string(spec.name));
    Alarm alarm;
    alarm.kind = spec.kind;
    alarm.monitor = spec.name;
    alarm.metric = static_cast<Named>(f);
    alarm.pages = spec.pages;
    alarm.log_e_value = named_[f].log_e_value(spec.bad);
    alarms.push_back(std::move(alarm));
  }
}

void StreamMonitors::SegmentAlarms(std::vector<Alarm>& alarms) {
  for (const auto& segment : segments_.Found()) {
    const NamedSpec& spec = SpecOf(segment.feature);
    std::string name = fmt::format("segment {}={} {}", segments_.AttributeName(segment.attribute),
                                   segments_.ValueName(segment.attribute, segment.value), spec.name);
    if (!alarmed_.insert(name).second) continue;
    Alarm alarm;
    alarm.kind = spec.kind;
    alarm.monitor = std::move(name);
    alarm.metric = static_cast<Named>(segment.feature);
    alarm.segment = segment;
    alarm.log_e_value = segment.log_e_value;
    alarms.push_back(std::move(alarm));
  }
}

void StreamMonitors::Handle(std::vector<Alarm> alarms, Time time, std::vector<Finding>& out) {
  if (alarms.empty()) return;
  // The most specific first: invented identifiers say more than "answers changed".
  std::ranges::stable_sort(alarms, [](const Alarm& a, const Alarm& b) {
    const auto rank = [](const Alarm& x) {
      return (x.pages ? 0 : 4) + (x.kind == FindingKind::kBehavior ? 2 : 0) + (x.metric ? 0 : 1);
    };
    return rank(a) < rank(b);
  });
  if (changed_) {
    // Further evidence of the change under way; something that pages takes over from something that did not.
    if (changed_->page || !alarms.front().pages) {
      changed_->next_update = std::min(changed_->next_update, generations_ + 10);
      return;
    }
    Changed next = Open(alarms.front());
    next.before = std::move(changed_->before);
    changed_ = std::move(next);
    out.push_back(Build(*changed_, true, time));
    return;
  }
  Changed changed = Open(alarms.front());
  if (ReportMix(alarms.front(), changed, time, out)) return;
  changed_ = std::move(changed);
  out.push_back(Build(*changed_, false, time));
}

StreamMonitors::Changed StreamMonitors::Open(const Alarm& alarm) const {
  Changed changed;
  changed.first = alarm;
  changed.page = alarm.pages;
  changed.raised = generations_;
  EstimateOnset(changed);
  KeepBefore(changed);
  const uint64_t after = generations_ - std::min(changed.best, generations_) + 1;
  changed.next_update = generations_ + std::max<uint64_t>(after, 25);
  return changed;
}

namespace {
// Each time the mix has explained an alarm, the same question is asked of the same drift again: the levels of
// the tests sum to 0.05 (6/pi^2 sum 1/k^2 = 1), down to what the permutations resolve.
CompositionOptions MixTest(std::optional<Named> metric, uint64_t seed, uint64_t reports) {
  CompositionOptions options{metric, seed};
  const double k = static_cast<double>(reports) + 1;
  options.behaviour_level = std::max(0.05 * 6 / (std::numbers::pi * std::numbers::pi) / (k * k), 0.002);
  options.permutations = reports == 0 ? 199 : 999;
  return options;
}
}  // namespace

bool StreamMonitors::ReportMix(const Alarm& alarm, const Changed& changed, Time time,
                               std::vector<Finding>& out) {
  const bool retrieval =
      alarm.kind == FindingKind::kRetrieval && alarm.metric;  // other questions find other passages
  if ((alarm.kind != FindingKind::kBehavior && !retrieval) || !alarm.evaluator.empty()) return false;
  if (alarm.metric) {
    const Named m = *alarm.metric;
    if (m == Named::kTruncated || m == Named::kEmpty || m == Named::kError || m == Named::kToolEmpty)
      return false;
  }
  const Split split = AlarmedSplit(changed);
  Composition composition =
      Decompose(split.before, split.after, MixTest(alarm.metric, generations_, mix_reports_));
  if (composition.verdict != "traffic_mix") return false;
  Finding finding = Build(changed, mix_reports_ > 0, time);
  finding.kind = FindingKind::kTrafficMix;
  finding.family = "traffic_mix";
  finding.page = false;
  finding.composition = std::move(composition);
  TitleFacts facts;
  facts.kind = FindingKind::kTrafficMix;
  facts.stream = key_;
  facts.onset = finding.onset.time;
  finding.title = MakeTitle(facts);
  if (finding.composition->novel_share > 0.5) {
    finding.notes.push_back(
        fmt::format("{:.0f} % of the questions resemble none before the onset: of the answers to these "
                    "nothing can be said yet.",
                    finding.composition->novel_share * 100));
  }
  out.push_back(std::move(finding));
  ++mix_reports_;
  // What the mix explains starts again; evidence of other kinds is kept.
  for (size_t f = 0; f < kNamedCount; ++f) {
    if (alarmed_.contains(std::string(SpecOf(f).name))) named_[f].ResetWealth();
  }
  segments_.ResetWealth(FindingKind::kBehavior);
  alarmed_.clear();
  if (learned_.alarmed()) learned_.Restart();
  return true;
}

void StreamMonitors::MaybeUpdate(Time time, std::vector<Finding>& out) {
  if (!changed_) return;
  const size_t rebaseline = context_.options->rebaseline_after;
  if (rebaseline > 0 && generations_ >= changed_->raised + rebaseline) {
    Rebaseline();
    return;
  }
  if (generations_ < changed_->next_update) return;
  const uint64_t after = generations_ - std::min(changed_->best, generations_) + 1;
  // The onset is estimated again while the evidence is young.
  if (after <= 400) EstimateOnset(*changed_);
  changed_->next_update = generations_ + std::max<uint64_t>(after, 25);
  out.push_back(Build(*changed_, true, time));
}

void StreamMonitors::ObserveFeedback(const signal::Feedback& feedback, std::vector<Finding>& out) {
  if (!feedback.score) return;
  dirty_ = true;
  feedback_.Add(feedback.time, *feedback.score, "", rng_.Uniform());
  const NamedSpec& spec = SpecOf(Named::kFeedback);
  if (feedback_.log_e_value() < NamedThreshold(spec.weight) || !alarmed_.insert("feedback").second) return;
  Alarm alarm;
  alarm.kind = FindingKind::kFeedback;
  alarm.monitor = "feedback";
  alarm.log_e_value = feedback_.log_e_value();
  Handle({std::move(alarm)}, feedback.time, out);
}

void StreamMonitors::ObserveEvaluation(const signal::Evaluation& evaluation, std::vector<Finding>& out) {
  if (!evaluation.score || evaluation.name.empty()) return;
  const std::string name = Excerpt(evaluation.name, 60);
  auto it = evaluations_.find(name);
  if (it == evaluations_.end()) {
    if (evaluations_.size() == kMaxEvaluators) return;
    it = evaluations_.try_emplace(name, EvaluationSpec(), kSeriesBurnIn).first;
  }
  dirty_ = true;
  it->second.Add(evaluation.time, *evaluation.score, Excerpt(evaluation.evaluator, 60), rng_.Uniform());
  if (it->second.log_e_value() < NamedThreshold(kEvaluatorWeight)) return;
  if (alarmed_.contains("evaluation " + name)) return;
  JudgeScores(name, evaluation.time, out);
}

// Scores moved: did the answers, too? If not, the yardstick is suspected.
void StreamMonitors::JudgeScores(const std::string& evaluator, Time time, std::vector<Finding>& out) {
  alarmed_.insert("evaluation " + evaluator);
  Alarm alarm;
  alarm.monitor = "evaluation " + evaluator;
  alarm.evaluator = evaluator;
  alarm.log_e_value = evaluations_.at(evaluator).log_e_value();
  if (changed_) {
    Handle({std::move(alarm)}, time, out);
    return;
  }
  Changed changed = Open(alarm);
  const Split split = SplitOf(changed);
  const Composition composition = Decompose(split.before, split.after, {std::nullopt, generations_, 199});
  const bool answers_moved = composition.verdict == "behaviour" || composition.verdict == "both";
  if (answers_moved) {
    Handle({std::move(alarm)}, time, out);
    return;
  }
  changed.first.kind = FindingKind::kEvaluator;
  Finding finding = Build(changed, false, time);
  finding.page = false;
  finding.family = "evaluator";
  finding.detail = evaluator;
  finding.composition = composition;
  finding.notes.push_back(fmt::format(
      "Answers before and after the onset do not differ beyond chance (p = {:.2f}): the scores moved, the "
      "answers did not.",
      composition.p_behaviour));
  out.push_back(std::move(finding));
}

void StreamMonitors::AddInjection(const InjectionEffect& effect, const Observation& o,
                                  std::vector<Finding>& out) {
  const std::string source = effect.document.empty() ? effect.source : effect.document;
  if (injection_hits_.size() >= kMaxInjectionSources && !injection_hits_.contains(source)) return;
  const uint64_t hits = ++injection_hits_[source];
  if ((hits & (hits - 1)) != 0) return;
  Finding f;
  f.kind = FindingKind::kInjection;
  f.family = "injection";
  f.detail = Excerpt(source, 120);
  f.update = hits > 1;
  f.after_count = hits;
  f.title = fmt::format("{} may have followed instructions planted in {}: it {}", WhoAnswers(key_),
                        effect.source, effect.effect);
  f.notes.push_back("Planted text: “" + effect.excerpt + "”");
  if (effect.conversations.empty()) {
    f.notes.emplace_back(effect.document.empty() ? "No document is involved."
                                                 : "No other conversation has retrieved this document.");
  } else {
    std::string list;
    for (size_t i = 0; i < effect.conversations.size() && i < 12; ++i) {
      list += (i > 0 ? ", " : "") + effect.conversations[i];
    }
    f.notes.push_back(fmt::format("{} other conversation{} retrieved the document: {}{}",
                                  effect.conversations.size(), effect.conversations.size() == 1 ? "" : "s",
                                  list, effect.conversations.size() > 12 ? " …" : ""));
  }
  Record r = MakeRecord(o, generations_);
  f.exemplars.push_back({r.trace_id, r.span_id, r.response_id, r.conversation_id, r.time, r.prompt, r.output,
                         effect.effect, true});
  Complete(f, o.generation.time);
  out.push_back(std::move(f));
}

void StreamMonitors::Rebaseline() {
  dirty_ = true;
  learned_.Restart();
  for (auto& detector : named_) detector.Forget();
  segments_.Forget();
  feedback_ = SeriesMonitor(SpecOf(Named::kFeedback), kSeriesBurnIn);
  evaluations_.clear();
  baseline_.clear();
  recent_.clear();
  alarmed_.clear();
  changed_.reset();
}

StreamStatus StreamMonitors::Status() const {
  StreamStatus s;
  s.stream = key_.Name();
  s.generations = generations_;
  s.learned = learned_.learned();
  s.reference_size = context_.options->reference_size;
  const auto state = learned_.state();
  s.paired = state.paired;
  s.set_aside = learned_.set_aside();
  s.log_e_value = std::max(state.log_e_value, -99.0);
  s.threshold = learned_.threshold();
  if (changed_) {
    s.state = "changed";
    s.words = fmt::format("changed since {}", FormatTimeForPeople(changed_->onset.time));
  } else if (learned_.learning()) {
    s.state = "learning";
    s.words = fmt::format("learning, {} of {}", s.learned, s.reference_size);
  } else {
    s.state = "watching";
    s.words = fmt::format("watching, {} compared", s.paired);
  }
  return s;
}

}  // namespace tocsin::detect
