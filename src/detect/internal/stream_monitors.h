// StreamMonitors: everything that watches one stream, and the evidence it keeps.
//
// Budget of false alarms (docs/adr/0011): P(alarm by generation T) <= alpha_i T for each monitor (Doob), so
// with shares that sum to alpha/2 the mean distance of false alarms of the whole stream is >= 1/alpha,
// however the monitors depend on each other. Shares: learned 0.40 alpha, named, feedback and evaluators
// together 0.07, segments (e-BH level) 0.03.
//
// Not thread-safe. Memory: see docs/guides/detection.md.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "detect/finding.h"
#include "detect/internal/evidence.h"
#include "detect/internal/injection_watch.h"
#include "detect/internal/learned_monitor.h"
#include "detect/internal/model_inventory.h"
#include "detect/internal/series_monitor.h"
#include "detect/internal/title.h"
#include "detect/watcher.h"
#include "kernel/rng.h"

namespace tocsin::detect {

struct SharedContext {
  const WatcherOptions* options = nullptr;
  behavior::NgramNames* names = nullptr;
  std::deque<signal::Change>* changes = nullptr;  // recorded lately, in order of arrival
};

class StreamMonitors {
 public:
  StreamMonitors(StreamKey key, const SharedContext& context);

  void Observe(const Observation& observation, std::vector<Finding>& out);
  void ObserveFeedback(const signal::Feedback& feedback, std::vector<Finding>& out);
  void ObserveEvaluation(const signal::Evaluation& evaluation, std::vector<Finding>& out);
  void Rebaseline();

  StreamStatus Status() const;
  const StreamKey& key() const { return key_; }
  uint64_t generations() const { return generations_; }
  bool dirty() const { return dirty_; }
  void MarkClean() { dirty_ = false; }

  std::string Save() const;
  tocsin::Status Restore(std::string_view bytes);

 private:
  static constexpr size_t kMaxEvaluators = 4;

  // What raised an alarm.
  struct Alarm {
    FindingKind kind = FindingKind::kBehavior;
    std::string monitor;  // "learned", "length.chars", "segment tenant=acme length.chars" …
    std::optional<Named> metric;
    std::optional<SegmentTable::Segment> segment;
    std::string evaluator;  // its name, when its scores moved
    bool pages = true;
    double log_e_value = 0;
  };
  // A change under way: latched until rebaselined.
  struct Changed {
    Alarm first;
    bool page = true;
    OnsetEstimate onset;
    uint64_t best = 0, low = 0, high = 0;  // generation numbers
    uint64_t raised = 0;                   // generation of the alarm
    uint64_t next_update = 0;
    std::vector<Record> before;  // kept from being overwritten
  };

  void ObserveNamed(Record& record);
  std::vector<Alarm> NewAlarms(bool learned_alarm);
  void NamedAlarms(std::vector<Alarm>& alarms);
  void SegmentAlarms(std::vector<Alarm>& alarms);
  bool Material(size_t feature) const;
  void Handle(std::vector<Alarm> alarms, Time time, std::vector<Finding>& out);
  bool ReportMix(const Alarm& alarm, const Changed& changed, Time time, std::vector<Finding>& out);
  Changed Open(const Alarm& alarm) const;
  void EstimateOnset(Changed& changed) const;
  void OnsetFromRanks(Changed& changed, size_t feature) const;
  void SharpenOnset(Changed& changed) const;
  std::vector<double> Discriminant(const RecordSpan& records, uint64_t low, uint64_t best) const;
  void SetOnset(Changed& changed, uint64_t best, uint64_t low, uint64_t high) const;
  void SetOnsetTimes(Changed& changed, Time best, Time low, Time high) const;
  Time TimeOf(uint64_t index) const;
  void KeepBefore(Changed& changed) const;
  Split SplitOf(const Changed& changed) const;
  // Of the segment that alarmed, when one did.
  Split AlarmedSplit(const Changed& changed) const;
  Finding Build(const Changed& changed, bool update, Time time) const;
  void AddLines(Finding& finding, const Split& split, const Changed& changed) const;
  void AddScores(Finding& finding, const Changed& changed, TitleFacts& facts) const;
  void AddWords(Finding& finding) const;
  FindingKind KindOf(const Changed& changed, const Split& split) const;
  void MaybeUpdate(Time time, std::vector<Finding>& out);
  void JudgeScores(const std::string& evaluator, Time time, std::vector<Finding>& out);
  double NamedThreshold(double weight) const;
  double RatePerHour() const;
  std::optional<size_t> LeadingFeature(const Changed& changed, const Split& split) const;
  void AddInjection(const InjectionEffect& effect, const Observation& o, std::vector<Finding>& out);
  void Complete(Finding& finding, Time time) const;

  StreamKey key_;
  SharedContext context_;
  uint64_t generations_ = 0;
  bool dirty_ = true;
  Rng rng_;
  LearnedMonitor learned_;
  std::vector<RankDetector> named_;
  SegmentTable segments_;
  SeriesMonitor feedback_;
  std::map<std::string, SeriesMonitor> evaluations_;
  ModelInventory inventory_;
  InjectionWatch injection_;
  std::map<std::string, uint64_t> injection_hits_;  // by document or source
  std::vector<Record> baseline_;
  std::deque<Record> recent_;
  std::set<std::string> alarmed_;  // monitors that have fired since the last baseline
  std::optional<Changed> changed_;
  uint64_t mix_reports_ = 0;
};

}  // namespace tocsin::detect
