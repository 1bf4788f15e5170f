#include "detect/internal/composition.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "kernel/rng.h"

namespace tocsin::detect {
namespace {

constexpr size_t kClusters = 12;
constexpr double kSameQuestion = 0.02;  // squared distance of sketches that differ in a name or a number
constexpr size_t kMaxSide = 250;
constexpr size_t kLeastBefore = 20;
constexpr size_t kLeastPairs = 8;
constexpr double kMixLevel = 0.05;
constexpr size_t kMixPermutations = 499;  // cheap, and finer than the level

struct Sample {
  std::vector<const Record*> records;
  std::vector<uint8_t> late;  // 1 = after
  std::vector<size_t> cluster;
};

// Evenly thinned to the bound.
void AddSide(Sample& sample, const RecordSpan& side, uint8_t late) {
  const size_t n = std::min(side.size(), kMaxSide);
  for (size_t i = 0; i < n; ++i) {
    sample.records.push_back(side[i * side.size() / n]);
    sample.late.push_back(late);
  }
}

std::vector<Sketch> FarthestFirst(const Sample& sample, size_t k) {
  std::vector<Sketch> centres{sample.records[0]->prompt_sketch};
  std::vector<double> nearest(sample.records.size(), std::numeric_limits<double>::infinity());
  while (centres.size() < k) {
    size_t far = 0;
    for (size_t i = 0; i < sample.records.size(); ++i) {
      nearest[i] = std::min(nearest[i], SquaredDistance(sample.records[i]->prompt_sketch, centres.back()));
      if (nearest[i] > nearest[far]) far = i;
    }
    if (nearest[far] < 1e-6) break;
    centres.push_back(sample.records[far]->prompt_sketch);
  }
  return centres;
}

void Assign(Sample& sample, const std::vector<Sketch>& centres) {
  for (size_t i = 0; i < sample.records.size(); ++i) {
    double best = std::numeric_limits<double>::infinity();
    for (size_t c = 0; c < centres.size(); ++c) {
      const double d = SquaredDistance(sample.records[i]->prompt_sketch, centres[c]);
      if (d < best) {
        best = d;
        sample.cluster[i] = c;
      }
    }
  }
}

void Cluster(Sample& sample) {
  sample.cluster.assign(sample.records.size(), 0);
  auto centres = FarthestFirst(sample, kClusters);
  for (int round = 0; round < 5; ++round) {
    Assign(sample, centres);
    std::vector<double> counts(centres.size(), 0);
    std::vector<std::array<double, kSketchSize>> sums(centres.size());
    for (size_t i = 0; i < sample.records.size(); ++i) {
      ++counts[sample.cluster[i]];
      for (size_t d = 0; d < kSketchSize; ++d) {
        sums[sample.cluster[i]][d] += static_cast<double>(sample.records[i]->prompt_sketch[d]);
      }
    }
    for (size_t c = 0; c < centres.size(); ++c) {
      if (counts[c] == 0) continue;
      for (size_t d = 0; d < kSketchSize; ++d) centres[c][d] = static_cast<float>(sums[c][d] / counts[c]);
    }
  }
  Assign(sample, centres);
}

// Rows of a matrix, one a record.
using Matrix = std::vector<std::vector<double>>;

Matrix Targets(const Sample& sample, const std::optional<Named>& metric) {
  Matrix y;
  for (const Record* r : sample.records) {
    auto& row = y.emplace_back();
    if (metric) {
      const float v = At(r->values, *metric);
      const NamedSpec& spec = SpecOf(*metric);
      row.push_back(std::isnan(v) ? 0.0 : static_cast<double>(BinOf(spec, static_cast<double>(v))));
      continue;
    }
    for (const float v : r->output_sketch) row.push_back(static_cast<double>(v));
    for (const float v : r->style) row.push_back(static_cast<double>(v));
  }
  return y;
}

Matrix Covariates(const Sample& sample) {
  constexpr size_t kTenant = static_cast<size_t>(Attribute::kTenant);
  constexpr size_t kLocale = static_cast<size_t>(Attribute::kLocale);
  Matrix x;
  for (const Record* r : sample.records) {
    auto& row = x.emplace_back();
    row.push_back(1.0);
    for (const float v : r->prompt_sketch) row.push_back(static_cast<double>(v));
    for (size_t s = 1; s < behavior::kPromptStrata; ++s) row.push_back(r->stratum == s ? 1.0 : 0.0);
    for (uint16_t t = 2; t < 8; ++t) row.push_back(r->attributes[kTenant] == t ? 1.0 : 0.0);
    for (uint16_t l = 2; l < 6; ++l) row.push_back(r->attributes[kLocale] == l ? 1.0 : 0.0);
  }
  return x;
}

// Cholesky of a small symmetric positive matrix, in place; lower half.
void Cholesky(Matrix& a) {
  const size_t n = a.size();
  for (size_t j = 0; j < n; ++j) {
    for (size_t k = 0; k < j; ++k) a[j][j] -= a[j][k] * a[j][k];
    a[j][j] = std::sqrt(std::max(a[j][j], 1e-9));
    for (size_t i = j + 1; i < n; ++i) {
      for (size_t k = 0; k < j; ++k) a[i][j] -= a[i][k] * a[j][k];
      a[i][j] /= a[j][j];
    }
  }
}

void Solve(const Matrix& l, std::vector<double>& b) {
  const size_t n = l.size();
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < i; ++k) b[i] -= l[i][k] * b[k];
    b[i] /= l[i][i];
  }
  for (size_t i = n; i-- > 0;) {
    for (size_t k = i + 1; k < n; ++k) b[i] -= l[k][i] * b[k];
    b[i] /= l[i][i];
  }
}

