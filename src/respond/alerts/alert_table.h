// AlertTable: the alerts that are known, by fingerprint, each text kept once, found by label.
//
//   fingerprint ─▶ row ─▶ [label pairs | annotation pairs] of text numbers          about 250 bytes an alert
//   label=value ─▶ rows, for queries that do not read every alert                   and its own texts
//
// Merging follows Alertmanager: news of a known alert whose time overlaps keeps the earliest start; a firing
// alert's end moves with its news, but an end that its sender stated is not cut short by one we assumed; of
// two resolved ones the later end stands. News that does not overlap replaces the alert.
// Errors: kResourceExhausted when the table is full of firing alerts; kDataLoss for a damaged snapshot.
// Ownership: owns everything; a View lives until the next change. Thread-safety: none; const methods from
// many threads when nobody writes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kernel/status.h"
#include "respond/alerts/fingerprint_index.h"
#include "respond/alerts/matcher.h"
#include "respond/alerts/string_pool.h"
#include "signal/alert.h"

namespace tocsin::respond {

struct AlertTableLimits {
  size_t max_alerts = 1'000'000;
  Duration keep_resolved = Duration::Minutes(15);  // before Collect forgets a resolved alert
};

class AlertTable {
 public:
  struct View {
    uint64_t fingerprint = 0;
    Time starts_at, ends_at, updated_at;
    bool assumed_end = false;
    std::string_view generator_url, source;
    signal::Labels labels;       // sorted by name
    signal::Labels annotations;  // sorted by name
  };
  enum class Change { kNew, kUpdated, kFiredAgain, kResolved };
  struct Merged {
    Change change = Change::kNew;
    Time starts_at, ends_at;  // as they stand after the merge
  };

  explicit AlertTable(AlertTableLimits limits = {}) : limits_(limits) {}

  Result<Merged> Merge(const signal::Alert& alert, Time now);
  // Ends an alert now, its labels as they are. kNotFound when there is none or it has ended.
  Result<Merged> Resolve(uint64_t fingerprint, Time now);
  // Forgets alerts resolved for longer than keep_resolved; returns their fingerprints.
  std::vector<uint64_t> Collect(Time now);

  std::optional<signal::Alert> Get(uint64_t fingerprint) const;
  // Calls visit with each alert that matches, in no order, until it returns false. The view and its spans are
  // valid during the call only. An equality matcher narrows the search by the index.
  void ForEach(const Matchers& matchers, const std::function<bool(const View&)>& visit) const;
  // As ForEach with one alert; false when there is none.
  bool Visit(uint64_t fingerprint, const std::function<void(const View&)>& visit) const;
  // As ForEach with the given alerts, in this order; those that are not there are left out.
  void VisitEach(std::span<const uint64_t> fingerprints, const std::function<bool(const View&)>& visit) const;
  // The fingerprints of the alerts that match, in no order.
  std::vector<uint64_t> Find(const Matchers& matchers) const;

  size_t size() const { return by_fingerprint_.size(); }
  // What the table holds in memory, estimated from its own structures.
  size_t MemoryBytes() const;

  std::string Save() const;
  static Result<AlertTable> Load(std::string_view bytes, AlertTableLimits limits);

 private:
  struct Row {
    uint64_t fingerprint = 0;
    Time starts_at, ends_at, updated_at;
    std::unique_ptr<uint32_t[]> texts;  // 2 numbers a label, then 2 an annotation
    uint32_t generator_url = 0;
    uint32_t source = 0;
    uint16_t labels = 0;
    uint16_t annotations = 0;
    bool assumed_end = false;
  };
  struct Scratch;

  static uint64_t PostingKey(uint32_t name, uint32_t value) { return uint64_t{name} << 32 | value; }
  Result<uint32_t> NewRow(Time now);
  void FillTexts(Row& row, const signal::Alert& alert);
  bool SameTexts(const Row& row, const signal::Alert& alert) const;
  bool SameLabels(const Row& row, const signal::LabelSet& labels) const;
  void ReleaseTexts(Row& row);
  void AddPostings(uint32_t at);
  // Takes the rows marked in `gone` out of the postings of their labels; texts must still be held.
  void RemovePostings(const std::vector<uint32_t>& rows);
  void Replace(uint32_t at, const signal::Alert& alert);
  void Fill(const Row& row, Scratch& scratch) const;

  AlertTableLimits limits_;
  Time full_until_;  // no room was found: not looked for again before this
  StringPool pool_;
  std::vector<Row> rows_;
  std::vector<uint32_t> free_rows_;
  FingerprintIndex by_fingerprint_;
  std::unordered_map<uint64_t, std::vector<uint32_t>> postings_;
};

}  // namespace tocsin::respond
