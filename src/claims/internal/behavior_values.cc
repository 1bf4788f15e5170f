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

// How many there are, to choose the sample.
std::optional<uint64_t> CountThem(Session& s, const Measure& m, const Window& w) {
  std::vector<store::SqlValue> parameters;
  const std::string from = FromWhere(s, m, w, parameters);
  const auto rows = s.Run("SELECT count(*) " + from, parameters);
  if (!rows) return std::nullopt;
  return static_cast<uint64_t>(Number(rows->rows[0][0]));
}

}  // namespace

std::optional<std::vector<TimedValue>> BehaviorValues(Session& s, const Measure& m, const Window& w) {
  const BehaviorSource* behavior = s.sources().behavior;
  if (behavior == nullptr) {
    s.Unverifiable("behaviour cannot be measured here");
    return std::nullopt;
  }
  const auto features = behavior->Features();
  if (std::find(features.begin(), features.end(), m.value) == features.end()) {
    s.Unverifiable(fmt::format("there is no behaviour feature '{}'", m.value.substr(0, 64)));
    return std::nullopt;
  }
  const auto total = CountThem(s, m, w);
  auto siblings = total ? ReadSiblings(s, w) : std::nullopt;
  if (!siblings) return std::nullopt;
  store::GenerationFilter filter;
  filter.service = m.service;
  filter.from = w.from;
  filter.to = w.to;
  filter.limit = 2 * kMaxGenerations;
  filter.one_in = (*total + kMaxGenerations - 1) / kMaxGenerations;
  const std::string condition = WhereSql("generations", m.where, s.dialect(), filter.condition_values);
  if (!condition.empty()) filter.condition = condition.substr(5);  // without " AND "
  auto found = s.sources().telemetry.Generations(filter);
  if (!found) {
    s.Unverifiable(fmt::format("generations could not be read: {}", found.error().message()));
    return std::nullopt;
  }
  std::vector<TimedValue> values;
  for (auto& stored : *found) {
    JoinedGeneration joined;
    joined.generation = std::move(stored.generation);
    TimedValue v;
    v.time = joined.generation.time;
    v.trace_id = joined.generation.trace_id;
    v.span_id = joined.generation.span_id;
    if (const auto it = siblings->retrievals.find(v.trace_id);
        it != siblings->retrievals.end() && !v.trace_id.empty())
      joined.retrievals = it->second;
    if (const auto it = siblings->tools.find(v.trace_id); it != siblings->tools.end() && !v.trace_id.empty())
      joined.tools = it->second;
    const auto measured = behavior->Measure(std::move(joined), m.value);
    if (!measured.value) continue;
    v.value = *measured.value;
    v.stratum = measured.stratum;
    if (v.value >= 1) s.Exemplar("trace", v.trace_id, v.span_id);
    values.push_back(std::move(v));
  }
  std::ranges::stable_sort(values, {}, &TimedValue::time);
  return values;
}

}  // namespace tocsin::claims::internal