// Ridge residuals of every target column, then scaled to unit variance.
void Residualise(Matrix& y, const Matrix& x) {
  const size_t n = x.size();
  const size_t p = x[0].size();
  Matrix gram(p, std::vector<double>(p, 0));
  for (const auto& row : x) {
    for (size_t i = 0; i < p; ++i) {
      if (row[i] == 0) continue;
      for (size_t j = 0; j <= i; ++j) gram[i][j] += row[i] * row[j];
    }
  }
  for (size_t i = 0; i < p; ++i) gram[i][i] += 1.0;
  Cholesky(gram);
  for (size_t d = 0; d < y[0].size(); ++d) {
    std::vector<double> beta(p, 0);
    for (size_t r = 0; r < n; ++r) {
      for (size_t i = 0; i < p; ++i) beta[i] += x[r][i] * y[r][d];
    }
    Solve(gram, beta);
    double sum = 0;
    for (size_t r = 0; r < n; ++r) {
      for (size_t i = 0; i < p; ++i) y[r][d] -= x[r][i] * beta[i];
      sum += y[r][d] * y[r][d];
    }
    const double sd = std::sqrt(sum / static_cast<double>(n));
    for (size_t r = 0; r < n; ++r) y[r][d] = sd > 1e-9 ? std::clamp(y[r][d] / sd, -5.0, 5.0) : 0.0;
  }
}

// Two records of like questions, one from each period.
struct Pair {
  size_t early = 0, late = 0;
};

// How near a question usually has a neighbour in its own period: farther ones are not "like".
double Caliper(const Sample& s) {
  std::vector<double> nearest;
  for (size_t i = 0; i < s.late.size(); ++i) {
    if (s.late[i] != 0) continue;
    double best = std::numeric_limits<double>::infinity();
    for (size_t j = 0; j < s.late.size(); ++j) {
      if (j == i || s.late[j] != 0) continue;
      best = std::min(best, SquaredDistance(s.records[i]->prompt_sketch, s.records[j]->prompt_sketch));
    }
    nearest.push_back(best);
  }
  const auto middle = nearest.begin() + static_cast<std::ptrdiff_t>(nearest.size() / 2);
  std::nth_element(nearest.begin(), middle, nearest.end());
  return *middle + kSameQuestion;
}

// Greedy matching, nearest first, each record once.
std::vector<Pair> Match(const Sample& s) {
  const double caliper = Caliper(s);
  struct Edge {
    double distance;
    Pair pair;
  };
  std::vector<Edge> edges;
  for (size_t i = 0; i < s.late.size(); ++i) {
    if (s.late[i] == 0) continue;
    for (size_t j = 0; j < s.late.size(); ++j) {
      if (s.late[j] != 0) continue;
      const double d = SquaredDistance(s.records[i]->prompt_sketch, s.records[j]->prompt_sketch);
      if (d <= caliper) edges.push_back({d, {j, i}});
    }
  }
  std::stable_sort(edges.begin(), edges.end(),
                   [](const Edge& a, const Edge& b) { return a.distance < b.distance; });
  std::vector<uint8_t> used(s.late.size(), 0);
  std::vector<Pair> pairs;
  for (const Edge& e : edges) {
    if (used[e.pair.early] != 0 || used[e.pair.late] != 0) continue;
    used[e.pair.early] = used[e.pair.late] = 1;
    pairs.push_back(e.pair);
  }
  return pairs;
}

// Sum over clusters of the squared length of the pairs' summed differences, by the cluster's pairs. `sign`
// turns a pair round.
double PairStatistic(const Sample& s, const Matrix& y, const std::vector<Pair>& pairs,
                     const std::vector<double>& sign) {
  const size_t dims = y[0].size();
  Matrix sums(kClusters, std::vector<double>(dims, 0));
  std::array<double, kClusters> n{};
  for (size_t k = 0; k < pairs.size(); ++k) {
    const size_t c = s.cluster[pairs[k].late];
    ++n[c];
    for (size_t d = 0; d < dims; ++d) sums[c][d] += sign[k] * (y[pairs[k].late][d] - y[pairs[k].early][d]);
  }
  double total = 0;
  for (size_t c = 0; c < kClusters; ++c) {
    if (n[c] == 0) continue;
    double length = 0;
    for (const double v : sums[c]) length += v * v;
    total += length / n[c];
  }
  return total;
}

