#include "investigate/root_cause/span_evidence.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace tocsin::investigate {
namespace {

// Two windows of a healthy service differ by at least this much (as ln of a factor: 22 %), however many spans
// say otherwise: caches, garbage collection, the mix of requests.
constexpr double kHealthySpread = 0.2;
// Variance between operations of one service that n cannot remove.
constexpr double kOperationVariance = 0.05;
// Groups smaller than this before or after say nothing about their variance.
constexpr uint64_t kMinBefore = 3, kMinAfter = 2;

struct Factor {
  double weighted = 0.0, weight = 0.0;  // of ln(after / before)
  double before = 0.0, after = 0.0;     // sums of logarithms, for the fact
  uint64_t n_before = 0, n_after = 0;

  void Add(const LogMoments& b, const LogMoments& a) {
    const auto nb = static_cast<double>(b.n), na = static_cast<double>(a.n);
    const double mb = b.sum / nb, ma = a.sum / na;
    const double within = (b.squares - nb * mb * mb + a.squares - na * ma * ma + 0.5) / (nb + na - 1.0);
    const double variance = within * (1.0 / nb + 1.0 / na) + kOperationVariance;
    weighted += (ma - mb) / variance;
    weight += 1.0 / variance;
    before += b.sum;
    after += a.sum;
    n_before += b.n;
    n_after += a.n;
  }
  double mean() const { return weighted / weight; }
};

double Median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle), values.end());
  return values[middle];
}

struct Spread {
  double centre = 0.0, variance = 0.0;
};

template <class Map>
Spread SpreadOf(const Map& factors) {
  std::vector<double> means;
  for (const auto& [key, f] : factors) means.push_back(f.mean());
  const double centre = Median(means);
  for (double& m : means) m = std::abs(m - centre);
  const double spread = std::max(1.4826 * Median(means), kHealthySpread);
  return {.centre = std::max(centre, 0.0), .variance = spread * spread};
}

EvidenceFact FactOf(EvidenceKind kind, const std::string& service, const Factor& f, double nats) {
  EvidenceFact fact{.kind = kind, .service = service, .subject = {}, .peer = {}};
  fact.before = std::expm1(f.before / static_cast<double>(f.n_before));
  fact.after = std::expm1(f.after / static_cast<double>(f.n_after));
  fact.n_before = f.n_before;
  fact.n_after = f.n_after;
  fact.nats = nats;
  return fact;
}

using Edge = std::pair<std::string, std::string>;

void WorkEvidence(const std::map<std::string, Factor>& own, EvidenceByService& out) {
  const Spread spread = SpreadOf(own);
  for (const auto& [service, f] : own) {
    const double excess = f.mean() - spread.centre;
    if (excess <= 0.0) continue;
    const double nats = excess * excess / (2.0 * (spread.variance + 1.0 / f.weight));
    out[service] = {.nats = nats, .facts = {FactOf(EvidenceKind::kSlowerItself, service, f, nats)}};
  }
}

void CallEvidence(const std::map<Edge, Factor>& exchanges, EvidenceByService& out) {
  const Spread spread = SpreadOf(exchanges);
  struct Sum {
    double weighted = 0.0, weight = 0.0;
    std::vector<EvidenceFact> facts;
  };
  std::map<std::string, Sum> sums;
  for (const auto& [edge, f] : exchanges) {
    const double excess = f.mean() - spread.centre;
    const double variance = spread.variance + 1.0 / f.weight;
    for (const std::string& side : {edge.first, edge.second}) {
      Sum& s = sums[side];
      s.weighted += excess / variance;
      s.weight += 1.0 / variance;
      if (excess <= 0.0) continue;
      EvidenceFact fact = FactOf(EvidenceKind::kSlowerExchange, side, f, excess * excess / (2.0 * variance));
      fact.subject = edge.first + " -> " + edge.second;
      fact.peer = side == edge.first ? edge.second : edge.first;
      s.facts.push_back(std::move(fact));
    }
  }
  for (auto& [service, s] : sums) {
    if (s.weighted <= 0.0) continue;
    std::stable_sort(s.facts.begin(), s.facts.end(),
                     [](const EvidenceFact& x, const EvidenceFact& y) { return x.nats > y.nats; });
    if (s.facts.size() > kFactsPerChannel) s.facts.resize(kFactsPerChannel);
    out[service] = {.nats = s.weighted * s.weighted / (2.0 * s.weight), .facts = std::move(s.facts)};
  }
}

}  // namespace

SpanEvidence SpanEvidenceAt(const RootCauseInput& input, size_t onset) {
  std::map<std::string, Factor> own;
  std::map<Edge, Factor> exchanges;
  for (const SpanTimes& group : input.spans) {
    LogMoments before = group.reference, after;
    for (size_t i = 0; i < group.buckets.size(); ++i) (i < onset ? before : after).Add(group.buckets[i]);
    if (before.n < kMinBefore || after.n < kMinAfter) continue;
    (group.peer.empty() ? own[group.service] : exchanges[{group.service, group.peer}]).Add(before, after);
  }
  SpanEvidence evidence;
  WorkEvidence(own, evidence.work);
  CallEvidence(exchanges, evidence.calls);
  return evidence;
}

}  // namespace tocsin::investigate
