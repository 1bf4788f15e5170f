// Inhibition: an alert is quiet while another one, which explains it, is firing.
//
//   rule: source_matchers, target_matchers, equal ─▶ (values of the equal labels) ─▶ sources by their end
//
// A target is inhibited while a firing source has the same values of the `equal` labels; a missing label has
// the value "". An alert that matches both sides is not inhibited by one that does so too, hence never by
// itself. A look-up costs one hash and the last element of a tree, however many sources there are.
// Ownership: owns rules and sources. Thread-safety: none; const methods from many threads when nobody writes.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "respond/alerts/matcher.h"

namespace tocsin::respond {

struct InhibitRule {
  Matchers source_matchers;
  Matchers target_matchers;
  std::vector<std::string> equal;
};

class Inhibitor {
 public:
  explicit Inhibitor(std::vector<InhibitRule> rules);

  // An alert is new, has news or has ended: its labels and end as they stand.
  void Update(uint64_t fingerprint, signal::Labels labels, Time ends_at);
  void Remove(uint64_t fingerprint);

  // The alert that inhibits one with these labels now; nothing when none does.
  std::optional<uint64_t> InhibitedBy(signal::Labels labels, Time now) const;
  // One inhibitor of each rule that inhibits it, sorted, each once: Alertmanager's inhibitedBy.
  std::vector<uint64_t> AllInhibitors(signal::Labels labels, Time now) const;

  const std::vector<InhibitRule>& rules() const { return rules_; }
  size_t sources() const { return places_.size(); }

 private:
  using Ends = std::set<std::pair<Time, uint64_t>>;  // the source that fires longest is the last
  struct Bucket {
    Ends source_only;
    Ends both_sides;
  };
  struct Place {
    size_t rule = 0;
    std::string key;
    bool both_sides = false;
    Time ends_at;
  };

  void KeyOf(const InhibitRule& rule, signal::Labels labels, std::string& key) const;
  std::optional<uint64_t> InhibitedByRule(size_t rule, signal::Labels labels, Time now,
                                          std::string& key) const;

  std::vector<InhibitRule> rules_;
  std::vector<std::unordered_map<std::string, Bucket>> buckets_;  // one a rule
  std::unordered_map<uint64_t, std::vector<Place>> places_;
};

}  // namespace tocsin::respond
