#include "detect/pair_monitor_words.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <unordered_map>

namespace tocsin::detect {
namespace {

using behavior::kStyleCount;
using behavior::Style;

struct StyleMeans {
  std::array<double, kStyleCount> live{};
  std::array<double, kStyleCount> reference{};
};

StyleMeans MeanStyles(const std::deque<KeptPair>& kept, size_t onset) {
  StyleMeans means;
  const double after = static_cast<double>(std::max<size_t>(kept.size() - onset, 1));
  const double all = static_cast<double>(kept.size());
  for (size_t p = 0; p < kept.size(); ++p) {
    for (size_t i = 0; i < kStyleCount; ++i) {
      if (p >= onset) means.live[i] += static_cast<double>(kept[p].live.features.style[i]) / after;
      means.reference[i] += static_cast<double>(kept[p].reference.features.style[i]) / all;
    }
  }
  return means;
}

// "length" of "length.chars": features of one group say the same thing; the strongest speaks for it.
std::string Group(std::string_view name) { return std::string(name.substr(0, name.find('.'))); }

std::vector<ChangeInWords> StyleChanges(const std::deque<KeptPair>& kept, size_t onset,
                                        const stats::DiscriminantBank& bank) {
  const std::vector<double> weights = bank.LeadingWeights();
  const std::vector<double> shift = bank.LeadingShift();
  const StyleMeans means = MeanStyles(kept, onset);
  std::vector<ChangeInWords> out;
  double total = 1e-12;
  for (size_t i = 0; i < weights.size(); ++i) {
    // A standardised shift alone, times how much the learner relies on it; opposite signs cancel a correlate.
    const double share = std::max(0.0, weights[i] * shift[i]);
    total += share;
    if (share <= 0.0) continue;
    const auto feature = static_cast<Style>(i);
    const bool up = shift[i] > 0.0;
    out.push_back({std::string(behavior::StyleName(feature)),
                   std::string(up ? behavior::StyleWordsUp(feature) : behavior::StyleWordsDown(feature)),
                   up ? share : -share, means.reference[i], means.live[i]});
  }
  for (ChangeInWords& c : out) c.weight /= total;
  return out;
}

struct BucketMeans {
  double live = 0.0;
  double reference = 0.0;
};

std::vector<ChangeInWords> NgramChanges(const std::deque<KeptPair>& kept, size_t onset,
                                        const stats::OnlineLogistic& ngrams,
                                        const behavior::NgramNames& names) {
  std::unordered_map<uint16_t, BucketMeans> means;
  for (const auto& w : ngrams.LargestWeights(400)) means[w.bucket] = {};
  const double after = static_cast<double>(std::max<size_t>(kept.size() - onset, 1));
  for (size_t p = onset; p < kept.size(); ++p) {
    for (const auto& e : kept[p].live.features.ngrams) {
      if (auto it = means.find(e.bucket); it != means.end())
        it->second.live += static_cast<double>(e.value) / after;
    }
    for (const auto& e : kept[p].reference.features.ngrams) {
      if (auto it = means.find(e.bucket); it != means.end()) {
        it->second.reference += static_cast<double>(e.value) / after;
      }
    }
  }
  std::vector<ChangeInWords> out;
  double total = 1e-12;
  for (const auto& w : ngrams.LargestWeights(400)) {
    const BucketMeans& mean = means[w.bucket];
    const double share = static_cast<double>(w.weight) * (mean.live - mean.reference);
    if (share <= 0.0) continue;
    total += share;
    const std::string name(names.Name(w.bucket));
    if (name.empty()) continue;
    const bool up = mean.live > mean.reference;
    out.push_back({name, "\"" + name + "\" " + (up ? "more" : "less") + " often", up ? share : -share,
                   mean.reference, mean.live});
  }
  for (ChangeInWords& c : out) c.weight /= total;
  return out;
}

}  // namespace

std::vector<ChangeInWords> DescribeChange(const std::deque<KeptPair>& kept, size_t onset,
                                          const stats::DiscriminantBank& bank,
                                          const stats::OnlineLogistic& ngrams,
                                          const behavior::NgramNames* names, size_t limit) {
  std::vector<ChangeInWords> all = StyleChanges(kept, onset, bank);
  const auto stronger = [](const ChangeInWords& a, const ChangeInWords& b) {
    return std::fabs(a.weight) > std::fabs(b.weight);
  };
  std::stable_sort(all.begin(), all.end(), stronger);
  std::vector<ChangeInWords> out;
  std::vector<std::string> groups;
  for (ChangeInWords& c : all) {
    const std::string group = Group(c.feature);
    const bool spoken = group == "length" && std::find(groups.begin(), groups.end(), group) != groups.end();
    if (spoken || std::fabs(c.weight) < 0.01) continue;
    groups.push_back(group);
    out.push_back(std::move(c));
  }
  if (names != nullptr) {
    std::vector<ChangeInWords> grams = NgramChanges(kept, onset, ngrams, *names);
    out.insert(out.end(), std::make_move_iterator(grams.begin()), std::make_move_iterator(grams.end()));
  }
  std::stable_sort(out.begin(), out.end(), stronger);
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace tocsin::detect
