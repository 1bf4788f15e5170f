#include "respond/alerts/inhibition.h"

#include <algorithm>

namespace tocsin::respond {

Inhibitor::Inhibitor(std::vector<InhibitRule> rules) : rules_(std::move(rules)), buckets_(rules_.size()) {
  for (InhibitRule& rule : rules_) std::sort(rule.equal.begin(), rule.equal.end());
}

void Inhibitor::KeyOf(const InhibitRule& rule, signal::Labels labels, std::string& key) const {
  key.clear();
  for (const std::string& name : rule.equal) {
    key += signal::LabelValue(labels, name);
    key += '\xff';
  }
}

void Inhibitor::Update(uint64_t fingerprint, signal::Labels labels, Time ends_at) {
  Remove(fingerprint);
  std::vector<Place> places;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const InhibitRule& rule = rules_[i];
    if (!MatchesAll(rule.source_matchers, labels)) continue;
    Place place{i, {}, MatchesAll(rule.target_matchers, labels), ends_at};
    KeyOf(rule, labels, place.key);
    Bucket& bucket = buckets_[i][place.key];
    (place.both_sides ? bucket.both_sides : bucket.source_only).emplace(ends_at, fingerprint);
    places.push_back(std::move(place));
  }
  if (!places.empty()) places_.emplace(fingerprint, std::move(places));
}

void Inhibitor::Remove(uint64_t fingerprint) {
  const auto found = places_.find(fingerprint);
  if (found == places_.end()) return;
  for (const Place& place : found->second) {
    const auto bucket = buckets_[place.rule].find(place.key);
    Ends& ends = place.both_sides ? bucket->second.both_sides : bucket->second.source_only;
    ends.erase({place.ends_at, fingerprint});
    if (bucket->second.source_only.empty() && bucket->second.both_sides.empty())
      buckets_[place.rule].erase(bucket);
  }
  places_.erase(found);
}

std::optional<uint64_t> Inhibitor::InhibitedByRule(size_t rule, signal::Labels labels, Time now,
                                                   std::string& key) const {
  if (buckets_[rule].empty() || !MatchesAll(rules_[rule].target_matchers, labels)) return std::nullopt;
  KeyOf(rules_[rule], labels, key);
  const auto bucket = buckets_[rule].find(key);
  if (bucket == buckets_[rule].end()) return std::nullopt;
  const auto firing = [now](const Ends& ends) { return !ends.empty() && ends.rbegin()->first > now; };
  if (firing(bucket->second.source_only)) return bucket->second.source_only.rbegin()->second;
  if (firing(bucket->second.both_sides) && !MatchesAll(rules_[rule].source_matchers, labels)) {
    return bucket->second.both_sides.rbegin()->second;
  }
  return std::nullopt;
}

std::optional<uint64_t> Inhibitor::InhibitedBy(signal::Labels labels, Time now) const {
  std::string key;
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (const auto source = InhibitedByRule(i, labels, now, key)) return source;
  }
  return std::nullopt;
}

std::vector<uint64_t> Inhibitor::AllInhibitors(signal::Labels labels, Time now) const {
  std::vector<uint64_t> out;
  std::string key;
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (const auto source = InhibitedByRule(i, labels, now, key)) out.push_back(*source);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace tocsin::respond
