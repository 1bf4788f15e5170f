#include "investigate/root_cause/series_evidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

namespace tocsin::investigate {
namespace {

// Fewer reference values than this have no spread to speak of.
constexpr size_t kMinReference = 8;
// From here a series is judged by its own past alone.
constexpr size_t kOwnWindows = 50;
// A series that never moved still has some spread: 1 % of its level, a tenth of its standard deviation.
constexpr double kLevelShare = 0.01, kDeviationShare = 0.1;
// Tails lighter than this index are not believed on finite data.
constexpr double kLightestTail = 0.2;
// An onset before every value rests on the reference alone, which may simply be another regime: half weight.
constexpr double kReferenceOnlyWeight = 0.5;
// How often a service is called is as much its callers' doing as its own.
constexpr double kCalledTrafficWeight = 0.5;

double Quantile(const std::vector<double>& sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<size_t>(at);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - static_cast<double>(low));
}

// Whether a move in this direction can be a fault's.
bool Bad(SeriesKind kind, double move) {
  if (kind == SeriesKind::kLatency || kind == SeriesKind::kErrors) return move > 0.0;
  if (kind == SeriesKind::kAvailability) return move < 0.0;
  return true;
}

constexpr size_t kNotOfReference = std::numeric_limits<size_t>::max();

double AtLeast(const std::vector<double>& sorted, double d) {
  return static_cast<double>(sorted.end() - std::lower_bound(sorted.begin(), sorted.end(), d));
}

}  // namespace

SeriesEvidenceSource::SeriesEvidenceSource(const RootCauseInput& input) {
  std::set<std::string> called, busy;
  for (const ServiceEdge& edge : input.edges) called.insert(edge.callee);
  for (const MetricSeries& s : input.series) {
    std::vector<double> values;
    for (const double v : s.reference) {
      if (std::isfinite(v)) values.push_back(v);
    }
    if (values.size() < kMinReference) continue;
    std::sort(values.begin(), values.end());
    const double median = Quantile(values, 0.5);
    double squares = 0.0;
    for (const double v : values) squares += (v - median) * (v - median);
    const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
    const double iqr = (Quantile(values, 0.75) - Quantile(values, 0.25)) / 1.349;
    const double spread = std::max({iqr, kDeviationShare * deviation, kLevelShare * std::abs(median), 1e-12});
    by_name_[s.name].push_back(scaled_.size());
    ++per_service_[s.service];
    const bool traffic = s.kind == SeriesKind::kTraffic;
    if (traffic) (median == 0.0 ? idle_ : busy).insert(s.service);
    scaled_.push_back({.series = &s,
                       .median = median,
                       .spread = spread,
                       .weight = traffic && called.contains(s.service) ? kCalledTrafficWeight : 1.0});
  }
  for (const std::string& service : busy) idle_.erase(service);
}

double SeriesEvidenceSource::DeviationOf(const Scaled& s, const std::vector<double>& values, size_t before,
                                         double* value) const {
  double best = 0.0;
  for (size_t i = before; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    const double move = values[i] - s.median;
    if (!Bad(s.series->kind, move)) continue;
    double d = std::abs(move);
    for (size_t j = 0; j < before; ++j) {
      if (!std::isfinite(values[j])) continue;
      const double step = values[i] - values[j];
      d = std::min(d, step * move > 0.0 ? std::abs(step) : 0.0);
    }
    if (d / s.spread <= best) continue;
    best = d / s.spread;
    if (value != nullptr) *value = values[i];
  }
  return best;
}

void SeriesEvidenceSource::AddWindows(const Scaled& s, size_t length, size_t before,
                                      std::vector<double>& out) const {
  const std::vector<double>& reference = s.series->reference;
  std::vector<double> window(length);
  for (size_t at = 0; at + length <= reference.size(); ++at) {
    std::copy_n(reference.begin() + static_cast<std::ptrdiff_t>(at), length, window.begin());
    out.push_back(DeviationOf(s, window, before, nullptr));
  }
}

