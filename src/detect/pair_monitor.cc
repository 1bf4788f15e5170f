#include "detect/pair_monitor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "detect/pair_monitor_impl.h"
#include "detect/pair_monitor_words.h"
#include "kernel/rng.h"
#include "stats/onset.h"

namespace tocsin::detect {

PairMonitor::Impl::Impl(const PairMonitorOptions& o)
    : options(o), rng(o.seed), bank(StyleSpace::kDim, BankOptions(o)) {}

stats::DiscriminantOptions PairMonitor::Impl::BankOptions(const PairMonitorOptions& o) {
  stats::DiscriminantOptions bank_options;
  bank_options.alpha = o.alpha;
  return bank_options;
}

uint64_t PairMonitor::Impl::Key(const MonitorItem& item) const {
  if (!options.match_strata) return 0;
  return uint64_t{item.segment} * 64 + item.features.prompt_stratum;
}

void PairMonitor::Impl::WarmUp(const MonitorItem& item) {
  space.Learn(item.features.style, item.features.prompt);
  std::array<double, StyleSpace::kDim> z{};
  space.Map(item.features.style, item.features.prompt, z);
  bank.AddUnpaired(z);
}

void PairMonitor::Impl::Pair(const MonitorItem& live, MonitorItem reference) {
  std::array<double, StyleSpace::kDim> z_live{};
  std::array<double, StyleSpace::kDim> z_reference{};
  space.Map(live.features.style, live.features.prompt, z_live);
  space.Map(reference.features.style, reference.features.prompt, z_reference);
  bank.AddPair(z_live, z_reference);

  const double margin = ngrams.Score(live.features.ngrams) - ngrams.Score(reference.features.ngrams);
  ngram_wealth.Add(std::tanh(margin / 2.0));
  ngrams.Update(live.features.ngrams, reference.features.ngrams, margin);

  space.Learn(live.features.style, live.features.prompt);
  space.Learn(reference.features.style, reference.features.prompt);
  ++paired;
  kept.push_back({observed - 1, live, std::move(reference)});
  if (kept.size() > options.kept_pairs) kept.pop_front();
}

double PairMonitor::Impl::LogEValue() const {
  if (paired == 0) return -std::numeric_limits<double>::infinity();
  const std::array<double, 2> values = {bank.log_e_value(), ngram_wealth.log_e_value()};
  return stats::LogAverage(values, kLearnerWeights);
}

PairMonitor::PairMonitor(const PairMonitorOptions& options) : impl_(std::make_unique<Impl>(options)) {}
PairMonitor::PairMonitor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PairMonitor::~PairMonitor() = default;
PairMonitor::PairMonitor(PairMonitor&&) noexcept = default;
PairMonitor& PairMonitor::operator=(PairMonitor&&) noexcept = default;

size_t PairMonitor::AddReference(std::vector<MonitorItem> items) {
  Impl& m = *impl_;
  m.rng.Shuffle(items);
  const bool first = m.space.learnt() == 0;
  const size_t warm = first ? std::min(kMaxWarmUp, items.size() / 10) : 0;
  for (size_t i = 0; i < warm; ++i) m.WarmUp(items[i]);
  size_t taken = warm;
  for (size_t i = warm; i < items.size() && m.unused < m.options.max_reference; ++i) {
    auto& pool = m.pools[m.Key(items[i])];
    pool.push_front(std::move(items[i]));
    ++m.unused;
    ++taken;
  }
  return taken;
}

size_t PairMonitor::ReplaceReference(std::vector<MonitorItem> items) {
  impl_->pools.clear();
  impl_->unused = 0;
  return AddReference(std::move(items));
}

ObserveOutcome PairMonitor::Observe(const MonitorItem& live) {
  Impl& m = *impl_;
  ++m.observed;
  if (m.alarmed) return ObserveOutcome::kLatched;
  const auto pool = m.pools.find(m.Key(live));
  if (pool == m.pools.end() || pool->second.empty()) {
    ++m.skipped;
    return ObserveOutcome::kNoReference;
  }
  MonitorItem reference = std::move(pool->second.back());
  pool->second.pop_back();
  --m.unused;
  m.Pair(live, std::move(reference));
  const double log_e = m.LogEValue();
  m.max_log_e = std::max(m.max_log_e, log_e);
  if (log_e < m.caution - std::log(m.options.alpha)) return ObserveOutcome::kPaired;
  m.alarmed = true;
  m.alarm_index = m.observed - 1;
  return ObserveOutcome::kAlarm;
}

void PairMonitor::SetCaution(double log_factor) { impl_->caution = std::max(0.0, log_factor); }

void PairMonitor::Rebase() {
  PairMonitorOptions options = impl_->options;
  options.seed = impl_->rng.Next();
  impl_ = std::make_unique<Impl>(options);
}

MonitorState PairMonitor::state() const {
  const Impl& m = *impl_;
  MonitorState s;
  s.observed = m.observed;
  s.paired = m.paired;
  s.skipped = m.skipped;
  s.reference_left = m.unused;
  s.log_e_value = m.LogEValue();
  s.max_log_e_value = m.max_log_e;
  s.run_length_guarantee = 1.0 / m.options.alpha;
  s.alarmed = m.alarmed;
  s.alarm_index = m.alarm_index;
  s.leading_learner = m.NgramsLead() ? "n-grams" : "style";
  return s;
}

bool PairMonitor::alarmed() const { return impl_->alarmed; }

bool PairMonitor::needs_reference() const {
  const Impl& m = *impl_;
  return m.unused * 10 < m.paired || m.skipped * 5 > m.observed || m.unused == 0;
}

std::vector<double> PairMonitor::Impl::Margins() const {
  std::vector<double> margins;
  const std::vector<double> weights = bank.LeadingWeights();
  std::array<double, StyleSpace::kDim> a{};
  std::array<double, StyleSpace::kDim> b{};
  for (const KeptPair& pair : kept) {
    double margin = 0.0;
    if (NgramsLead()) {
      margin = ngrams.Score(pair.live.features.ngrams) - ngrams.Score(pair.reference.features.ngrams);
    } else {
      space.Map(pair.live.features.style, pair.live.features.prompt, a);
      space.Map(pair.reference.features.style, pair.reference.features.prompt, b);
      for (size_t i = 0; i < weights.size(); ++i) margin += weights[i] * (a[i] - b[i]);
    }
    margins.push_back(margin);
  }
  return margins;
}

bool PairMonitor::Impl::NgramsLead() const {
  return ngram_wealth.log_e_value() + std::log(kLearnerWeights[1]) >
         bank.log_e_value() + std::log(kLearnerWeights[0]);
}

size_t PairMonitor::Impl::OnsetPosition(size_t resamples, size_t* low, size_t* high) const {
  std::vector<double> payoffs = Margins();
  for (double& p : payoffs) p = std::tanh(p / 2.0);
  Rng own(options.seed ^ paired);
  const stats::OnsetEstimate e = stats::EstimateOnset(payoffs, resamples, own);
  if (low != nullptr) *low = e.low;
  if (high != nullptr) *high = e.high;
  return e.index;
}

Onset PairMonitor::EstimateOnset(size_t resamples) const {
  const Impl& m = *impl_;
  Onset onset;
  if (m.kept.size() < 10) return onset;
  size_t low = 0;
  size_t high = 0;
  const size_t at = m.OnsetPosition(resamples, &low, &high);
  onset.live_index = m.kept[at].live_index;
  onset.low = m.kept[low].live_index;
  onset.high = m.kept[high].live_index;
  onset.id = m.kept[at].live.id;
  onset.known = true;
  return onset;
}

std::vector<PairMonitor::Exemplar> PairMonitor::Exemplars(size_t limit) const {
  const Impl& m = *impl_;
  std::vector<Exemplar> out;
  if (m.kept.empty()) return out;
  const std::vector<double> margins = m.Margins();
  for (size_t i = m.OnsetPosition(0, nullptr, nullptr); i < m.kept.size(); ++i) {
    out.push_back({m.kept[i].live.id, m.kept[i].reference.id, std::tanh(margins[i] / 2.0)});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Exemplar& a, const Exemplar& b) { return a.score > b.score; });
  if (out.size() > limit) out.resize(limit);
  return out;
}

std::vector<ChangeInWords> PairMonitor::Explain(const behavior::NgramNames* names, size_t limit) const {
  const Impl& m = *impl_;
  if (m.kept.empty()) return {};
  return DescribeChange(m.kept, m.OnsetPosition(0, nullptr, nullptr), m.bank, m.ngrams, names, limit);
}

}  // namespace tocsin::detect
