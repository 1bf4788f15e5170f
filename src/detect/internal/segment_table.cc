#include "detect/internal/segment_table.h"

#include <algorithm>
#include <cmath>

#include "stats/e_bh.h"

namespace tocsin::detect {
namespace {

constexpr uint64_t kLeastCount = 20;  // values a segment only learns from
constexpr std::string_view kOther = "(other)";

constexpr std::array<std::string_view, kBuiltInAttributes> kNames{"response_model",  "system_fingerprint",
                                                                  "prompt_version",  "tool_schema_hash",
                                                                  "index_version",   "sampling",
                                                                  "tenant",          "region",
                                                                  "locale",          "host",
                                                                  "service_version", "environment",
                                                                  "provider",        "request_model"};

uint32_t Key(size_t attribute, uint16_t value, size_t slot) {
  return static_cast<uint32_t>(attribute << 20U | static_cast<size_t>(value) << 8U | slot);
}

}  // namespace

std::string_view BuiltInAttributeName(size_t attribute) { return kNames[attribute]; }

SegmentTable::SegmentTable(double alpha, size_t max_values, const std::vector<std::string>& user_attributes)
    : alpha_(alpha),
      max_values_(max_values),
      user_attributes_(user_attributes),
      names_(kMaxAttributes, std::vector<std::string>{""}),
      indices_(kMaxAttributes) {
  for (size_t i = 0; i < kNamedCount; ++i) {
    if (SpecOf(i).in_segments && i != static_cast<size_t>(Named::kFeedback)) features_.push_back(i);
  }
}

std::string SegmentTable::AttributeName(size_t attribute) const {
  if (attribute < kBuiltInAttributes) return std::string(kNames[attribute]);
  const size_t user = attribute - kBuiltInAttributes;
  return user < user_attributes_.size() ? user_attributes_[user] : std::string("attribute");
}

std::array<uint16_t, kMaxAttributes> SegmentTable::Intern(const AttributeValues& values) {
  std::array<uint16_t, kMaxAttributes> out{};
  for (size_t a = 0; a < kMaxAttributes; ++a) {
    if (values[a].empty()) continue;
    auto& index = indices_[a];
    if (const auto it = index.find(values[a]); it != index.end()) {
      out[a] = it->second;
      continue;
    }
    const bool full = names_[a].size() > max_values_;
    const std::string name = full ? std::string(kOther) : values[a];
    const auto [it, inserted] = index.try_emplace(name, static_cast<uint16_t>(names_[a].size()));
    if (inserted) names_[a].push_back(name);
    out[a] = it->second;
  }
  return out;
}

RankDetector& SegmentTable::DetectorOf(size_t attribute, uint16_t value, size_t slot) {
  return detectors_.try_emplace(Key(attribute, value, slot), 1, BinCount(SpecOf(features_[slot])))
      .first->second;
}

void SegmentTable::Observe(const std::array<uint16_t, kMaxAttributes>& attributes, const NamedValues& values,
                           Rng& rng) {
  const double tie = rng.Uniform();
  for (size_t a = 0; a < kMaxAttributes; ++a) {
    if (attributes[a] == 0 || names_[a].size() < 3) continue;
    for (size_t slot = 0; slot < features_.size(); ++slot) {
      const float value = values[features_[slot]];
      if (std::isnan(value)) continue;
      const NamedSpec& spec = SpecOf(features_[slot]);
      RankDetector& detector = DetectorOf(a, attributes[a], slot);
      const size_t bin = BinOf(spec, static_cast<double>(value));
      if (detector.count() < kLeastCount) {
        detector.Learn(0, bin);
        continue;
      }
      detector.Add(0, bin, tie);
      if (detector.rich(1.0 / alpha_)) richest_ = -std::log(alpha_);
    }
  }
}

double SegmentTable::threshold() const {
  return std::log(static_cast<double>(std::max<size_t>(detectors_.size(), 1)) / alpha_);
}

std::vector<SegmentTable::Segment> SegmentTable::Found() const {
  std::vector<Segment> found;
  if (richest_ < -std::log(alpha_)) return found;
  std::vector<Segment> all;
  std::vector<double> logs;
  for (const auto& [key, detector] : detectors_) {
    if (detector.count() < kLeastCount) continue;
    const size_t slot = key & 0xFFU;
    const double log_e = detector.log_e_value(SpecOf(features_[slot]).bad);
    all.push_back(
        {key >> 20U, static_cast<uint16_t>((key >> 8U) & 0xFFFU), features_[slot], log_e, detector.count()});
    logs.push_back(log_e);
  }
  for (const size_t i : stats::EBenjaminiHochberg(logs, alpha_)) found.push_back(all[i]);
  return found;
}

double SegmentTable::log_e_value(size_t attribute, uint16_t value, size_t feature) const {
  const auto slot = std::ranges::find(features_, feature);
  if (slot == features_.end()) return -1e9;
  const auto it = detectors_.find(Key(attribute, value, static_cast<size_t>(slot - features_.begin())));
  return it == detectors_.end() ? -1e9 : it->second.log_e_value(SpecOf(feature).bad);
}

void SegmentTable::ResetWealth(FindingKind kind) {
  for (auto& [key, detector] : detectors_) {
    if (SpecOf(features_[key & 0xFFU]).kind == kind) detector.ResetWealth();
  }
}

void SegmentTable::Forget() {
  detectors_.clear();
  richest_ = -1e9;
}

void SegmentTable::Save(ByteWriter& out) const {
  for (const auto& names : names_) {
    out.Put(static_cast<uint32_t>(names.size()));
    for (const auto& name : names) out.Text(name);
  }
  out.Put(richest_);
  out.Put(static_cast<uint32_t>(detectors_.size()));
  for (const auto& [key, detector] : detectors_) {
    out.Put(key);
    detector.Save(out);
  }
}

bool SegmentTable::Restore(ByteReader& in) {
  for (size_t a = 0; a < kMaxAttributes; ++a) {
    names_[a].resize(in.Count());
    indices_[a].clear();
    for (size_t v = 0; v < names_[a].size(); ++v) {
      in.Text(names_[a][v]);
      if (v > 0) indices_[a][names_[a][v]] = static_cast<uint16_t>(v);
    }
    if (names_[a].empty()) names_[a].emplace_back();
  }
  in.Get(richest_);
  detectors_.clear();
  for (uint32_t n = in.Count(); n > 0 && in.ok(); --n) {
    const auto key = in.Get<uint32_t>();
    const size_t slot = key & 0xFFU;
    if (slot >= features_.size()) return false;
    auto [it, inserted] = detectors_.try_emplace(key, 1, BinCount(SpecOf(features_[slot])));
    if (!it->second.Restore(in)) return false;
  }
  return in.ok();
}

}  // namespace tocsin::detect