const SeriesEvidenceSource::Tail& SeriesEvidenceSource::TailOf(const Scaled& s, size_t length,
                                                               size_t before) {
  const bool own = s.series->reference.size() >= kOwnWindows + length;
  const std::vector<size_t>& peers = by_name_.at(s.series->name);
  const void* key = own ? static_cast<const void*>(s.series) : static_cast<const void*>(&peers);
  const auto [entry, fresh] = tails_.try_emplace({key, {length, before}});
  Tail& tail = entry->second;
  if (!fresh) return tail;
  tail.own = own;
  if (own) {
    AddWindows(s, length, before, tail.by_position);
  } else {
    for (const size_t peer : peers) AddWindows(scaled_[peer], length, before, tail.by_position);
  }
  if (tail.by_position.empty()) tail.by_position.push_back(0.0);
  tail.sorted = tail.by_position;
  std::sort(tail.sorted.begin(), tail.sorted.end());
  tail.bound = std::max(Quantile(tail.sorted, 0.9), 1.0);
  double sum = 0.0, n = 0.0;
  for (auto v = tail.sorted.rbegin(); v != tail.sorted.rend() && *v > tail.bound; ++v) {
    sum += std::log(*v / tail.bound);
    n += 1.0;
  }
  tail.index = std::max(n > 0.0 ? sum / n : 0.0, kLightestTail);
  return tail;
}

double SeriesEvidenceSource::NatsOf(const Scaled& s, double deviation, size_t length, size_t before,
                                    size_t own_at) {
  if (deviation <= 0.0) return 0.0;
  const Tail& tail = TailOf(s, length, before);
  auto n = static_cast<double>(tail.sorted.size());
  double as_far = AtLeast(tail.sorted, deviation), above = AtLeast(tail.sorted, tail.bound);
  const bool own = own_at != kNotOfReference && tail.own;
  const size_t first = own && own_at + 1 > length ? own_at + 1 - length : 0;
  for (size_t i = first; own && i < std::min(own_at + length, tail.by_position.size()); ++i) {
    n -= 1.0;
    if (tail.by_position[i] >= deviation) as_far -= 1.0;
    if (tail.by_position[i] >= tail.bound) above -= 1.0;
  }
  double nats = std::log((n + 1.0) / (as_far + 1.0));
  if (deviation > tail.bound) {
    const double pareto = std::log((n + 1.0) / (above + 1.0)) + std::log(deviation / tail.bound) / tail.index;
    nats += std::log1p(std::max(0.0, pareto - nats));
  }
  const double weight = s.weight * (before == 0 ? kReferenceOnlyWeight : 1.0);
  return weight * nats - std::log(static_cast<double>(per_service_[s.series->service]));
}

EvidenceByService SeriesEvidenceSource::At(int64_t onset_ns) {
  EvidenceByService all;
  std::vector<double> values;
  for (const Scaled& s : scaled_) {
    values.clear();
    size_t before = 0;
    for (const SeriesPoint& p : s.series->window) {
      values.push_back(p.value);
      if (p.at_ns <= onset_ns) ++before;
    }
    if (before >= values.size()) continue;
    double farthest = s.median;
    const double deviation = DeviationOf(s, values, before, &farthest);
    const double nats = NatsOf(s, deviation, values.size(), before, kNotOfReference);
    if (nats <= 0.0) continue;
    const bool traffic = s.series->kind == SeriesKind::kTraffic;
    EvidenceFact fact{.kind = traffic ? EvidenceKind::kTrafficShifted : EvidenceKind::kSeriesShifted,
                      .service = s.series->service,
                      .subject = s.series->name,
                      .peer = {}};
    fact.before = s.median;
    fact.after = farthest;
    fact.n_before = s.series->reference.size();
    fact.n_after = values.size() - before;
    fact.nats = nats;
    ChannelEvidence& evidence = all[s.series->service];
    evidence.nats = std::max(evidence.nats, nats);
    evidence.facts.push_back(std::move(fact));
  }
  for (auto& [service, evidence] : all) {
    std::stable_sort(evidence.facts.begin(), evidence.facts.end(),
                     [](const EvidenceFact& x, const EvidenceFact& y) { return x.nats > y.nats; });
    if (evidence.facts.size() > kFactsPerChannel) evidence.facts.resize(kFactsPerChannel);
  }
  return all;
}

std::vector<double> SeriesEvidenceSource::HealthyBest(size_t most, const std::set<std::string>& services) {
  std::vector<double> best;
  for (const Scaled& s : scaled_) {
    const size_t length = s.series->window.size();
    const size_t steps = s.series->reference.size();
    if (length == 0 || steps < length || !services.contains(s.series->service)) continue;
    const size_t windows = std::min(most, steps / length);
    best.resize(std::max(best.size(), windows), 0.0);
    std::vector<double> window(length);
    for (size_t w = 0; w < windows; ++w) {
      const size_t at = steps - (w + 1) * length;
      std::copy_n(s.series->reference.begin() + static_cast<std::ptrdiff_t>(at), length, window.begin());
      for (size_t before = 0; before < length; ++before) {
        const double deviation = DeviationOf(s, window, before, nullptr);
        best[w] = std::max(best[w], NatsOf(s, deviation, length, before, at));
      }
    }
  }
  return best;
}

}  // namespace tocsin::investigate
