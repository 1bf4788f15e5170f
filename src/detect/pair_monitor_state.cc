// Saving and restoring a PairMonitor. Layout: "TPM" version, then the fields below in order, then XXH3 of all
// before it. A different dimension of the style features is a different version.
#include <xxhash.h>

#include <memory>
#include <utility>

#include "detect/pair_monitor.h"
#include "detect/pair_monitor_impl.h"
#include "stats/state_codec.h"

namespace tocsin::detect {
namespace {

constexpr uint32_t kMagic = 0x314D5054;  // "TPM1"

void PutItem(stats::StateWriter& out, const MonitorItem& item) {
  out.Put(item.id);
  out.Put(item.segment);
  const behavior::GenerationFeatures& f = item.features;
  out.Put(f.style);
  out.Put(f.prompt);
  out.Put(f.prompt_stratum);
  out.Put(static_cast<uint8_t>(f.language));
  out.Put(static_cast<uint8_t>(f.prompt_language));
  out.Put(f.latency_ms);
  out.Put(f.output_tokens);
  out.Put(f.cost_usd);
  out.Put(f.tool_calls);
  out.Put(static_cast<uint8_t>(f.truncated));
  std::vector<uint16_t> buckets;
  std::vector<float> values;
  for (const auto& e : f.ngrams) {
    buckets.push_back(e.bucket);
    values.push_back(e.value);
  }
  out.PutVector(buckets);
  out.PutVector(values);
}

MonitorItem GetItem(stats::StateReader& in) {
  MonitorItem item;
  item.id = in.Get<uint64_t>();
  item.segment = in.Get<uint32_t>();
  behavior::GenerationFeatures& f = item.features;
  f.style = in.Get<behavior::StyleVector>();
  f.prompt = in.Get<behavior::PromptVector>();
  f.prompt_stratum = in.Get<uint32_t>();
  f.language = static_cast<behavior::Language>(in.Get<uint8_t>());
  f.prompt_language = static_cast<behavior::Language>(in.Get<uint8_t>());
  if (f.language >= behavior::Language::kCount || f.prompt_language >= behavior::Language::kCount) in.Fail();
  f.latency_ms = in.Get<double>();
  f.output_tokens = in.Get<double>();
  f.cost_usd = in.Get<double>();
  f.tool_calls = in.Get<uint32_t>();
  f.truncated = in.Get<uint8_t>() != 0;
  std::vector<uint16_t> buckets;
  std::vector<float> values;
  in.GetVector(buckets);
  in.GetVector(values);
  if (buckets.size() != values.size()) in.Fail();
  if (!in.ok()) return item;
  for (size_t i = 0; i < buckets.size(); ++i) f.ngrams.push_back({buckets[i], values[i]});
  return item;
}

void PutDetector(stats::StateWriter& out, const stats::EDetector& detector) {
  out.PutVector(std::vector<double>(detector.log_wealth().begin(), detector.log_wealth().end()));
  out.Put(detector.count());
}

bool GetDetector(stats::StateReader& in, stats::EDetector& detector) {
  std::vector<double> wealth;
  in.GetVector(wealth);
  const auto count = in.Get<uint64_t>();
  return in.ok() && detector.RestoreState(wealth, count);
}

}  // namespace

std::string PairMonitor::Save() const {
  const Impl& m = *impl_;
  stats::StateWriter out;
  out.Put(kMagic);
  out.Put<uint64_t>(behavior::kStyleCount);
  out.Put(m.options.alpha);
  out.Put(m.options.seed);
  out.Put(static_cast<uint8_t>(m.options.match_strata));
  out.Put<uint64_t>(m.options.max_reference);
  out.Put<uint64_t>(m.options.kept_pairs);
  out.Put(m.rng.state());
  out.Put(m.observed);
  out.Put(m.paired);
  out.Put(m.skipped);
  out.Put(m.alarm_index);
  out.Put(m.max_log_e);
  out.Put(static_cast<uint8_t>(m.alarmed));
  m.space.Save(out);
  m.bank.Save(out);
  m.ngrams.Save(out);
  PutDetector(out, m.ngram_wealth);
  out.Put<uint64_t>(m.pools.size());
  for (const auto& [key, pool] : m.pools) {
    out.Put(key);
    out.Put<uint64_t>(pool.size());
    for (const MonitorItem& item : pool) PutItem(out, item);
  }
  out.Put<uint64_t>(m.kept.size());
  for (const KeptPair& pair : m.kept) {
    out.Put(pair.live_index);
    PutItem(out, pair.live);
    PutItem(out, pair.reference);
  }
  std::string bytes = out.Take();
  const uint64_t sum = XXH3_64bits(bytes.data(), bytes.size());
  bytes.append(reinterpret_cast<const char*>(&sum), sizeof(sum));
  return bytes;
}

Result<PairMonitor> PairMonitor::Restore(std::string_view bytes) {
  if (bytes.size() < sizeof(uint32_t) + 2 * sizeof(uint64_t)) {
    return Error(Code::kInvalidArgument, "monitor state is too short");
  }
  uint64_t sum = 0;
  const std::string_view body = bytes.substr(0, bytes.size() - sizeof(sum));
  std::memcpy(&sum, bytes.data() + body.size(), sizeof(sum));
  stats::StateReader in(body);
  if (in.Get<uint32_t>() != kMagic || in.Get<uint64_t>() != behavior::kStyleCount) {
    return Error(Code::kInvalidArgument, "monitor state is of another version");
  }
  if (XXH3_64bits(body.data(), body.size()) != sum) {
    return Error(Code::kDataLoss, "monitor state is damaged: checksum differs");
  }
  PairMonitorOptions options;
  options.alpha = in.Get<double>();
  options.seed = in.Get<uint64_t>();
  options.match_strata = in.Get<uint8_t>() != 0;
  options.max_reference = in.Get<uint64_t>();
  options.kept_pairs = in.Get<uint64_t>();
  auto impl = std::make_unique<Impl>(options);
  impl->rng = Rng::FromState(in.Get<std::array<uint64_t, 4>>());
  impl->observed = in.Get<uint64_t>();
  impl->paired = in.Get<uint64_t>();
  impl->skipped = in.Get<uint64_t>();
  impl->alarm_index = in.Get<uint64_t>();
  impl->max_log_e = in.Get<double>();
  impl->alarmed = in.Get<uint8_t>() != 0;
  bool fits = impl->space.Restore(in) && impl->bank.Restore(in) && impl->ngrams.Restore(in) &&
              GetDetector(in, impl->ngram_wealth);
  const auto pools = fits ? in.Get<uint64_t>() : 0;
  for (uint64_t p = 0; p < pools && in.ok(); ++p) {
    auto& pool = impl->pools[in.Get<uint64_t>()];
    const auto items = in.Get<uint64_t>();
    for (uint64_t i = 0; i < items && in.ok(); ++i) pool.push_back(GetItem(in));
    impl->unused += pool.size();
  }
  const auto kept = in.Get<uint64_t>();
  for (uint64_t i = 0; i < kept && in.ok(); ++i) {
    const auto live_index = in.Get<uint64_t>();
    MonitorItem live = GetItem(in);
    MonitorItem reference = GetItem(in);
    impl->kept.push_back({live_index, std::move(live), std::move(reference)});
  }
  if (!fits || !in.ok() || in.left() != 0) {
    return Error(Code::kDataLoss, "monitor state is truncated or inconsistent");
  }
  return PairMonitor(std::move(impl));
}

}  // namespace tocsin::detect