double MixStatistic(const Sample& s, const std::vector<uint8_t>& late) {
  std::array<std::array<double, 2>, kClusters> counts{};
  std::array<double, 2> n{};
  for (size_t i = 0; i < late.size(); ++i) {
    ++counts[s.cluster[i]][late[i]];
    ++n[late[i]];
  }
  double chi = 0;
  for (const auto& c : counts) {
    const double all = c[0] + c[1];
    if (all == 0) continue;
    const double expected = all * n[1] / (n[0] + n[1]);
    chi += (c[1] - expected) * (c[1] - expected) / expected;
  }
  return chi;
}

// Of the later questions, those in a cluster the earlier period lacks.
double NovelShare(const Sample& s) {
  std::array<std::array<size_t, 2>, kClusters> counts{};
  for (size_t i = 0; i < s.late.size(); ++i) ++counts[s.cluster[i]][s.late[i]];
  size_t after = 0, known = 0;
  for (const auto& c : counts) {
    after += c[1];
    if (c[0] != 0) known += c[1];
  }
  return after == 0 ? 0 : 1.0 - static_cast<double>(known) / static_cast<double>(after);
}

CompositionLine Kitagawa(const Sample& s, size_t feature) {
  std::array<std::array<double, 2>, kClusters> n{}, sum{};
  std::array<double, 2> all{}, total{};
  for (size_t i = 0; i < s.late.size(); ++i) {
    const float v = s.records[i]->values[feature];
    if (std::isnan(v)) continue;
    const size_t t = s.late[i];
    ++n[s.cluster[i]][t];
    sum[s.cluster[i]][t] += static_cast<double>(v);
    ++all[t];
    total[t] += static_cast<double>(v);
  }
  CompositionLine line;
  line.metric = SpecOf(feature).name;
  if (all[0] == 0 || all[1] == 0) return line;
  line.before = total[0] / all[0];
  line.after = total[1] / all[1];
  for (size_t c = 0; c < kClusters; ++c) {
    if (n[c][0] + n[c][1] == 0) continue;
    const double w0 = n[c][0] / all[0];
    const double w1 = n[c][1] / all[1];
    double m0 = n[c][0] > 0 ? sum[c][0] / n[c][0] : 0;
    double m1 = n[c][1] > 0 ? sum[c][1] / n[c][1] : 0;
    if (n[c][0] == 0) m0 = m1;
    if (n[c][1] == 0) m1 = m0;
    line.mix += (w1 - w0) * (m0 + m1) / 2;
    line.behaviour += (w0 + w1) / 2 * (m1 - m0);
  }
  return line;
}

void Judge(Composition& result, const Sample& sample, const CompositionOptions& options) {
  Matrix y = Targets(sample, options.metric);
  Residualise(y, Covariates(sample));
  Rng rng(options.seed);
  result.novel_share = NovelShare(sample);
  const std::vector<Pair> pairs = Match(sample);
  std::vector<double> sign(pairs.size(), 1.0);
  const double within = PairStatistic(sample, y, pairs, sign);
  const double mix = MixStatistic(sample, sample.late);
  size_t within_hits = 0;
  size_t mix_hits = 0;
  for (size_t r = 0; r < options.permutations; ++r) {
    for (double& one : sign) one = rng.Below(2) == 0 ? 1.0 : -1.0;
    if (PairStatistic(sample, y, pairs, sign) >= within - 1e-9) ++within_hits;
  }
  std::vector<uint8_t> late = sample.late;
  for (size_t r = 0; r < kMixPermutations; ++r) {
    rng.Shuffle(late);
    if (MixStatistic(sample, late) >= mix - 1e-9) ++mix_hits;
  }
  const double all = static_cast<double>(options.permutations) + 1;
  result.p_behaviour = pairs.size() < kLeastPairs ? 1.0 : (static_cast<double>(within_hits) + 1) / all;
  result.p_mix = (static_cast<double>(mix_hits) + 1) / (kMixPermutations + 1.0);
}

}  // namespace

Composition Decompose(const RecordSpan& before, const RecordSpan& after, const CompositionOptions& options) {
  Composition result;
  Sample sample;
  if (before.size() < kLeastBefore || after.size() < 8) return result;
  AddSide(sample, before, 0);
  AddSide(sample, after, 1);
  Cluster(sample);
  Judge(result, sample, options);
  const bool behaviour = result.p_behaviour <= options.behaviour_level;
  const bool mix = result.p_mix <= kMixLevel;
  result.verdict = behaviour ? (mix ? "both" : "behaviour") : (mix ? "traffic_mix" : "unknown");
  if (options.metric) result.lines.push_back(Kitagawa(sample, static_cast<size_t>(*options.metric)));
  for (const Named f : {Named::kLength, Named::kRefusal, Named::kSteps, Named::kLists, Named::kCodeFences}) {
    if (options.metric != f) result.lines.push_back(Kitagawa(sample, static_cast<size_t>(f)));
  }
  return result;
}

}  // namespace tocsin::detect
