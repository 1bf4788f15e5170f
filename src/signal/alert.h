// Alert: one thing a rule somewhere says is wrong, from when to when, named by its labels.
//
// Labels are sorted by name, names are unique and non-empty, values non-empty: a missing label and an empty
// one are the same. The fingerprint names the alert for good: a second alert with the same fingerprint is
// news of the same one. Times are nanoseconds since the epoch. Value types; thread-safety as any value.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/id.h"
#include "kernel/time.h"

namespace tocsin::signal {

using LabelSet = std::vector<std::pair<std::string, std::string>>;
using LabelView = std::pair<std::string_view, std::string_view>;
// Borrowed labels, sorted by name: what everything that decides about alerts takes.
using Labels = std::span<const LabelView>;

// The end of an alert whose sender will say when it is over: in the year 2255.
inline constexpr Time kOpenEnded{9'000'000'000LL * 1'000'000'000LL};

struct Alert {
  LabelSet labels;
  LabelSet annotations;
  Time starts_at;
  Time ends_at;  // in the future while it fires; kOpenEnded when only its sender ends it
  Time updated_at;
  bool assumed_end = false;  // ends_at is a time-out that we chose, not the sender's word
  std::string generator_url;
  std::string source;  // the way it came: "prometheus", "alertmanager", "pagerduty", "cloudevents", "webhook"
  uint64_t fingerprint = 0;

  bool ResolvedAt(Time now) const { return ends_at <= now; }
};

// Sorts, keeps the last of labels with one name, and drops those without a value.
inline void NormalizeLabels(LabelSet& labels) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  size_t kept = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i + 1 < labels.size() && labels[i + 1].first == labels[i].first) continue;
    if (labels[i].second.empty()) continue;
    if (kept != i) labels[kept] = std::move(labels[i]);
    ++kept;
  }
  labels.resize(kept);
}

// XXH3 of the sorted labels, each name and value ended by 0xff, which no UTF-8 text has.
template <class Pairs>
uint64_t FingerprintOf(const Pairs& sorted_labels) {
  std::string bytes;
  bytes.reserve(512);
  for (const auto& [name, value] : sorted_labels) {
    bytes.append(name);
    bytes.push_back('\xff');
    bytes.append(value);
    bytes.push_back('\xff');
  }
  return StableHash(bytes);
}

// 16 lower-case hex digits, as every surface prints it.
inline std::string FormatFingerprint(uint64_t fingerprint) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(16, '0');
  for (size_t i = 16; i-- > 0; fingerprint >>= 4) out[i] = kDigits[fingerprint & 15];
  return out;
}

// False unless the text is exactly 16 hex digits.
inline bool ParseFingerprint(std::string_view text, uint64_t& fingerprint) {
  if (text.size() != 16) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fingerprint, 16);
  return error == std::errc() && end == text.data() + text.size();
}

// "" when there is no such label.
inline std::string_view LabelValue(Labels labels, std::string_view name) {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return {};
}

// Views of a LabelSet, which must outlive it unchanged.
class LabelViews {
 public:
  explicit LabelViews(const LabelSet& labels) { views_.assign(labels.begin(), labels.end()); }
  operator Labels() const { return views_; }  // NOLINT: meant to convert

 private:
  std::vector<LabelView> views_;
};

}  // namespace tocsin::signal
