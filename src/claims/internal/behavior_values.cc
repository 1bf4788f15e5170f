// Behaviour measured on the texts of generations, joined with what their traces hold. A fixed sample of at
// most kMaxGenerations a window.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "claims/internal/measurement.h"

namespace tocsin::claims::internal {
namespace {

// Siblings of a generation start at most so long around it.
constexpr Duration kSiblingReach = Duration::Minutes(10);

struct Siblings {
  std::unordered_map<std::string, std::vector<signal::Retrieval>> retrievals;
  std::unordered_map<std::string, std::vector<signal::ToolExecution>> tools;
};

std::optional<Siblings> ReadSiblings(Session& s, const Window& w) {
  store::SiblingFilter filter;
  filter.from = w.from - kSiblingReach;
  filter.to = w.to + kSiblingReach;
  filter.limit = 100'000;
  Siblings out;
  auto retrievals = s.sources().telemetry.Retrievals(filter);
  auto tools = s.sources().telemetry.ToolExecutions(filter);
  if (!retrievals || !tools) {
    s.Unverifiable("what belongs to the generations could not be read");
    return std::nullopt;
  }
  if (retrievals->size() >= filter.limit || tools->size() >= filter.limit) {
    s.Unverifiable("too many retrievals or tool executions: narrow the window");
    return std::nullopt;
  }
  for (auto& r : *retrievals) out.retrievals[r.trace_id].push_back(std::move(r));
  for (auto& t : *tools) out.tools[t.trace_id].push_back(std::move(t));
  return out;
}

constexpr size_t kMaxRemembered = 16;  // windows

std::vector<BehaviorRecord> MeasureAll(const BehaviorSource& behavior,
                                       std::vector<store::StoredGeneration> found, const Siblings& siblings) {
  std::vector<BehaviorRecord> out;
  for (auto& stored : found) {
    JoinedGeneration joined;
    joined.generation = std::move(stored.generation);
    BehaviorRecord r{joined.generation.time, joined.generation.trace_id, joined.generation.span_id, {}};
    if (!r.trace_id.empty()) {
      if (const auto it = siblings.retrievals.find(r.trace_id); it != siblings.retrievals.end())
        joined.retrievals = it->second;
      if (const auto it = siblings.tools.find(r.trace_id); it != siblings.tools.end())
        joined.tools = it->second;
    }
    r.measured = behavior.Measure(std::move(joined));
    out.push_back(std::move(r));
  }
  std::ranges::stable_sort(out, {}, &BehaviorRecord::time);
  return out;
}

// The generations of a measure, oldest first, measured once for all features.
const std::vector<BehaviorRecord>* Records(Session& s, const Measure& m, const Window& w) {
  std::vector<store::SqlValue> parameters;
  const std::string sql = "SELECT count(*) " + FromWhere(s, m, w, parameters);
  std::string key = sql;
  for (const auto& p : parameters) key += fmt::format("\n{}{}", Text(p), Whole(p));
  auto& remembered = s.behavior();
  if (const auto it = remembered.find(key); it != remembered.end()) {
    s.Used(sql, std::move(parameters));
    return &it->second;
  }
  const auto count = s.Run(sql, parameters);  // to choose the sample
  const auto siblings = count ? ReadSiblings(s, w) : std::nullopt;
  if (!siblings) return nullptr;
  const auto total = static_cast<uint64_t>(Number(count->rows[0][0]));
  store::GenerationFilter filter;
  filter.service = m.service;
  filter.from = w.from;
  filter.to = w.to;
  filter.limit = 2 * kMaxGenerations;
  filter.one_in = (total + kMaxGenerations - 1) / kMaxGenerations;
  const std::string condition = WhereSql("generations", m.where, s.dialect(), filter.condition_values);
  if (!condition.empty()) filter.condition = condition.substr(5);  // without " AND "
  auto found = s.sources().telemetry.Generations(filter);
  if (!found) {
    s.Unverifiable(fmt::format("generations could not be read: {}", found.error().message()));
    return nullptr;
  }
  if (remembered.size() >= kMaxRemembered) remembered.clear();
  return &(remembered[key] = MeasureAll(*s.sources().behavior, *std::move(found), *siblings));
}

}  // namespace

std::optional<std::vector<TimedValue>> BehaviorValues(Session& s, const Measure& m, const Window& w) {
  const BehaviorSource* behavior = s.sources().behavior;
  if (behavior == nullptr) {
    s.Unverifiable("behaviour cannot be measured here");
    return std::nullopt;
  }
  const auto& features = behavior->Features();
  const auto feature = std::ranges::find(features, m.value);
  if (feature == features.end()) {
    s.Unverifiable(fmt::format("there is no behaviour feature '{}'", m.value.substr(0, 64)));
    return std::nullopt;
  }
  const auto* records = Records(s, m, w);
  if (records == nullptr) return std::nullopt;
  const auto index = static_cast<size_t>(feature - features.begin());
  std::vector<TimedValue> values;
  for (const auto& r : *records) {
    const auto& value = r.measured.values[index];
    if (!value) continue;
    if (*value >= 1) s.Exemplar("trace", r.trace_id, r.span_id);
    values.push_back({r.time, *value, 1, r.measured.stratum, r.trace_id, r.span_id});
  }
  return values;
}

}  // namespace tocsin::claims::internal
